"""Contacts and the lists that they come from."""
