"""Simulation of campaigns: contact by contact, or by stratum if they are large."""
