"""A contact file, read as it arrives: every row is accepted or skipped with a reason.

Chunks may be cut anywhere; where they are cut never changes the result.

How it is decoded. A byte order mark decides. Without one the file is UTF-8 unless it
is not valid UTF-8; then it is Windows-1252. ASCII reads alike in both, so the question
arises at the first other byte, and from there up to 1 MiB is held back until it is
answered. What was valid UTF-8 that long stays UTF-8: an invalid byte after that makes
the file undecodable, since rows that were read before cannot be read again.

How it is cut into records. As RFC 4180 has it, told by Python's `csv` in strict mode.
Where a quoted field goes wrong (text after the closing quote, or no closing quote
within 128 Ki characters or before the end), only the line in which its record began is
malformed; reading goes on with the line after it.
"""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import chain

from application.contacts.first_rows import FirstRows, key_of
from application.contacts.phone_cell import InvalidPhone
from application.contacts.phone_numbers import PhoneReader, phone_reader, with_extension
from application.errors import Failure
from domain.values import SkipReason

LONGEST_RECORD = 64 * 1024
"""In characters, line ends included; a longer record is malformed."""

OWN_COLUMNS = ("row", "reason", "message")
"""What a file of rejects has in front of the columns of the file they were in.

A file that begins with these columns is read as if it did not have them.
"""

REQUIRED_COLUMNS = ("name", "business_name", "phone")
_DELIMITERS = (",", ";", "\t")
_LOOK_AHEAD = 128 * 1024  # Characters in which an open quote must be closed.
_HELD_BACK = 1024 * 1024  # Bytes that tell UTF-8 from Windows-1252.
_KEPT_OF_A_HUGE_RECORD = 1024  # Characters.
_FEW_LINES = 16
_NOT_ASCII = re.compile(rb"[\x80-\xff]")


class UnreadableFile(Failure):
    """The file as a whole cannot be taken; the message says what is wrong with it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    """`row` is the record's number, the header being 1; `phone` is E.164.

    `extension` is the digits to dial once the call is answered. `given` is the file's
    own cells of name, business name and phone; None where they are the same.
    """

    row: int
    name: str
    business_name: str
    phone: str
    variables: dict[str, str]
    given: tuple[str, str, str] | None = None
    extension: str | None = None


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """`cells` are as they stood in the file; of a bad record, its text as one cell.

    NUL, which Postgres cannot hold, stands there as U+FFFD.
    """

    row: int
    reason: SkipReason
    message: str
    cells: tuple[str, ...]


type Row = AcceptedRow | SkippedRow


class ContactFile:
    """Reads one file: `feed` it its bytes in order, then `finish`.

    Both raise `UnreadableFile`, after which the file is of no more use.
    """

    def __init__(self, default_region: str, *, any_kind: bool = False) -> None:
        """Read numbers without `+` in that region.

        `any_kind` accepts premium-rate, shared-cost, pager, satellite and universal
        access numbers too.
        """
        self._text = _Text()
        self._lines = _Lines()
        self._header: list[str] = []
        self._records: _Records | None = None
        self._rows: _Rows | None = None
        self._read_phone = phone_reader(default_region, any_kind=any_kind)

    @property
    def columns(self) -> tuple[str, ...]:
        """The header's names, trimmed, once it has been read; until then nothing."""
        return self._rows.columns if self._rows else ()

    def feed(self, chunk: bytes) -> list[Row]:
        """Return the rows that are complete with this chunk."""
        return self._read(chunk, final=False)

    def finish(self) -> list[Row]:
        """Return the last rows."""
        rows = self._read(b"", final=True)
        if self._rows is None:
            raise UnreadableFile("The file is empty: it has no header row.")
        if self._rows.count == 0:
            raise UnreadableFile("The file has a header but no row below it.")
        return rows

    def _read(self, chunk: bytes, *, final: bool) -> list[Row]:
        lines = self._lines.cut(self._decoded(chunk, final=final), final=final)
        if self._rows is None:
            self._header += lines
            lines = self._read_header(final=final)
        if self._rows is None or self._records is None or not (lines or final):
            return []
        return self._rows.judge(self._records.cut(lines, final=final))

    def _decoded(self, chunk: bytes, *, final: bool) -> str:
        try:
            return self._text.decode(chunk, final=final)
        except UnicodeDecodeError as error:
            seen = self._rows.number if self._rows else 0
            raise UnreadableFile(
                f"The file cannot be decoded as {error.encoding} somewhere after row"
                f" {seen}. Save it as UTF-8 (or Windows-1252) throughout."
            ) from error

    def _read_header(self, *, final: bool) -> list[str]:
        """Take the header off the lines so far; return those below it."""
        found = _find_header(self._header, final=final)
        if found is None:
            return []
        self._rows = _Rows(found.cells, self._read_phone)
        self._records = _Records(found.delimiter)
        below, self._header = self._header[found.height :], []
        return below


