"""What follows a call for its contact: retries, withholding, erasure."""
