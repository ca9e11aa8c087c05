"""Simulates the provider's HTTP API in a separate process, with a ledger of calls."""
