"""Tuning of the cyclic garbage collector: quick start-up, bounded garbage.

Reference counting frees almost everything at once. The collector frees objects that
refer to each other in a cycle; a closed socket and a finished GraphQL operation leave
some. A generation threshold alone does not bound them: a process that became idle
allocates nothing, so it would never collect what a burst of work left behind.
Therefore each role also runs a full collection at regular intervals.

Freed memory must also go back to the system: each collection trims the C library's
heap, which `application.process.heap` configures.
"""

import gc
import time
from threading import Thread

from application.process.heap import return_large_blocks, trim

THRESHOLDS = 10_000, 10, 10
"""Python's own are 700, 10, 10 (2,000, 10, 0 from 3.14 on).

Net allocations until a young collection, young collections until a middle one, and
middle ones until a full one. A larger first value makes bulk work cheaper: rows of an
import live longer than 700 allocations, but contain no cycles.
"""

SECONDS_BETWEEN = 20.0
"""Shortest pause between two full collections in the background."""

LARGEST_SHARE = 0.02
"""Share of the time that full collections in the background may take."""


def disable_while_loading() -> None:
    """Disable the collector while modules are imported, which makes no garbage."""
    gc.disable()


def enable_after_loading() -> None:
    """Exempt what was loaded from all collections, then enable the collector."""
    freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()


def freeze() -> None:
    """Exempt all objects that exist now from later collections.

    Reference counting still frees them.
    """
    gc.freeze()


def collect_in_background() -> None:
    """Start a daemon thread that runs full collections until the process ends.

    To be called before other threads are started, since it limits their heaps.
    """
    return_large_blocks()
    Thread(target=_collect_for_ever, name="gc", daemon=True).start()


def _collect_for_ever() -> None:
    pause = SECONDS_BETWEEN
    while True:
        time.sleep(pause)
        pause = pause_after(_seconds_of_a_collection())


def _seconds_of_a_collection() -> float:
    began = time.perf_counter()
    gc.collect()
    trim()
    return time.perf_counter() - began


def pause_after(seconds: float) -> float:
    """Return the pause in seconds after a collection that took `seconds`.

    A collection stops every thread, so a process with many live objects collects less
    often.
    """
    return max(SECONDS_BETWEEN, seconds / LARGEST_SHARE)
