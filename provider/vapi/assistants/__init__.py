"""Assistants as Vapi stores them: configuration, form fields, variables, tools."""
