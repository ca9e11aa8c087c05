"""Read models of contacts."""
