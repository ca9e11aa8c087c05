"""Accepted rows without a value for a variable that an assistant may use.

An assistant that greets a contact with a variable says nothing in its place if the
row's cell is empty.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from application.call_variables import BUSINESS_NAME, NAME
from application.contacts.files.column_names import ColumnRole
from application.contacts.files.contact_rows import (
    AcceptedRow,
    Row,
    cells_apart,
    variable_columns,
)
from domain.wording import counted

FIRST_ROWS = 5
"""Numbers of rows that are kept for each variable."""

_NAME_ROLES = frozenset({ColumnRole.NAME, ColumnRole.FIRST_NAME, ColumnRole.LAST_NAME})


@dataclass(frozen=True, slots=True)
class MissingValues:
    """Accepted rows whose cell for a variable is empty.

    `first` are the numbers of the first of these rows in the file, at most FIRST_ROWS.
    """

    variable: str
    rows: int
    first: tuple[int, ...]


class MissingCount:
    """Counts the accepted rows of a file without a value, by variable."""

    def __init__(self, roles: Collection[ColumnRole] = ()) -> None:
        """`roles` are those of the file's columns."""
        self._names = not _NAME_ROLES.isdisjoint(roles)
        self._businesses = ColumnRole.BUSINESS_NAME in roles
        self._first: dict[str, list[int]] = {}
        self._rows: dict[str, int] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """Count the accepted ones among the next rows of the file."""
        names, businesses = self._names, self._businesses
        for row in rows:
            if type(row) is not AcceptedRow:
                continue
            # Faster than stripping each cell; cells of several spaces are rare.
            cells = row.variables.values()
            if (
                "" in cells
                or " " in cells
                or (names and not row.name)
                or (businesses and not row.business_name)
            ):
                self._add_row(row)

    def found(self) -> tuple[MissingValues, ...]:
        """Return the variables that rows lack, in the order of their first rows."""
        return tuple(
            MissingValues(variable, rows, tuple(self._first[variable]))
            for variable, rows in self._rows.items()
        )

    def _add_row(self, row: AcceptedRow) -> None:
        values = row.variables
        if self._names:
            values = {NAME: row.name} | values
        if self._businesses:
            values = {BUSINESS_NAME: row.business_name} | values
        for variable, cell in values.items():
            if cell.strip():
                continue
            self._rows[variable] = self._rows.get(variable, 0) + 1
            first = self._first.setdefault(variable, [])
            if len(first) < FIRST_ROWS:
                first.append(row.row)


def file_variables(columns: Sequence[str], roles: Sequence[ColumnRole]) -> set[str]:
    """Return the variables for which a file with these columns has values."""
    apart = set(cells_apart(roles))
    variables = {name for _, name in variable_columns(tuple(columns), apart)}
    if not _NAME_ROLES.isdisjoint(roles):
        variables.add(NAME)
    if ColumnRole.BUSINESS_NAME in roles:
        variables.add(BUSINESS_NAME)
    return variables


def missing_message(missing: MissingValues, used_in: str) -> str:
    """Return a warning; `used_in` names the assistant's text with the variable."""
    rows = counted(missing.rows, "row has", "rows have")
    example = "" if missing.rows <= len(missing.first) else "for example "
    where = "row" if missing.rows == 1 else "rows"
    return (
        f"{rows} no value for {missing.variable}, which the assistant uses in its"
        f" {used_in}: {example}{where} {_listed(map(str, missing.first))}."
    )


def lacking_message(variables: Sequence[str]) -> str:
    """Return a warning about variables that the assistant uses and the file lacks."""
    columns = "a column of that name" if len(variables) == 1 else "columns of that name"
    return (
        f"The assistant uses {_listed(variables)}, which the file lacks: add {columns},"
        " or change the assistant."
    )


def _listed(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
