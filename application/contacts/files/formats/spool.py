"""Temporary storage for a file that must be complete before it can be read."""

from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

_IN_MEMORY_BYTES = 1 << 20


def temporary_file() -> BinaryIO:
    """Return an empty file: in memory up to 1 MiB, beyond that on disk without a name.

    It is deleted when it is closed, and if the process is killed.
    """
    return cast(BinaryIO, SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES))
