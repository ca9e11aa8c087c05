"""Rows of a contact file: which records become contacts, and why others do not."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from application.contacts.files.column_names import ColumnRole
from application.contacts.files.columns import Columns, is_phone
from application.contacts.files.contact_values import (
    VALUE_ROLES,
    Attributes,
    InvalidValue,
    read_values,
)
from application.contacts.files.first_rows import FirstRows, key_of
from application.contacts.files.footers import Footers
from application.contacts.files.formats.csv_records import TOO_LONG, BadRecord, Record
from application.contacts.files.row_checks import RowChecks
from application.contacts.files.spreadsheet_text import unprotected
from application.contacts.phone_cell import InvalidPhone
from application.contacts.phone_numbers import Phone, PhoneReader, with_extension
from domain.values import SkipReason

STORED_APART = (ColumnRole.NAME, ColumnRole.BUSINESS_NAME, ColumnRole.PHONE)
"""Roles whose values are stored in columns of their own."""

NATIONAL_SAMPLE = 400
"""Phone cells from which the default region is checked."""

_END_OF_FILE = "\x1a"
"""Written at the end of a file by programs for DOS."""

_EXPORT_WITHOUT = (
    "Export the results again with columns= and without long columns, such as"
    " transcript_json."
)

_OTHER_DELIMITERS = (",", ";", "\t", "|")


class AcceptedRow(NamedTuple):  # Is made in a third of a dataclass's time.
    """A row that becomes a contact.

    `row` is the record's number as a spreadsheet shows it; `phone` is E.164.

    `extension` is the digits to dial once the call is answered. `given` is the file's
    own cells of the columns that are not variables (see `cells_apart`); None where they
    equal what is stored. `attributes` are the row's place, consent and own id.
    """

    row: int
    name: str
    business_name: str
    phone: str
    variables: dict[str, str]
    given: tuple[str, ...] | None = None
    extension: str | None = None
    attributes: Attributes | None = None


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that does not become a contact, with the reason.

    `cells` are the file's; a malformed record is one cell with its text. What Postgres
    cannot store is replaced by U+FFFD.
    """

    row: int
    reason: SkipReason
    message: str
    cells: tuple[str, ...]


type Row = AcceptedRow | SkippedRow


def cells_apart(roles: Sequence[ColumnRole]) -> list[int]:
    """Return the positions of the columns whose cells are not variables.

    First the columns of the name, the business name and the phone number, of which a
    file may lack the first two; then those that are ignored, in their order.
    """
    first = [roles.index(role) for role in STORED_APART if role in roles]
    ignored = [at for at, role in enumerate(roles) if role is ColumnRole.IGNORED]
    return first + ignored


