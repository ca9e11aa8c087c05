"""The events of a call, grouped like the commands that cause them."""
