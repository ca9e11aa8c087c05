"""Settings of glibc's heap, so that freed memory goes back to the system.

By default, glibc maps each large block separately and returns it when it is freed.
However, it raises the size that counts as large, up to 32 MiB, and uses a heap for each
thread. After a few large request bodies the process then holds hundreds of MiB of free
memory. See mallopt(3).
"""

import ctypes
from contextlib import suppress

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # From glibc's malloc.h.

MAPPED_BYTES = 128 << 10
"""Blocks from this size on are mapped separately: glibc's initial value, now fixed."""

ARENAS = 2
"""Largest number of heaps of the process."""


def return_large_blocks() -> None:
    """Configure the heap of this process; no effect without glibc."""
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, MAPPED_BYTES)
        mallopt(_ARENA_MAX, ARENAS)


def trim() -> None:
    """Return free memory to the system, in milliseconds; safe in any thread."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
