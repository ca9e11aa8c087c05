"""What keeps a large import from holding up everybody else in the process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

SWITCH_SECONDS = 0.0005
"""After so long a thread that computes lets another one in; Python's own is 5 ms.

A request needs several turns, and each may have to wait so long. Where nobody computes
for long, short turns only cost: a tenth of what a webhook takes.
"""


class _Turns:
    """Makes them short while anybody asks for it; they are the whole process's."""

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


_turns = _Turns()


@contextmanager
def short_turns() -> Iterator[None]:
    """Let others in often, while this computes for long; also a decorator."""
    _turns.shorten()
    try:
        yield
    finally:
        _turns.restore()
