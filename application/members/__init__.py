"""Members of an installation, their roles, sign-in links and API tokens."""
