"""How simulated people behave: when they answer, and what they say."""
