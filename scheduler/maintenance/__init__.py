"""Regular work of the leader beside dialling: groups, suppressions, retention."""
