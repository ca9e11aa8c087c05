"""Settings of the C library's heap that return the memory of large blocks.

By default, glibc maps large blocks by themselves and returns them when they are freed,
but raises the size from which it does so up to 32 MiB, and has a heap for each thread.
After a few large bodies the process holds hundreds of MiB that nothing uses: see
mallopt(3).
"""

import ctypes
from contextlib import suppress

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # From glibc's malloc.h.

MAPPED_BYTES = 128 << 10
"""From this size on, each block is mapped by itself: glibc's first value, held fast."""

ARENAS = 2


def return_large_blocks() -> None:
    """Configure the heap of this process; without effect where there is no glibc."""
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, MAPPED_BYTES)
        mallopt(_ARENA_MAX, ARENAS)


def trim() -> None:
    """Return what is free at the heaps' ends; takes milliseconds, in any thread."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
