"""Numbers as bits: 10,000 numbers a block, in bounded memory however many there are.

Numbers arrive in any order. They are sorted into temporary files, one for each ten
million numbers, and each file then becomes up to 1,000 blocks.
"""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

BLOCK_NUMBERS = 10_000
BLOCK_BYTES = BLOCK_NUMBERS // 8
BUCKET_NUMBERS = 10_000_000
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
        """Add numbers: the digits of E.164 as whole numbers. Raises TooScattered."""
        if not len(numbers):
            return
        ordered = np.sort(numbers)
        buckets = ordered // BUCKET_NUMBERS
        starts = np.flatnonzero(np.diff(buckets, prepend=-1))
        for start, end in zip(starts, [*starts[1:], len(ordered)], strict=True):
            bucket = int(buckets[start])
            offsets = (ordered[start:end] - bucket * BUCKET_NUMBERS).astype(np.uint32)
            self._buckets.add(bucket)
            with self._file(bucket).open("ab") as file:
                file.write(offsets.tobytes())
        if len(self._buckets) > MOST_BUCKETS:
            raise TooScattered

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks by ascending id; each number counts once."""
        for bucket in sorted(self._buckets):
            file = self._file(bucket)
            offsets = np.unique(np.frombuffer(file.read_bytes(), np.uint32))
            file.unlink()
            self.numbers += len(offsets)
            yield from _blocks(bucket * (BUCKET_NUMBERS // BLOCK_NUMBERS), offsets)

    def _file(self, bucket: int) -> Path:
        return Path(self._folder.name) / str(bucket)


def _blocks(first: int, offsets: NDArray[np.uint32]) -> Iterator[Block]:
    blocks = offsets // BLOCK_NUMBERS
    for own in np.unique(blocks):
        start, end = np.searchsorted(blocks, [own, own + 1])
        bits = np.zeros(BLOCK_NUMBERS, np.uint8)
        bits[offsets[start:end] - own * BLOCK_NUMBERS] = 1
        packed = np.packbits(bits, bitorder="little").tobytes()
        yield Block(first + int(own), packed)


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

    def places_of(self, numbers: Sequence[str]) -> list[tuple[int, int, int]]:
        """Return for each E.164 number in one of these blocks where it is.

        A place is the index of the number in `numbers`, its block and its bit.
        """
        digits = np.array([int(number[1:]) for number in numbers], np.int64)
        blocks, bits = np.divmod(digits, BLOCK_NUMBERS)
        at = np.flatnonzero(np.isin(blocks, self._ids))
        found = (at.tolist(), blocks[at].tolist(), bits[at].tolist())
        return list(zip(*found, strict=True))

    def __contains__(self, id_: int) -> bool:
        at = int(np.searchsorted(self._ids, id_))
        return at < len(self._ids) and int(self._ids[at]) == id_

    def __len__(self) -> int:
        return len(self._ids)
