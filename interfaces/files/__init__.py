"""Upload of contact files, export of results."""
