"""Sends the messages of outgoing webhooks to their endpoints."""
