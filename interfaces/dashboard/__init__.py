"""The page for people: modules that run as they are written, and their operations."""
