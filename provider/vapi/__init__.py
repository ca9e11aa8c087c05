"""Adapter for Vapi: its client, documents and vocabulary, used in no other package."""

ACTOR = "vapi"
"""The actor of events that Vapi's messages cause. It is stored, so it never changes."""
