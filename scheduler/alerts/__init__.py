"""Alerts: their delivery by HTTP and e-mail."""
