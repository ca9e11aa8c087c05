"""Campaigns: their terms, their life, and the policy by which contacts are retried."""
