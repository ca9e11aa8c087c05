"""Cutting of a contact file into records by RFC 4180, with Python's strict `csv`.

If a quoted field is malformed (text after the closing quote, or no closing quote within
128 Ki characters or before the end), only the line in which its record starts is
malformed, and reading continues with the next line.
"""

import csv
import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import chain
from typing import TypedDict

from application.contacts.files.formats.text_decoder import UNDECODABLE

LONGEST_RECORD = 64 * 1024
"""Characters, including line ends; a longer record is malformed."""

TOO_LONG = f"The row is longer than {LONGEST_RECORD:,} characters."

LOOK_AHEAD = 128 * 1024
"""Characters within which an open quote must be closed."""

KEPT_OF_A_HUGE_RECORD = 1024
"""Characters that are kept of a record that is too long."""

_UNSTORABLE = re.compile(f"\0|{UNDECODABLE}+")

FEW_LINES = 16
"""A malformed record of at most this many lines costs one line, a longer one all."""


class LineCutter:
    """Cuts text into lines, including their ends.

    At most LOOK_AHEAD + 1 characters of a line are kept.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0

    def cut(self, text: str, *, final: bool) -> list[str]:
        # A line ends in the text itself, or with what follows the CR that ended
        # the last one.
        cr_waits = bool(self._parts) and self._parts[-1].endswith("\r")
        if not (final or cr_waits or "\n" in text or "\r" in text):
            self._hold(text)
            return []
        lines = list(StringIO("".join((*self._parts, text)), newline=""))
        self._parts, self._length = [], 0
        if lines and not final and not lines[-1].endswith("\n"):
            self._hold(lines.pop())
        return [_shortened(line) for line in lines] if _huge(lines) else lines

    def _hold(self, text: str) -> None:
        # The end of what is cut off still tells whether a CR came last.
        room = max(LOOK_AHEAD + 1 - self._length, 0)
        kept = text[:room]
        if len(kept) < len(text) and text.endswith("\r"):
            kept += "\r"
        if kept:
            self._parts.append(kept)
            self._length += len(kept)


def _huge(lines: list[str]) -> bool:
    return max(map(len, lines), default=0) > LOOK_AHEAD


def _shortened(line: str) -> str:
    return line[: LOOK_AHEAD + 1]


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be taken, whatever its cells say."""

    cells: tuple[str, ...]
    message: str


type Record = list[str] | BadRecord


class LineSupply:
    """Lines for a csv reader, starting at `begin`.

    `dry` is set when the reader asks for more lines than there are.
    """

    def __init__(self, lines: list[str], begin: int) -> None:
        self.dry = False
        self.lines = chain(lines[begin:], self._run_dry())

    def _run_dry(self) -> Iterator[str]:
        self.dry = True
        yield from ()


class _Options(TypedDict):
    """Arguments of `csv.reader`."""

    delimiter: str
    skipinitialspace: bool
    strict: bool


class RecordCutter:
    """Cuts lines into records: cells ([] for an empty line) or a BadRecord.

    `skip_space` leaves out spaces after separators, where quotes may follow.
    """

    def __init__(self, delimiter: str, *, skip_space: bool = False) -> None:
        self._options = _Options(
            delimiter=delimiter, skipinitialspace=skip_space, strict=True
        )
        self._waiting: list[str] = []

    def cut(self, lines: list[str], *, final: bool) -> Iterator[Record]:
        lines, self._waiting = self._waiting + lines, []
        text = "".join(lines)
        tidy = _tidy(lines, text)
        if tidy and '"' not in text:
            yield from _reader(lines, self._options)
            return
        at = 0
        while at < len(lines):
            at = yield from self._cut_quoted(lines, at, tidy=tidy, final=final)

    def _cut_quoted(
        self, lines: list[str], begin: int, *, tidy: bool, final: bool
    ) -> Generator[Record, None, int]:
        """Yield records up to the first malformed one; return where to continue."""
        start, supply = begin, LineSupply(lines, begin)
        reader = csv.reader(supply.lines, **self._options)
        try:
            for cells in reader:
                end = start + reader.line_num
                if tidy and end - begin == 1:
                    yield cells
                elif end_beyond_look_ahead(lines, begin, end - 1):
                    break
                else:
                    yield _checked(cells, lines[begin:end])
                begin = end
            else:
                return begin
        except csv.Error:
            pass  # The record at `begin` is malformed or not complete: see below.
        end = start + reader.line_num
        too_far = end_beyond_look_ahead(lines, begin, end)
        if supply.dry and not too_far and not final:
            self._waiting = lines[begin:]
            return len(lines)
        return (yield from self._each_alone(lines, begin, too_far or end))

    def _each_alone(
        self, lines: list[str], begin: int, end: int
    ) -> Generator[Record, None, int]:
        """Yield the first line of a malformed record; of a long record, each line.

        Looking ahead from every line of a long record would take quadratic time.
        """
        end = end if end - begin > FEW_LINES else begin + 1
        for line in lines[begin:end]:
            yield self._alone(line)
        return end

    def _alone(self, line: str) -> Record:
        try:
            return _checked(next(_reader([line], self._options)), [line])
        except csv.Error:
            return _uncut(line, "A quoted field is not closed, or goes on after it.")


def _reader(lines: Iterable[str], options: _Options) -> Iterator[list[str]]:
    return csv.reader(lines, **options)


def _tidy(lines: list[str], text: str) -> bool:
    """Return whether each line that is a whole record is well-formed.

    `text` is all lines together.
    """
    longest = max(map(len, lines), default=0)
    return longest <= LONGEST_RECORD and "\0" not in text and UNDECODABLE not in text


def end_beyond_look_ahead(lines: list[str], begin: int, end: int) -> int | None:
    """Return the line after which the look-ahead is exceeded; None if it is not."""
    length = 0
    for at in range(begin, end):
        length += len(lines[at])
        if length > LOOK_AHEAD:
            return at + 1
    return None


def _checked(cells: list[str], lines: list[str]) -> Record:
    if sum(map(len, lines)) > LONGEST_RECORD:
        return _uncut("".join(lines), "")
    if any("\0" in line for line in lines):
        return BadRecord(_storable(cells), "The row holds a NUL character.")
    if any(UNDECODABLE in line for line in lines):
        message = (
            "The row holds bytes that do not fit the encoding of the file: save the"
            " whole file as UTF-8."
        )
        return BadRecord(_storable(cells), message)
    return cells


def _uncut(text: str, message: str) -> BadRecord:
    if len(text) > LONGEST_RECORD:
        text = text[:KEPT_OF_A_HUGE_RECORD]
        message = TOO_LONG
    return BadRecord(_storable([text.rstrip("\r\n")]), message)


def _storable(cells: Iterable[str]) -> tuple[str, ...]:
    return tuple(_UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", cell) for cell in cells)
