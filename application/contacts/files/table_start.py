"""Where the table of a contact file begins: its separator and its header row.

A `sep=` line, as spreadsheets write it, names the separator. The header is the first
row that is not empty. A title above the table is skipped if a row below it names a
phone column, or if the title is a single cell and the next row is wider.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from application.contacts.files.column_names import ColumnRole, column_key, visible
from application.contacts.files.columns import (
    Columns,
    InvalidMapping,
    Overrides,
    find_phone_by_content,
    is_phone,
    recognise,
)
from application.contacts.files.formats.csv_records import (
    LONGEST_RECORD,
    LOOK_AHEAD,
    BadRecord,
    Record,
    RecordCutter,
)
from application.contacts.files.spreadsheet_text import unprotected
from application.contacts.files.unreadable import MappingNeeded, UnreadableFile
from application.contacts.phone_numbers import PhoneReader

OWN_COLUMNS = ("row", "reason", "message")
"""Columns that a file of rejects has in front of the original file's columns.

A file that begins with these columns is read as if it did not have them.
"""

HEAD_LINES = 60
"""Lines from which the table's start is found."""

SHOWN_ROWS = 5
_HEADER_WITHIN = 20  # Rows.
_DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR_LINE = "sep="
_SPACED_FIELD = re.compile(' +"')


@dataclass(frozen=True, slots=True)
class TableStart:
    """The separator, the columns, and the rows before the table's data.

    `skipped_lines` are the lines of text before the first record (a `sep=` line), which
    no spreadsheet counts; `header_row` is the header's record number from 1. The first
    `own_columns` columns of each row are those of our own file of rejects. With
    `skip_space`, spaces after separators are left out.
    """

    delimiter: str
    skipped_lines: int
    header_row: int
    columns: Columns
    own_columns: int = 0
    skip_space: bool = False


