"""Forecasts of campaigns: learned from past calls, simulated, and scored."""
