"""Rehearsals: a campaign with the simulated provider in virtual time."""