class _Text:
    """Bytes to text, by byte order mark or by what the bytes can be."""

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None
        self._held = bytearray()
        self._started = False

    def decode(self, chunk: bytes, *, final: bool) -> str:
        if self._decoder is None:
            self._held += chunk
            if not self._started:
                self._start(final=final)
        if self._decoder is not None:
            return self._decoder.decode(self._released() or chunk, final)
        return self._decode_undecided(final=final) if self._started else ""

    def _start(self, *, final: bool) -> None:
        self._started = final or len(self._held) >= len(codecs.BOM_UTF8)
        if not self._started:
            return
        if self._held.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._decoder = _decoder("utf-16")
        elif self._held.startswith(codecs.BOM_UTF8):
            self._decoder = _decoder("utf-8-sig")

    def _decode_undecided(self, *, final: bool) -> str:
        other = _NOT_ASCII.search(self._held)
        if other is None:
            return self._released().decode("ascii")
        plain = self._held[: other.start()].decode("ascii")
        del self._held[: other.start()]
        if len(self._held) < _HELD_BACK and not final:
            return plain
        self._decoder = _decoder(_encoding_of(self._held[:_HELD_BACK], final=final))
        return plain + self._decoder.decode(self._released(), final)

    def _released(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding)()


def _encoding_of(sample: bytes | bytearray, *, final: bool) -> str:
    whole = final and len(sample) < _HELD_BACK
    try:
        _decoder("utf-8").decode(sample, whole)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


class _Lines:
    """Text to lines with their ends; no line is held beyond the look-ahead."""

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
        room = max(_LOOK_AHEAD + 1 - self._length, 0)
        kept = text[:room]
        if len(kept) < len(text) and text.endswith("\r"):
            kept += "\r"
        if kept:
            self._parts.append(kept)
            self._length += len(kept)


def _huge(lines: list[str]) -> bool:
    return max(map(len, lines), default=0) > _LOOK_AHEAD


def _shortened(line: str) -> str:
    return line[: _LOOK_AHEAD + 1]


@dataclass(frozen=True, slots=True)
class _Bad:
    """A record that cannot be taken, whatever its cells say."""

    cells: tuple[str, ...]
    message: str


type _Record = list[str] | _Bad


class _Supply:
    """Lines for a csv reader, from one on; `dry` says that one more was wanted."""

    def __init__(self, lines: list[str], begin: int) -> None:
        self.dry = False
        self.lines = chain(lines[begin:], self._run_dry())

    def _run_dry(self) -> Iterator[str]:
        self.dry = True
        yield from ()


