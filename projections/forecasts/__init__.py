"""Forecasts: what was forecast, what it is learned from, and the present situation."""
