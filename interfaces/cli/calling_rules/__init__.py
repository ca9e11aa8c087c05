"""Commands about calling rules and numbers that are not called."""
