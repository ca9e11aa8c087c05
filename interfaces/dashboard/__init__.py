"""The dashboard: JavaScript modules that need no build, and their operations."""
