"""What the provider tells us, taken at the door."""
