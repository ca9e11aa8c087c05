"""Read models of members, assistants, settings and suppressed numbers."""
