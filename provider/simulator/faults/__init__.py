"""Simulated faults: in answers, refusals and reports."""
