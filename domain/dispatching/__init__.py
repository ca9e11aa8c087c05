"""Which contacts to call next: the policy, as a pure function of a snapshot."""
