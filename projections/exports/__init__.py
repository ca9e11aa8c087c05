"""Exports of a campaign's contacts, written by the database while they are sent.

Each export is one snapshot of the database, however long it takes to read.
"""