class RowReader:
    """Turns the records of one file into rows; finds duplicates among them."""

    def __init__(
        self,
        columns: Columns,
        read_phone: PhoneReader,
        *,
        header_row: int = 1,
        own_columns: int = 0,
        delimiter: str = ",",
        checks: RowChecks | None = None,
    ) -> None:
        """Begin below the header, which is record `header_row`, counted from 1.

        The first `own_columns` columns of each record are left out. `delimiter` is the
        file's; a record that is separated by another one is malformed. `checks` are
        those of further columns.
        """
        self.number, self.count = header_row, 0
        self.footers = Footers[SkippedRow]()
        self.national: list[str] = []
        """The first phone cells without a country code."""
        self.unprotect = False
        """Whether cells may have a protective apostrophe."""
        self._own_columns, self._columns = own_columns, columns
        self._width = len(columns.names)
        self._name = columns.at(ColumnRole.NAME)
        self._may_lack_name = columns.are_of_an_export
        self._full_name = _full_name(columns)
        self._business = columns.at(ColumnRole.BUSINESS_NAME)
        self._phone = columns.roles.index(ColumnRole.PHONE)
        apart = cells_apart(columns.roles)
        self._apart = _getter(apart)
        self._as_stored = _as_stored(columns.roles)
        self._variables = variable_columns(columns.names, set(apart))
        self._values = [
            (at, role) for at, role in enumerate(columns.roles) if role in VALUE_ROLES
        ]
        self._checks = checks
        self._other_delimiters = [d for d in _OTHER_DELIMITERS if d != delimiter]
        self._read_any_phone, self._first_rows = read_phone, FirstRows()
        self._read_phone: PhoneReader = self._read_and_sample

    def judge(self, records: Iterable[Record]) -> list[Row]:
        """Return the rows of the next records; empty records only count."""
        rows: list[Row] = []
        own, footers = self._own_columns, self.footers
        for record in records:
            self.number += 1
            if isinstance(record, BadRecord):
                rows += footers.put_back()
                rows.append(self._malformed(record.cells, record.message))
            elif record:
                row = self._judged(record[own:] if own else record)
                if type(row) is AcceptedRow and not footers.waiting:
                    rows.append(row)
                elif row is not None:
                    rows += self._unless_footer(row)
        self.count += len(rows)
        return rows

    def finish(self) -> list[Row]:
        """Return the last rows, once all records were judged."""
        rows = self.footers.at_end()
        self.count += len(rows)
        return [*rows]

    def _unless_footer(self, row: Row) -> list[Row]:
        """Hold back a row of one cell: it may belong to a footer."""
        if isinstance(row, SkippedRow) and self.footers.takes(row, self._width):
            return []
        return [*self.footers.put_back(), row]

    def _judged(self, cells: list[str]) -> Row | None:
        """Return None for a row whose cells are all empty."""
        if len(cells) != self._width:
            fitted = self._fitted(cells)
            if not isinstance(fitted, list):
                return fitted
            cells = fitted
        written = cells[self._phone].strip()
        at = self._name
        name = self._joined_name(cells) if at is None else cells[at].strip()
        if not written or (name == "" and not self._may_lack_name):
            return self._incomplete(cells, name)
        read = (
            self._read_phone(written)
            if self._checks is None
            else (self._checks.read(cells, written, self._read_phone))
        )
        if isinstance(read, InvalidPhone):
            return self._skipped(SkipReason.INVALID_PHONE, read.message, cells)
        phone, extension = read
        attributes = None
        if self._values or self._checks:
            found = self._read_values(cells, written, phone)
            if isinstance(found, InvalidValue):
                return self._skipped(SkipReason.INVALID_VALUE, found.message, cells)
            attributes = found or None
        key = key_of(phone, extension) if extension else int(phone)
        first = self._first_rows.add(key, self.number)
        if first != self.number:
            message = f"Row {first} has {with_extension(phone, extension)} already."
            return self._skipped(SkipReason.DUPLICATE_IN_FILE, message, cells)
        given: tuple[str, ...] | None = self._apart(cells)
        if self.unprotect:
            cells, name = [unprotected(cell) for cell in cells], unprotected(name or "")
        at = self._business
        business = "" if at is None else cells[at].strip()
        variables = {key: cells[at] for at, key in self._variables}
        if given == self._as_stored((name, business, phone, "")):
            given = None
        row = (self.number, name or "", business, phone, variables, given)
        return AcceptedRow(*row, extension, attributes)

    def _read_values(
        self, cells: list[str], written: str, phone: str
    ) -> Attributes | InvalidValue:
        found = read_values(cells, self._values, phone)
        if self._checks is None or isinstance(found, InvalidValue):
            return found
        if fault := self._checks.fault(cells):
            return InvalidValue(fault)
        self._checks.compare(self.number, written, phone, found)
        return found

    def _read_and_sample(self, written: str) -> Phone | InvalidPhone:
        """Read the first phone cells, and keep those without a country code."""
        if not written.startswith("+"):
            self.national.append(written)
            if len(self.national) == NATIONAL_SAMPLE:
                self._read_phone = self._read_any_phone
        return self._read_any_phone(written)

    def _joined_name(self, cells: list[str]) -> str | None:
        """Return first and last name; None if the file has no column of names."""
        if not self._full_name:
            return None
        return " ".join(filter(None, [cells[at].strip() for at in self._full_name]))

    def _fitted(self, cells: list[str]) -> list[str] | SkippedRow:
        """Add missing last cells, and drop surplus cells that are empty."""
        surplus = cells[self._width :]
        if any(cell.strip() for cell in surplus):
            return self._malformed(
                tuple(cells),
                f"The row has {len(cells)} fields, the header {self._width}.",
            )
        if len(cells) == 1 and self._width > 1:
            for delimiter in self._other_delimiters:
                if cells[0].count(delimiter) == self._width - 1:
                    message = (
                        f'The row seems to be separated by "{delimiter}", unlike the'
                        " header."
                    )
                    return self._malformed(tuple(cells), message)
        missing = self._width - len(cells)
        return cells[: self._width] + [""] * missing

    def _incomplete(self, cells: list[str], name: str | None) -> SkippedRow | None:
        """Judge a row without a name or without a phone number."""
        if not any(cell.strip().strip(_END_OF_FILE) for cell in cells):
            return None
        if name == "" and not self._may_lack_name:
            return self._skipped(SkipReason.MISSING_NAME, "The name is empty.", cells)
        message = "The phone number is empty."
        for at, cell in enumerate(cells):
            if at != self._phone and is_phone(cell, self._read_any_phone):
                message = (
                    f'The phone number is empty, but "{self._columns.names[at]}" holds'
                    " one: move it, or map that column to PHONE."
                )
                break
        return self._skipped(SkipReason.MISSING_PHONE, message, cells)

    def _malformed(self, cells: tuple[str, ...], message: str) -> SkippedRow:
        if message == TOO_LONG and self._may_lack_name:
            message = f"{TOO_LONG} {_EXPORT_WITHOUT}"
        return SkippedRow(self.number, SkipReason.MALFORMED_ROW, message, cells)

    def _skipped(
        self, reason: SkipReason, message: str, cells: list[str]
    ) -> SkippedRow:
        return SkippedRow(self.number, reason, message, tuple(cells))


def _full_name(columns: Columns) -> list[int]:
    found = map(columns.at, (ColumnRole.FIRST_NAME, ColumnRole.LAST_NAME))
    return [at for at in found if at is not None]


def _as_stored(roles: Sequence[ColumnRole]) -> Callable[[Any], tuple[str, ...]]:
    """Choose from name, business name, phone, "" what `cells_apart` has in the file."""
    stored = [at for at, role in enumerate(STORED_APART) if role in roles]
    return _getter([*stored, *(3 for role in roles if role is ColumnRole.IGNORED)])


def _getter(places: Sequence[int]) -> Callable[[Any], tuple[str, ...]]:
    if len(places) == 1:
        [only] = places
        return lambda cells: (cells[only],)
    get: Callable[[Any], tuple[str, ...]] = itemgetter(*places)
    return get


def variable_columns(
    columns: tuple[str, ...], apart: set[int]
) -> list[tuple[int, str]]:
    """Return position and variable of each column whose cells are variables.

    `apart` are the positions of the other columns (see `cells_apart`). A repeated name
    gets `_2`, `_3`, ...; a column without one is `column_N`: nothing in the file is
    lost.
    """
    taken, variables = set(columns), []
    given: set[str] = set()
    for at, column in enumerate(columns):
        if at in apart:
            continue
        name, times = column or f"column_{at + 1}", 1
        while name in given or (times > 1 and name in taken):
            times += 1
            name = f"{column or f'column_{at + 1}'}_{times}"
        given.add(name)
        variables.append((at, name))
    return variables
