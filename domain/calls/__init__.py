"""Calls: claims and requests (call_dialing), reports and ends (call_reporting)."""
