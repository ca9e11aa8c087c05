"""The clock that decides whether a request may still be sent."""

import time
from collections.abc import Callable


def _monotonic_now() -> Callable[[], float]:
    if (clock := getattr(time, "CLOCK_BOOTTIME", None)) is None:
        return time.monotonic
    return lambda: time.clock_gettime(clock)


monotonic_now = _monotonic_now()
"""Seconds since an arbitrary start; on Linux including the time of system suspend.

`time.monotonic` stops during suspend on Linux. A machine that was suspended between
storing a request and sending it would then send it after waking up, however late.
"""
