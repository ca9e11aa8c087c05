"""The first row of each phone number in a file: finds the duplicates."""

from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b

_QUICK_NUMBERS = 1 << 18
_EXTENDED = 1 << 63  # E.164 has 15 digits at most, which take 50 bits.


def key_of(phone: str, extension: str) -> int:
    """Return a 64-bit key of a number with an extension: a hash of both.

    It differs from every number without an extension, whose key is the number itself.
    The hash has 63 bits: the probability that two of five million extensions in one
    file share a key is below 10^-5.
    """
    named = blake2b(f"{phone};ext={extension}".encode(), digest_size=8).digest()
    return int.from_bytes(named) | _EXTENDED


class FirstRows:
    """Maps keys to rows: quick while small, compact (30 to 90 bytes each) beyond.

    Python's own dict takes 150 bytes a number, too much for the largest files.
    """

    def __init__(self) -> None:
        self._few: dict[int, int] = {}
        self._slots, self._rows = array("Q"), array("I")
        self._room = 0

    def add(self, key: int, row: int) -> int:
        """Return the first row with this key: `row` itself if the key is new."""
        if self._slots:
            return self._add_to_slots(key, row)
        first = self._few.setdefault(key, row)
        if len(self._few) > _QUICK_NUMBERS:
            self._spread(self._few.items(), 4 * _QUICK_NUMBERS)
            self._few = {}
        return first

    def _add_to_slots(self, key: int, row: int) -> int:
        slots, mask = self._slots, len(self._slots) - 1
        # Multiplied, since the numbers of one exchange follow each other.
        at = (key * 0x9E3779B97F4A7C15 >> 24) & mask
        while there := slots[at]:
            if there == key:
                return self._rows[at]
            at = (at + 1) & mask
        slots[at], self._rows[at] = key, row
        self._room -= 1
        if not self._room:
            self._spread(self._filled(slots, self._rows), 4 * len(slots))
        return row

    def _spread(self, known: Iterable[tuple[int, int]], size: int) -> None:
        self._slots, self._rows = (
            array("Q", bytes(8 * size)),
            array("I", bytes(4 * size)),
        )
        self._room = size * 2 // 3
        for key, row in known:
            self._add_to_slots(key, row)

    @staticmethod
    def _filled(slots: array[int], rows: array[int]) -> Iterator[tuple[int, int]]:
        return ((key, row) for key, row in zip(slots, rows, strict=True) if key)
