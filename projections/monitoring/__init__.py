"""Queries about the state of the running system rather than about calls."""
