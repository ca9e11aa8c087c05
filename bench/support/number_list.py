"""A synthetic do-not-call list as a stream of text lines, and numbers not in it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bench.support.contact_files import AREAS

AREA_NUMBERS = 10_000_000
PART = 720_000
"""Numbers of each area code that are listed, 7 %, as in the US registry of 2025."""

_STEP = 7_368_787
"""Has no common divisor with AREA_NUMBERS: the listed numbers differ and scatter."""

_LINES = 100_000
_DIGITS = 10


class NumberList:
    """A list of different numbers in about `size` / PART area codes, in mixed order."""

    def __init__(self, size: int) -> None:
        self.size = size
        count = max(size // PART, 1)
        more = (area for area in range(201, 1_000) if area not in AREAS)
        self._areas = np.array([*AREAS, *more][:count], np.int64)

    def lines(self) -> Iterator[bytes]:
        """Yield the file in pieces of 100,000 lines of ten digits."""
        tens = 10 ** np.arange(_DIGITS - 1, -1, -1, dtype=np.int64)
        for start in range(0, self.size, _LINES):
            numbers = self._numbers(start, min(start + _LINES, self.size))
            text = np.full((len(numbers), _DIGITS + 1), ord("\n"), np.uint8)
            text[:, :_DIGITS] = numbers[:, None] // tens % 10 + ord("0")
            yield text.tobytes()

    def others(self, count: int) -> list[str]:
        """Return E.164 numbers that are not listed, in real area codes of the list."""
        known, areas = min(len(AREAS), len(self._areas)), len(self._areas)
        first = -(-self.size // areas)
        at = [(first + n) * areas + n % known for n in range(count)]
        return [f"+1{number}" for number in self._of(np.array(at, np.int64)).tolist()]

    def _numbers(self, start: int, end: int) -> NDArray[np.int64]:
        return self._of(np.arange(start, end, dtype=np.int64))

    def _of(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        place, area = np.divmod(at, len(self._areas))
        numbers: NDArray[np.int64] = (
            self._areas[area] * AREA_NUMBERS + place * _STEP % AREA_NUMBERS
        )
        return numbers
