"""The simulated HTTP API: routes, answers, and faulty answers."""
