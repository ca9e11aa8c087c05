"""Reconciliation: comparing our open calls with what the provider shows."""
