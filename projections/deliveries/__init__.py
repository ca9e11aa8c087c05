"""Outgoing webhooks: the outbox, the queue of deliveries, and their log."""
