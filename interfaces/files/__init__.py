"""Contact files in, results out."""
