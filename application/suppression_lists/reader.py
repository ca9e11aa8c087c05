"""Reads suppression lists as registries and vendors give them.

A line has one number, or an area code and a number, or it is a record of a CSV file
with a column of numbers. A line that cannot be read refuses the whole file: a number
that is left out silently would be called.
"""

import csv
import re
from collections.abc import Iterable, Iterator

import numpy as np

from application.errors import UnreadableList
from application.suppression_lists.blocks import Numbers

NORTH_AMERICA = frozenset({"US", "CA"})
"""Regions whose numbers may be written as ten digits, without a country code."""

LONGEST_LINE = 4_096
NAMES = (
    "phone",
    "phonenumber",
    "number",
    "telephone",
    "telephonenumber",
    "mobile",
    "cell",
    "msisdn",
    "e164",
)
"""Names of a column of numbers, in lower case without separators."""

_DIGITS = re.compile(r"[+(]?[\d() .\-]{7,24}")
_CHANGES = re.compile(r"^[\d,\-: ./T]*,\s*[AD]\s*$")
_NEWLINE = 10
_ZERO, _NINE = ord("0"), ord("9")
_NATIONAL, _WITH_ONE = 10, 11
_LONGEST = 15
_SEPARATORS = frozenset(b',;- \r\n"+')


class ListReader:
    """Turns the bytes of a file into numbers, piece by piece.

    `region` is that of numbers without a country code.
    """

    def __init__(self, region: str) -> None:
        self._ten_digits = region in NORTH_AMERICA
        self._rest = b""
        self._line = 0
        self._column: int | None = None
        self._is_first = True

    def feed(self, piece: bytes) -> Iterator[Numbers]:
        """Yield the numbers of all complete lines. Raises UnreadableList."""
        data = self._rest + piece
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        if not end and len(self._rest) > LONGEST_LINE:
            raise UnreadableList("A line is longer than 4,096 bytes: send a text file.")
        if end:
            yield self._read(data[:end])

    def finish(self) -> Iterator[Numbers]:
        """Yield the numbers of the last line, which may have no line break."""
        if self._rest.strip():
            yield self._read(self._rest.rstrip(b"\r") + b"\n")
        self._rest = b""

    def _read(self, lines: bytes) -> Numbers:
        if not self._is_first and self._column is None:
            fast = _fixed_width(lines)
            if fast is not None and self._ten_digits:
                self._line += lines.count(b"\n")
                return fast
        return np.fromiter(self._slowly(lines), np.int64)

    def _slowly(self, lines: bytes) -> Iterator[int]:
        try:
            text = lines.decode("utf-8-sig" if self._is_first else "utf-8")
        except UnicodeDecodeError:
            text = lines.decode("latin-1")
        for line in text.splitlines():
            self._line += 1
            if not line.strip():
                continue
            number = self._number(line)
            if number is not None:
                yield number
            self._is_first = False

    def _number(self, line: str) -> int | None:
        """Return the number of a line, None for the header."""
        if _CHANGES.match(line):
            raise self._error(
                line, "is a line of a list of changes; send the complete list"
            )
        cells = next(csv.reader([line])) if "," in line or '"' in line else [line]
        if self._column is None and self._is_first:
            self._column = _named_column(cells)
            if self._column is not None:
                return None
        number = self._from_cells(cells)
        if number is None:
            raise self._error(line, "has no phone number")
        return number

    def _from_cells(self, cells: list[str]) -> int | None:
        if self._column is not None:
            cell = cells[self._column] if self._column < len(cells) else ""
            return self._digits(cell)
        filled = [cell for cell in cells if cell.strip()]
        if len(filled) == 2 and len(filled[0].strip()) == 3:  # noqa: PLR2004 - area code and number
            return self._digits(filled[0].strip() + filled[1].strip())
        return self._digits(filled[0]) if filled else None

    def _digits(self, cell: str) -> int | None:
        text = cell.strip().strip("'\"")
        if not _DIGITS.fullmatch(text):
            return None
        digits = re.sub(r"\D", "", text)
        if self._ten_digits and len(digits) == _NATIONAL and not text.startswith("+"):
            digits = f"1{digits}"
        is_whole = text.startswith("+") or len(digits) >= _WITH_ONE
        return int(digits) if is_whole and len(digits) <= _LONGEST else None

    def _error(self, line: str, problem: str) -> UnreadableList:
        shown = line.strip()[:60]
        return UnreadableList(
            f"Line {self._line:,} ({shown!r}) {problem}. A line must have a number, an"
            " area code and a number, or belong to a CSV file with a column `phone`."
        )


def _named_column(cells: Iterable[str]) -> int | None:
    names = [re.sub(r"[\s_\-.]", "", cell).lower() for cell in cells]
    return next((names.index(name) for name in NAMES if name in names), None)


def _fixed_width(lines: bytes) -> Numbers | None:
    """Read lines of equal form with ten digits, or eleven that begin with 1.

    None if the lines differ in form: they are then read one by one.
    """
    width = lines.find(b"\n") + 1
    if len(lines) % width:
        return None
    table = np.frombuffer(lines, np.uint8).reshape(-1, width)
    is_digit = (table >= _ZERO) & (table <= _NINE)
    digits = is_digit.all(axis=0)
    others = table[:, ~digits]
    same_form = (table[:, -1] == _NEWLINE).all() and (others == others[0]).all()
    if not same_form or not set(others[0].tobytes()) <= _SEPARATORS:
        return None
    return _north_american(table[:, digits].astype(np.int64) - _ZERO)


def _north_american(digits: Numbers) -> Numbers | None:
    """Return the numbers of rows of ten digits, or of eleven that begin with 1."""
    count = digits.shape[1]
    if count not in (_NATIONAL, _WITH_ONE):
        return None
    numbers: Numbers = digits @ (10 ** np.arange(count - 1, -1, -1, dtype=np.int64))
    national = 10**_NATIONAL
    if count == _NATIONAL:
        return numbers + np.int64(national)
    return numbers if (numbers // national == 1).all() else None
