"""Read models of calls, and what the scheduler watches."""
