"""Which column of a contact file is what: by `map`, by its name, by what it holds.

A column that the user maps has that role. Of the others, each role takes the column
with the preferred name. A file without a phone column by name gets the one whose cells
are phone numbers, if there is exactly one: a wrong choice would call other people.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from application.contacts.files.column_names import ColumnRole, column_key, role_of
from application.contacts.files.unreadable import UnreadableFile
from application.contacts.phone_cell import InvalidPhone
from application.contacts.phone_numbers import PhoneReader

type Overrides = Mapping[str, ColumnRole]
"""Roles that the user chose, by the column's name."""

EXPORTED = frozenset({"name", "ended_reason", "transcript_json"})
"""Columns by which an exported file of results is recognised."""

_TRANSCRIPT = "transcript_json"
"""Too long for a variable: ignored in an exported file, unless the user maps it."""

_SINGLE = frozenset(ColumnRole) - {ColumnRole.VARIABLE, ColumnRole.IGNORED}
_FULL_NAME = (ColumnRole.FIRST_NAME, ColumnRole.LAST_NAME)
_PHONES_PERCENT = 80
"""Share of a column's cells that must be phone numbers, if its name is not known."""

_FEWEST_DIGITS = 7

FAX = "fax"
"""In the name of a column or in a label: its numbers are not called."""


class InvalidMapping(UnreadableFile):
    """A mapping of columns to roles cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A file's columns, each with its role.

    `names` are as the file has them, trimmed. `notes` report choices to the user.
    """

    names: tuple[str, ...]
    roles: tuple[ColumnRole, ...]
    notes: tuple[str, ...] = ()

    def at(self, role: ColumnRole) -> int | None:
        """Return the position of the column with that role."""
        return self.roles.index(role) if role in self.roles else None

    @property
    def are_of_an_export(self) -> bool:
        """Return whether the file is an export of results, where names may be empty."""
        return set(self.names) >= EXPORTED

    @property
    def recognised(self) -> int:
        """Return how many columns have a role other than VARIABLE and IGNORED."""
        return sum(role in _SINGLE for role in self.roles)


def parse_overrides(texts: Sequence[str]) -> dict[str, ColumnRole]:
    """Read `COLUMN=ROLE` texts; roles may be in lower case.

    Raises:
        InvalidMapping: a text has another form, an unknown role, or repeats a role.
    """
    overrides: dict[str, ColumnRole] = {}
    for text in texts:
        column, equals, role = text.rpartition("=")
        known = role.strip().upper()
        if not equals or not column.strip() or known not in ColumnRole:
            message = (
                f'map="{text[:100]}" is not COLUMN=ROLE: the roles are'
                f" {', '.join(ColumnRole)}."
            )
            raise InvalidMapping(message)
        overrides[column.strip()] = ColumnRole(known)
    chosen = [role for role in overrides.values() if role in _SINGLE]
    for role in chosen:
        if chosen.count(role) > 1:
            message = f"map names several columns for {role}: choose one of them."
            raise InvalidMapping(message)
    return overrides


def recognise(
    names: Sequence[str], overrides: Overrides, empty: Collection[int] = ()
) -> Columns:
    """Give each column its role: the user's, or that of its name.

    Columns at the positions `empty` have no value in the first rows. They come after
    all others of their role, except a column that is named `phone`.

    Raises:
        InvalidMapping: an override names a column that the file does not have.
    """
    keys = [column_key(name) for name in names]
    chosen = {column_key(name): role for name, role in overrides.items()}
    _check_overrides(overrides, names, keys)
    roles = [chosen.get(key, ColumnRole.VARIABLE) for key in keys]
    taken = set(chosen.values())
    notes = list[str]()
    free = [at for at, key in enumerate(keys) if key not in chosen]
    by_name = _by_role(names, free, empty)
    for role in ColumnRole:
        if role not in _SINGLE - taken:
            continue
        if role in _FULL_NAME and ColumnRole.NAME in taken:
            continue
        found = by_name.get(role, [])
        if found:
            roles[found[0]] = role
        if role is ColumnRole.PHONE and len(found) > 1:
            notes.append(_chosen_phone([names[at] for at in found]))
    if ColumnRole.NAME in roles:
        named = taken & set(_FULL_NAME)
        roles = [
            ColumnRole.VARIABLE if role in _FULL_NAME and role not in named else role
            for role in roles
        ]
    if set(names) >= EXPORTED and column_key(_TRANSCRIPT) not in chosen:
        roles[names.index(_TRANSCRIPT)] = ColumnRole.IGNORED
    return Columns(tuple(names), tuple(roles), tuple(notes))


def _check_overrides(
    overrides: Overrides, names: Sequence[str], keys: Sequence[str]
) -> None:
    for name, role in overrides.items():
        times = keys.count(column_key(name))
        if not times:
            shown = ", ".join(f'"{name[:50]}"' for name in names[:50])
            message = f'map names the column "{name}"; the columns are {shown}.'
            raise InvalidMapping(message)
        if times > 1 and role in _SINGLE:
            message = f'There are {times} columns named "{name}": rename one of them.'
            raise InvalidMapping(message)


def _by_role(
    names: Sequence[str], positions: Sequence[int], empty: Collection[int]
) -> dict[ColumnRole, list[int]]:
    """Return the positions of columns by the roles of their names, preferred first."""
    ranked: dict[ColumnRole, list[tuple[bool, int, int]]] = {}
    for at in positions:
        if known := role_of(names[at]):
            role, rank = known
            is_last = at in empty and (role is not ColumnRole.PHONE or rank > 0)
            ranked.setdefault(role, []).append((is_last, rank, at))
    return {role: [at for *_, at in sorted(found)] for role, found in ranked.items()}


def _chosen_phone(names: Sequence[str]) -> str:
    others = ", ".join(f'"{name}"' for name in names[1:])
    return (
        f'The phone numbers are those of the column "{names[0]}". Not used: {others}.'
        " Map another column to PHONE to call its numbers instead."
    )


def find_phone_by_content(
    columns: Columns, rows: Sequence[Sequence[str]], read_phone: PhoneReader
) -> Columns:
    """Give the role PHONE to the only column whose cells are phone numbers.

    Columns with another role are not considered. Without exactly one such column the
    result has none.
    """
    fitting = [
        at
        for at, role in enumerate(columns.roles)
        if role is ColumnRole.VARIABLE
        and FAX not in column_key(columns.names[at])
        and _holds_phones([row[at] for row in rows if at < len(row)], read_phone)
    ]
    if len(fitting) != 1:
        return columns
    [at] = fitting
    roles = list(columns.roles)
    roles[at] = ColumnRole.PHONE
    note = (
        f'No column is named as one of phone numbers; "{columns.names[at]}" was taken,'
        " because its cells are phone numbers."
    )
    return Columns(columns.names, tuple(roles), (*columns.notes, note))


def _holds_phones(cells: Sequence[str], read_phone: PhoneReader) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    phones = sum(is_phone(cell, read_phone) for cell in filled)
    return bool(filled) and phones * 100 >= _PHONES_PERCENT * len(filled)


def is_phone(cell: str, read_phone: PhoneReader) -> bool:
    """Say whether a cell is a valid number of at least seven digits."""
    if sum(map(str.isdecimal, cell)) < _FEWEST_DIGITS:
        return False
    return not isinstance(read_phone(cell), InvalidPhone)
