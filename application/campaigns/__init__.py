"""Campaigns: starting, pausing and stopping them, test calls, and forecasts."""
