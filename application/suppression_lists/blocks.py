"""Numbers as bits: 10,000 numbers a block, in bounded memory however many there are.

Numbers arrive in any order. They are sorted into temporary files, one for each ten
million numbers, and each file then becomes up to 1,000 blocks.
"""

import hashlib
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

BLOCK_NUMBERS = 10_000
BLOCK_BYTES = BLOCK_NUMBERS // 8
BUCKET_NUMBERS = 10_000_000
SORTED_NUMBERS = 1_000_000
"""Numbers that are collected before they are written to the files of their buckets."""

MOST_BUCKETS = 20_000
"""Buckets of one list: a file of random digits would fill the disk with tiny files."""

type Numbers = NDArray[np.int64]


class Block(NamedTuple):
    """The bits of the numbers from `id * BLOCK_NUMBERS` on.

    Bit n of a byte string is bit n % 8, counted from the lowest, of byte n // 8, as
    Postgres counts them in get_bit.
    """

    id: int
    bits: bytes


class TooScattered(Exception):
    """The numbers of a file lie in more ranges than a list of numbers has."""


class BlockBuilder:
    """Collects numbers and yields their blocks in order; use it in a `with` block.

    Raises OSError if the disk of the temporary files is full.
    """

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="autolynx-list-")
        self._buckets: set[int] = set()
        self._waiting: list[Numbers] = []
        self._waiting_count = 0
        self.numbers = 0
        """How many different numbers the blocks contain, once they were built."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def add(self, numbers: Numbers) -> None:
        """Add numbers: the digits of E.164 as whole numbers. Raises TooScattered.

        The numbers are sorted and written once there are SORTED_NUMBERS of them.
        """
        self._waiting.append(numbers)
        self._waiting_count += len(numbers)
        if self._waiting_count >= SORTED_NUMBERS:
            self._write()

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks by ascending id; each number counts once.

        Raises TooScattered.
        """
        self._write()
        for bucket in sorted(self._buckets):
            file = self._file(bucket)
            contained = np.zeros(BUCKET_NUMBERS, np.uint8)
            contained[np.fromfile(file, np.uint32)] = 1
            file.unlink()
            self.numbers += int(np.count_nonzero(contained))
            yield from _blocks(bucket * (BUCKET_NUMBERS // BLOCK_NUMBERS), contained)

    def _write(self) -> None:
        """Append the collected numbers to the files of their buckets.

        Raises TooScattered before it creates a file for each of too many buckets.
        """
        if not self._waiting_count:
            return
        ordered = np.sort(np.concatenate(self._waiting))
        self._waiting, self._waiting_count = [], 0
        buckets, offsets = np.divmod(ordered, BUCKET_NUMBERS)
        offsets = offsets.astype(np.uint32)
        starts = np.flatnonzero(np.diff(buckets, prepend=-1))
        self._buckets.update(buckets[starts].tolist())
        if len(self._buckets) > MOST_BUCKETS:
            raise TooScattered
        for start, end in pairwise([*starts.tolist(), len(ordered)]):
            with self._file(int(buckets[start])).open("ab") as file:
                offsets[start:end].tofile(file)

    def _file(self, bucket: int) -> Path:
        return Path(self._folder.name) / str(bucket)


def _blocks(first: int, contained: NDArray[np.uint8]) -> Iterator[Block]:
    """Yield the blocks of a bucket that have a number; `contained` is 1 for each."""
    packed = np.packbits(contained, bitorder="little").reshape(-1, BLOCK_NUMBERS // 8)
    for own in np.flatnonzero(packed.any(axis=1)).tolist():
        yield Block(first + own, packed[own].tobytes())


def block_of(number: str) -> tuple[int, int]:
    """Return the block of an E.164 number and the place of its bit."""
    return divmod(int(number.removeprefix("+")), BLOCK_NUMBERS)


class BlockIds:
    """The ids of a version's blocks, as stored with the version."""

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self._ids = ids

    @classmethod
    def of(cls, ids: list[int]) -> Self:
        """Return the sorted ids."""
        return cls(np.sort(np.array(ids, np.int64)))

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Read what `to_bytes` wrote. Raises ValueError for anything else."""
        try:
            gaps = np.frombuffer(zlib.decompress(stored), np.int64)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        return cls(np.cumsum(gaps))

    def to_bytes(self) -> bytes:
        """Return the ids in a compact form."""
        return zlib.compress(np.diff(self._ids, prepend=0).tobytes())

    def digest(self) -> str:
        """Return the SHA-256 of the ids in hex."""
        return hashlib.sha256(self._ids.tobytes()).hexdigest()

    def among(self, numbers: Numbers) -> NDArray[np.intp]:
        """Return the indices of those numbers that lie in one of these blocks."""
        blocks = numbers // BLOCK_NUMBERS
        at = np.searchsorted(self._ids, blocks)
        inside = at < len(self._ids)
        inside[inside] = self._ids[at[inside]] == blocks[inside]
        return np.flatnonzero(inside)

    def __contains__(self, id_: int) -> bool:
        at = int(np.searchsorted(self._ids, id_))
        return at < len(self._ids) and int(self._ids[at]) == id_

    def __len__(self) -> int:
        return len(self._ids)
