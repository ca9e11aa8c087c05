"""Simulated calls: their plan, their outcome, and the ledger that counts them."""
