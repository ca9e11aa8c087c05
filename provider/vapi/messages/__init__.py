"""Vapi's messages and call documents, translated into the port's types."""
