"""Vapi: its client, its documents and its vocabulary. No other package knows these."""

ACTOR = "vapi"
"""The actor of events that Vapi's messages cause. Stored: it must never change."""
