"""Phone numbers over all campaigns: the register and suppression lists."""
