"""The commands of a call: of the dialer, about its identity, reports and results."""