class HeadLines:
    """Collects the first lines of a file until they suffice to find the table."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, lines: list[str], *, final: bool) -> list[str] | None:
        """Return all lines so far once they suffice, else None."""
        self._lines += lines
        if final or len(self._lines) >= HEAD_LINES:
            return self._lines
        return self._lines if sum(map(len, self._lines)) > 2 * LOOK_AHEAD else None


def find_table(
    lines: Sequence[str],
    *,
    overrides: Overrides,
    read_phone: PhoneReader,
    delimiter: str | None = None,
) -> TableStart:
    """Find the table in a file's first lines; more of them change nothing.

    `delimiter` is the separator if it is known.

    Raises:
        MappingNeeded: no column is known to hold the phone numbers.
        UnreadableFile: there is no header row.
    """
    head = _head(lines)
    skipped = 0
    if head and delimiter is None and _is_separator_line(head[0]):
        delimiter, skipped = head[0][len(_SEPARATOR_LINE)], 1
    candidates = [
        _Candidate(each, _records(head[skipped:], each), overrides, read_phone)
        for each in ([delimiter] if delimiter else _DELIMITERS)
    ]
    best = max(candidates, key=lambda each: each.likeness)
    spaced = _spaced(head[skipped:], best.delimiter)
    if spaced:
        best = _Candidate(best.delimiter, spaced, overrides, read_phone)
    return replace(best.table_start(skipped), skip_space=bool(spaced))


def _head(lines: Sequence[str]) -> list[str]:
    """Take the same lines however many more there are."""
    head, size = list[str](), 0
    for line in lines[:HEAD_LINES]:
        head.append(line)
        size += len(line)
        if size > 2 * LOOK_AHEAD:
            break
    return head


def _is_separator_line(line: str) -> bool:
    text = visible(line).strip("\r\n")
    return text[:4].lower() == _SEPARATOR_LINE and len(text) == len(_SEPARATOR_LINE) + 1


def _records(lines: list[str], delimiter: str) -> list[Record]:
    return list(RecordCutter(delimiter).cut(lines, final=True))


def _spaced(lines: list[str], delimiter: str) -> list[Record]:
    """Return the records if there are spaces before quoted fields, else none.

    At least half of the lines with quotes must have such a field: in a file without
    such spaces, the text of a field may begin like that.
    """
    records = _records(lines, delimiter)
    spaced = sum(
        any(_SPACED_FIELD.match(cell) for cell in record)
        for record in records
        if not isinstance(record, BadRecord)
    )
    if not spaced or spaced * 2 < sum('"' in line for line in lines):
        return []
    return list(RecordCutter(delimiter, skip_space=True).cut(lines, final=True))


class _Candidate:
    """The table as one separator shows it."""

    def __init__(
        self,
        delimiter: str,
        records: list[Record],
        overrides: Overrides,
        read_phone: PhoneReader,
    ) -> None:
        self.delimiter, self._overrides = delimiter, overrides
        self._read_phone, self._records = read_phone, records
        self._names = [_names(record) for record in records[:_HEADER_WITHIN]]
        self._at = self._header_at()
        self._own, self._columns = 0, Columns((), ())
        self._fault: InvalidMapping | None = None
        if self._at is not None and not isinstance(records[self._at], BadRecord):
            self._read_header(self._names[self._at])

    @property
    def likeness(self) -> tuple[bool, int, int, int]:
        """Compare candidates: the phone column, other known columns, the shape."""
        width = len(self._columns.names)
        as_wide = sum(
            not isinstance(record, BadRecord) and len(record) == width > 1
            for record in self._records
        )
        has_phone = ColumnRole.PHONE in self._columns.roles
        return has_phone, self._columns.recognised, as_wide, width

    def table_start(self, skipped_lines: int) -> TableStart:
        if self._at is None:
            raise UnreadableFile("The file is empty: it has no header row.")
        record = self._records[self._at]
        if isinstance(record, BadRecord):
            message = record.message
            if "quoted field" in message:
                message = "The header row has a quote that is not closed."
            raise UnreadableFile(message.replace("The row", "The header"))
        self._check_header(record)
        columns = self._columns
        self._check_repeated(columns)
        if self._fault is not None:
            raise _mapping_needed(columns, self._rows_below(self._at), self._fault)
        if ColumnRole.PHONE not in columns.roles:
            below = self._rows_below(self._at)
            columns = find_phone_by_content(columns, below, self._read_phone)
            if ColumnRole.PHONE not in columns.roles:
                raise _mapping_needed(columns, below)
        return TableStart(
            *(self.delimiter, skipped_lines, self._at + 1, columns, self._own)
        )

    def _header_at(self) -> int | None:
        """Return the position of the header among the first records."""
        filled = [at for at, names in enumerate(self._names) if any(names)]
        if not filled:
            return None
        first = filled[0]
        if isinstance(self._records[first], BadRecord):
            return first
        for at in filled:
            if self._is_header(self._names[at]):
                return at
            if any(is_phone(name, self._read_phone) for name in self._names[at]):
                break  # The table's data have begun.
        if len(filled) > 1 and _width(self._names[first]) == 1:
            following = filled[1]
            if _width(self._names[following]) > 1:
                return following
        return first

    def _is_header(self, names: Sequence[str]) -> bool:
        try:
            return ColumnRole.PHONE in recognise(names, self._overrides).roles
        except InvalidMapping:
            return False

    def _read_header(self, names: list[str]) -> None:
        lowered = tuple(name.lower() for name in names[: len(OWN_COLUMNS)])
        self._own = len(OWN_COLUMNS) if lowered == OWN_COLUMNS else 0
        own = tuple(names[self._own :])
        try:
            self._columns = recognise(own, self._overrides, self._empty(len(own)))
        except InvalidMapping as error:
            self._fault = error
            self._columns = recognise(own, {})

    def _empty(self, width: int) -> list[int]:
        """Return the positions of the columns without any value in the first rows."""
        assert self._at is not None
        below = self._rows_below(self._at)
        filled = {at for row in below for at, cell in enumerate(row) if cell.strip()}
        return [at for at in range(width) if below and at not in filled]

    def _check_header(self, record: Sequence[str]) -> None:
        if sum(map(len, record)) > LONGEST_RECORD:
            message = f"The header is longer than {LONGEST_RECORD:,} characters."
            raise UnreadableFile(message)
        for name in self._columns.names:
            if is_phone(name, self._read_phone):
                raise UnreadableFile(
                    f'The first row holds a phone number ("{name[:50]}"), so the file'
                    " has no header row. Add a first row that names the columns, such"
                    " as: name,business_name,phone."
                )

    def _check_repeated(self, columns: Columns) -> None:
        at = columns.at(ColumnRole.PHONE)
        if at is None:
            return
        keys = list(map(column_key, columns.names))
        if keys.count(keys[at]) > 1:
            name = columns.names[at]
            message = f'The column "{name}" is repeated: rename one of them.'
            raise UnreadableFile(message)

    def _rows_below(self, at: int) -> list[list[str]]:
        below = [
            record[self._own :]
            for record in self._records[at + 1 :]
            if not isinstance(record, BadRecord)
        ]
        return [row for row in below if any(cell.strip() for cell in row)]


def _names(record: Record) -> list[str]:
    if isinstance(record, BadRecord):
        return list(record.cells)
    return [unprotected(visible(cell)) for cell in record]


def _width(names: Sequence[str]) -> int:
    return sum(map(bool, names))


def _mapping_needed(
    columns: Columns, rows: list[list[str]], fault: InvalidMapping | None = None
) -> UnreadableFile:
    if _is_quoted_as_a_whole(columns.names, rows):
        return UnreadableFile(
            f'Each row is one quoted cell, such as "{columns.names[0][:100]}": a'
            " program has quoted whole lines. Remove these quotes, or export the list"
            " again as CSV."
        )
    shown = ", ".join(f'"{name[:50]}"' for name in columns.names[:50])
    message = (
        "It is not clear which column holds the phone numbers. The columns are"
        f" {shown}. Choose one: map=COLUMN=PHONE."
    )
    return MappingNeeded(
        fault.message if fault else message,
        columns.names,
        tuple(map(tuple, rows[:SHOWN_ROWS])),
    )


def _is_quoted_as_a_whole(names: Sequence[str], rows: list[list[str]]) -> bool:
    """Say whether the header and each row are one cell with the same separator."""
    if len(names) != 1 or not rows:
        return False
    return any(
        names[0].count(delimiter) and all(delimiter in row[0] for row in rows)
        for delimiter in _DELIMITERS
    )
