"""The days of an admin, an operator and an auditor, and days with faults."""
