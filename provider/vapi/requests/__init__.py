"""Requests that place or end a call, and what their answers mean."""
