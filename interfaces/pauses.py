"""What keeps a large import from holding up everybody else in the process."""

import gc
import sys

SWITCH_SECONDS = 0.0005
"""After so long a thread that computes lets another one in; Python's own is 5 ms.

A request needs several turns, and each may have to wait so long.
"""

YOUNG, MIDDLE, OLD = 20_000, 20, 50
"""How rarely Python looks for garbage in cycles; rows have none, and are many."""


def keep_pauses_short() -> None:
    """Set the process up for it, once all that stays has been imported."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
