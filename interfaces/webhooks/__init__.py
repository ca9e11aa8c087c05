"""Receives the provider's webhooks."""
