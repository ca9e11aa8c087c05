"""Shorter thread switch interval, so that imports do not delay other requests."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

SWITCH_SECONDS = 0.0005
"""Interval after which a computing thread releases the GIL; Python's default is 5 ms.

A request acquires the GIL several times and may wait that long each time. Without a
long computation a short interval only costs time: a tenth of a webhook's.
"""


class _SwitchInterval:
    """Shortens the process-wide interval while at least one caller needs it."""

    def __init__(self) -> None:
        self._lock, self._asking = Lock(), 0
        self._long = sys.getswitchinterval()

    def shorten(self) -> None:
        with self._lock:
            self._asking += 1
            sys.setswitchinterval(SWITCH_SECONDS)

    def restore(self) -> None:
        with self._lock:
            self._asking -= 1
            if not self._asking:
                sys.setswitchinterval(self._long)


_interval = _SwitchInterval()


@contextmanager
def short_turns() -> Iterator[None]:
    """Use the short interval during a long computation; also a decorator."""
    _interval.shorten()
    try:
        yield
    finally:
        _interval.restore()
