"""When a process looks for garbage in cycles: hardly any is made, and looking costs.

While it starts, an eighth of its time; later it holds up whoever waits for an answer.
"""

import gc

YOUNG, MIDDLE, OLD = 20_000, 20, 50
"""How rarely it looks, where Python's own are 700, 10, 10; rows have no cycles."""


def look_for_none_yet() -> None:
    """Leave it until all that stays has been loaded."""
    gc.disable()


def look_rarely() -> None:
    """Begin to look, and never again at what has been loaded so far."""
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    gc.enable()
