"""What past calls say about the next ones: counts, rates, and their uncertainty."""
