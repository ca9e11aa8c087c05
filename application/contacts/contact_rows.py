"""Rows of a contact file: its header, and which records become contacts."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from application.contacts.csv_records import (
    LONGEST_RECORD,
    BadRecord,
    LineSupply,
    Record,
    end_beyond_look_ahead,
)
from application.contacts.first_rows import FirstRows, key_of
from application.contacts.phone_cell import InvalidPhone
from application.contacts.phone_numbers import PhoneReader, with_extension
from application.errors import Failure
from domain.values import SkipReason

OWN_COLUMNS = ("row", "reason", "message")
"""Columns that a file of rejects has in front of the original file's columns.

A file that begins with these columns is read as if it did not have them.
"""

REQUIRED_COLUMNS = ("name", "business_name", "phone")
_DELIMITERS = (",", ";", "\t")


class UnreadableFile(Failure):
    """The whole file is refused; the message says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    """A row that becomes a contact.

    `row` is the record's number, the header being 1; `phone` is E.164.

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
    """A row that does not become a contact, with the reason.

    `cells` are the file's; a malformed record is one cell with its text. NUL, which
    Postgres cannot store, is replaced by U+FFFD.
    """

    row: int
    reason: SkipReason
    message: str
    cells: tuple[str, ...]


type Row = AcceptedRow | SkippedRow


@dataclass(frozen=True, slots=True)
class Header:
    delimiter: str
    cells: list[str]
    height: int  # Lines.

    @property
    def likeness(self) -> tuple[int, int]:
        """The number of required columns found, then of all columns."""
        return len(
            {column_key(cell) for cell in self.cells} & {*REQUIRED_COLUMNS}
        ), len(self.cells)


def find_header(lines: list[str], *, final: bool) -> Header | None:
    """Return the header by the likeliest delimiter; None if it is not complete yet.

    Raises UnreadableFile if there is no usable header.
    """
    if not lines:
        return None
    found = []
    for delimiter in _DELIMITERS:
        supply = LineSupply(lines, 0)
        reader = csv.reader(supply.lines, delimiter=delimiter, strict=True)
        try:
            cells = next(reader)
        except csv.Error:
            if (
                supply.dry
                and not final
                and not end_beyond_look_ahead(lines, 0, reader.line_num)
            ):
                return None
        else:
            found.append(Header(delimiter, cells, reader.line_num))
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
    times = Counter(map(column_key, cells))
    wrong = [f'"{name}" is missing' for name in REQUIRED_COLUMNS if not times[name]]
    wrong += [f'"{name}" is repeated' for name in REQUIRED_COLUMNS if times[name] > 1]
    if wrong:
        found = ", ".join(f'"{cell.strip()[:50]}"' for cell in cells[:50])
        raise UnreadableFile(
            f"The header's column {', '.join(wrong)}. The first row has: {found}."
        )


def column_key(name: str) -> str:
    return name.strip().lower()


def _are_rejects(columns: tuple[str, ...]) -> bool:
    return tuple(map(column_key, columns[: len(OWN_COLUMNS)])) == OWN_COLUMNS


class RowReader:
    """Turns the records of one file into rows; finds duplicates among them."""

    def __init__(self, header: list[str], read_phone: PhoneReader) -> None:
        names = tuple(name.strip() for name in header)
        self._ours = len(OWN_COLUMNS) if _are_rejects(names) else 0
        header, self.columns = header[self._ours :], names[self._ours :]
        self.number = 1
        self.count = 0
        keys = [column_key(name) for name in header]
        self._name, self._business, self._phone = map(keys.index, REQUIRED_COLUMNS)
        self._variables = _variables(self.columns)
        self._read_phone = read_phone
        self._first_rows = FirstRows()

    def judge(self, records: Iterable[Record]) -> list[Row]:
        rows: list[Row] = []
        for record in records:
            self.number += 1
            if isinstance(record, BadRecord):
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
    in the file is lost.
    """
    taken, variables = set(columns), []
    given: set[str] = set()
    for at, column in enumerate(columns):
        if column_key(column) in REQUIRED_COLUMNS:
            continue
        name, times = column or f"column_{at + 1}", 1
        while name in given or (times > 1 and name in taken):
            times += 1
            name = f"{column or f'column_{at + 1}'}_{times}"
        given.add(name)
        variables.append((at, name))
    return variables
