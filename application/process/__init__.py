"""Tuning of the processes: logs, clock, heap and garbage collector."""
