"""The clock by which it is decided whether a request may still leave."""

import time
from collections.abc import Callable


def _monotonic_now() -> Callable[[], float]:
    if (clock := getattr(time, "CLOCK_BOOTTIME", None)) is None:
        return time.monotonic
    return lambda: time.clock_gettime(clock)


monotonic_now = _monotonic_now()
"""Seconds since the machine's start: never set, and on Linux it goes on in its sleep.

`time.monotonic` stands still there: a machine that was closed between storing a request
and sending it would send it when it wakes, with all its time left.
"""
