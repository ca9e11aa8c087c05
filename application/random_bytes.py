"""Random bytes of the operating system, fetched for many uses at once.

`os.urandom` releases the interpreter lock. While other threads compute, each call costs
a switch to another thread and back, which takes much longer than the call itself.
"""

import os
from collections.abc import Callable
from uuid import UUID

SIZES = (16, 32)
"""Bytes of a UUID and of a salt, which are fetched in advance."""

FETCHED = 256
"""Values that are fetched at once."""


class RandomBytes:
    """Returns bytes that were fetched in advance; safe to share between threads.

    `fetch` is the source of random bytes. A forked process discards what its parent
    has fetched, so that no value is used twice.
    """

    def __init__(self, fetch: Callable[[int], bytes] = os.urandom) -> None:
        self._fetch = fetch
        self._values: dict[int, list[bytes]] = {size: [] for size in SIZES}
        os.register_at_fork(after_in_child=self._discard)

    def __call__(self, size: int) -> bytes:
        """Return this number of random bytes."""
        values = self._values.get(size)
        if values is None:
            return self._fetch(size)
        try:
            return values.pop()  # Atomic, so no two threads get the same value.
        except IndexError:
            block = self._fetch(size * FETCHED)
        values += [block[at : at + size] for at in range(size, len(block), size)]
        return block[:size]

    def uuid(self) -> UUID:
        """Return a random UUID (version 4)."""
        return UUID(bytes=self(16), version=4)

    def _discard(self) -> None:
        for values in self._values.values():
            values.clear()


random_bytes = RandomBytes()
"""The random bytes of this process."""