class _Records:
    """Lines to records: cells, [] for an empty line, or what is wrong with it."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._waiting: list[str] = []

    def cut(self, lines: list[str], *, final: bool) -> Iterator[_Record]:
        lines, self._waiting = self._waiting + lines, []
        if _tidy(lines) and not any('"' in line for line in lines):
            yield from _reader(lines, self._delimiter)
            return
        at, tidy = 0, _tidy(lines)
        while at < len(lines):
            at = yield from self._cut_quoted(lines, at, tidy=tidy, final=final)

    def _cut_quoted(
        self, lines: list[str], begin: int, *, tidy: bool, final: bool
    ) -> Generator[_Record, None, int]:
        """Yield records up to and with the first bad one; return where to go on."""
        start, supply = begin, _Supply(lines, begin)
        reader = csv.reader(supply.lines, delimiter=self._delimiter, strict=True)
        try:
            for cells in reader:
                end = start + reader.line_num
                if tidy and end - begin == 1:
                    yield cells
                elif _too_far(lines, begin, end - 1):
                    break
                else:
                    yield _checked(cells, lines[begin:end])
                begin = end
            else:
                return begin
        except csv.Error:
            pass  # Told below: the record at `begin` is bad or not complete.
        end = start + reader.line_num
        too_far = _too_far(lines, begin, end)
        if supply.dry and not too_far and not final:
            self._waiting = lines[begin:]
            return len(lines)
        return (yield from self._each_alone(lines, begin, too_far or end))

    def _each_alone(
        self, lines: list[str], begin: int, end: int
    ) -> Generator[_Record, None, int]:
        """Yield the first line of a bad record as bad; of a long one, each line.

        Looking far ahead again from every line would take for ever on a file made
        for that.
        """
        end = end if end - begin > _FEW_LINES else begin + 1
        for line in lines[begin:end]:
            yield self._alone(line)
        return end

    def _alone(self, line: str) -> _Record:
        try:
            return _checked(next(_reader([line], self._delimiter)), [line])
        except csv.Error:
            return _uncut(line, "A quoted field is not closed, or goes on after it.")


def _reader(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _tidy(lines: list[str]) -> bool:
    """Say whether a line that is a whole record is a good one."""
    longest = max(map(len, lines), default=0)
    return longest <= LONGEST_RECORD and not any("\0" in line for line in lines)


def _too_far(lines: list[str], begin: int, end: int) -> int | None:
    """Return the end of the lines that exceed the look-ahead, if these do."""
    length = 0
    for at in range(begin, end):
        length += len(lines[at])
        if length > _LOOK_AHEAD:
            return at + 1
    return None


def _checked(cells: list[str], lines: list[str]) -> _Record:
    if sum(map(len, lines)) > LONGEST_RECORD:
        return _uncut("".join(lines), "")
    if any("\0" in line for line in lines):
        return _Bad(_without_nul(cells), "The row holds a NUL character.")
    return cells


def _uncut(text: str, message: str) -> _Bad:
    if len(text) > LONGEST_RECORD:
        text = text[:_KEPT_OF_A_HUGE_RECORD]
        message = f"The row is longer than {LONGEST_RECORD:,} characters."
    return _Bad(_without_nul([text.rstrip("\r\n")]), message)


def _without_nul(cells: Iterable[str]) -> tuple[str, ...]:
    return tuple(cell.replace("\0", "\N{REPLACEMENT CHARACTER}") for cell in cells)


@dataclass(frozen=True, slots=True)
class _Header:
    delimiter: str
    cells: list[str]
    height: int  # Lines.

    @property
    def likeness(self) -> tuple[int, int]:
        """How much this looks like what was meant."""
        return len({_key(cell) for cell in self.cells} & {*REQUIRED_COLUMNS}), len(
            self.cells
        )


def _find_header(lines: list[str], *, final: bool) -> _Header | None:
    """Return the header as the likeliest delimiter reads it; None if more must come."""
    if not lines:
        return None
    found = []
    for delimiter in _DELIMITERS:
        supply = _Supply(lines, 0)
        reader = csv.reader(supply.lines, delimiter=delimiter, strict=True)
        try:
            cells = next(reader)
        except csv.Error:
            if supply.dry and not final and not _too_far(lines, 0, reader.line_num):
                return None
        else:
            found.append(_Header(delimiter, cells, reader.line_num))
    if not found:
        raise UnreadableFile("The header row has a quote that is not closed.")
    header = max(found, key=lambda each: each.likeness)
    _check_header(header.cells)
    return header


def _check_header(cells: list[str]) -> None:
    if not any(cell.strip() for cell in cells):
        raise UnreadableFile("The first row is empty: it must name the columns.")
    if any("\0" in cell for cell in cells):
        raise UnreadableFile(
            "The header holds NUL characters: UTF-16 needs a byte order mark."
        )
    if sum(map(len, cells)) > LONGEST_RECORD:
        raise UnreadableFile(
            f"The header is longer than {LONGEST_RECORD:,} characters."
        )
    times = Counter(map(_key, cells))
    wrong = [f'"{name}" is missing' for name in REQUIRED_COLUMNS if not times[name]]
    wrong += [f'"{name}" is repeated' for name in REQUIRED_COLUMNS if times[name] > 1]
    if wrong:
        found = ", ".join(f'"{cell.strip()[:50]}"' for cell in cells[:50])
        raise UnreadableFile(
            f"The header's column {', '.join(wrong)}. The first row has: {found}."
        )


def _key(name: str) -> str:
    return name.strip().lower()


def _are_rejects(columns: tuple[str, ...]) -> bool:
    return tuple(map(_key, columns[: len(OWN_COLUMNS)])) == OWN_COLUMNS


class _Rows:
    """Records to rows, in one file: each is judged by itself and by those before."""

    def __init__(self, header: list[str], read_phone: PhoneReader) -> None:
        names = tuple(name.strip() for name in header)
        self._ours = len(OWN_COLUMNS) if _are_rejects(names) else 0
        header, self.columns = header[self._ours :], names[self._ours :]
        self.number = 1
        self.count = 0
        keys = [_key(name) for name in header]
        self._name, self._business, self._phone = map(keys.index, REQUIRED_COLUMNS)
        self._variables = _variables(self.columns)
        self._read_phone = read_phone
        self._first_rows = FirstRows()

    def judge(self, records: Iterable[_Record]) -> list[Row]:
        rows: list[Row] = []
        for record in records:
            self.number += 1
            if isinstance(record, _Bad):
                rows.append(self._malformed(record.cells, record.message))
            elif record and self._ours:
                cells = record[self._ours :]
                if any(cells):
                    rows.append(self._judged(cells))
            elif record:
                rows.append(self._judged(record))
        self.count += len(rows)
        return rows

    def _judged(self, cells: list[str]) -> Row:
        if len(cells) != len(self.columns):
            return self._malformed(
                tuple(cells),
                f"The row has {len(cells)} fields, the header {len(self.columns)}.",
            )
        name, written = cells[self._name].strip(), cells[self._phone].strip()
        if not name:
            return self._skipped(SkipReason.MISSING_NAME, "The name is empty.", cells)
        if not written:
            return self._skipped(
                SkipReason.MISSING_PHONE, "The phone number is empty.", cells
            )
        read = self._read_phone(written)
        if isinstance(read, InvalidPhone):
            return self._skipped(SkipReason.INVALID_PHONE, read.message, cells)
        phone, extension = read
        key = key_of(phone, extension) if extension else int(phone)
        first = self._first_rows.add(key, self.number)
        if first != self.number:
            message = f"Row {first} has {with_extension(phone, extension)} already."
            return self._skipped(SkipReason.DUPLICATE_IN_FILE, message, cells)
        variables = {key: cells[at] for at, key in self._variables}
        business = cells[self._business].strip()
        given = (cells[self._name], cells[self._business], cells[self._phone])
        same = given == (name, business, phone)
        return AcceptedRow(
            *(self.number, name, business, phone, variables),
            *(None if same else given, extension),
        )

    def _malformed(self, cells: tuple[str, ...], message: str) -> SkippedRow:
        return SkippedRow(self.number, SkipReason.MALFORMED_ROW, message, cells)

    def _skipped(
        self, reason: SkipReason, message: str, cells: list[str]
    ) -> SkippedRow:
        return SkippedRow(self.number, reason, message, tuple(cells))


def _variables(columns: tuple[str, ...]) -> list[tuple[int, str]]:
    """Return position and variable of each column that is not required.

    A repeated name gets `_2`, `_3`, ...; a column without one is `column_N`: nothing
    that stands in the file is lost.
    """
    taken, variables = set(columns), []
    given: set[str] = set()
    for at, column in enumerate(columns):
        if _key(column) in REQUIRED_COLUMNS:
            continue
        name, times = column or f"column_{at + 1}", 1
        while name in given or (times > 1 and name in taken):
            times += 1
            name = f"{column or f'column_{at + 1}'}_{times}"
        given.add(name)
        variables.append((at, name))
    return variables
