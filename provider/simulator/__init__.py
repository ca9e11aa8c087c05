"""A stand-in for the provider's HTTP API: a process of its own that keeps a ledger."""
