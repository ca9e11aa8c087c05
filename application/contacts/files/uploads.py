"""Contact files that were read and checked and wait to become a campaign's contacts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import orjson

from application.contacts.files.column_names import ColumnRole
from application.contacts.files.contact_rows import STORED_APART, cells_apart
from application.contacts.files.contact_values import Attributes
from application.contacts.files.missing_values import MissingValues
from application.contacts.files.sheets import Sheets
from application.contacts.phone_numbers import with_extension
from domain.values import SkipReason


@dataclass(frozen=True, slots=True)
class Upload:
    """A whole file: every row of it is staged or rejected.

    `columns` are the file's own, in its order and spelling, trimmed; `roles` is what
    each is used for. `skipped_count` includes the rows in `not_kept`, which counts, by
    reason, the rejected rows whose text is not stored. `countries` are accepted numbers
    by ISO 3166-1 code and `kinds` by kind, most frequent first; `warnings` are for the
    user to read. `sheets` are those of a workbook. `missing` are the accepted rows
    without a value, by variable.
    """

    id: UUID
    filename: str
    columns: tuple[str, ...]
    default_region: str
    accepted: int
    skipped_count: int
    created_by: str
    created_at: datetime
    expires_at: datetime
    not_kept: Mapping[SkipReason, int] = field(default_factory=dict)
    roles: tuple[ColumnRole, ...] = ()
    countries: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()
    kinds: tuple[tuple[str, int], ...] = ()
    sheets: Sheets | None = None
    missing: tuple[MissingValues, ...] = ()

    def __post_init__(self) -> None:
        if not self.roles:  # An older version received the file.
            object.__setattr__(self, "roles", canonical_roles(self.columns))

    @property
    def not_kept_count(self) -> int:
        return sum(self.not_kept.values())


def columns_to_json(columns: Sequence[str]) -> str:
    """Write a file's columns as the text of a vault row: a JSON array."""
    return orjson.dumps(list(columns)).decode()


def columns_from_json(text: str) -> tuple[str, ...]:
    """Read columns that `columns_to_json` wrote."""
    return tuple(orjson.loads(text))


def canonical_roles(columns: Sequence[str]) -> tuple[ColumnRole, ...]:
    """Return the roles of a file with the columns name, business_name and phone."""
    known = {role.lower(): role for role in STORED_APART}
    return tuple(known.get(name.lower(), ColumnRole.VARIABLE) for name in columns)


class StagedRow(NamedTuple):
    """An accepted row.

    `ordinal` counts accepted rows from 1 without a gap; `row` is the file's record
    number, the header being 1; `phone` is E.164, `extension` the digits to dial once
    the call is answered. `given` is the file's own cells of the columns that are not
    variables (see `cells_apart`); None where they equal what is stored. `attributes`
    are the row's place, consent and own id.
    """

    ordinal: int
    row: int
    name: str
    business_name: str
    phone: str
    variables: dict[str, str]
    given: tuple[str, ...] | None = None
    extension: str | None = None
    attributes: Attributes | None = None

    def cells(self, roles: Sequence[ColumnRole]) -> tuple[str, ...]:
        """Return the row's cells as the file has them; `roles` are its columns'."""
        apart = dict(zip(cells_apart(roles), self._own_cells(roles), strict=False))
        others = iter(self.variables.values())
        return tuple(
            apart[at] if at in apart else next(others, "") for at in range(len(roles))
        )

    def phone_as_given(self, roles: Sequence[ColumnRole]) -> str:
        """Return the phone cell as the file has it."""
        at = [*map(roles.__getitem__, cells_apart(roles))].index(ColumnRole.PHONE)
        return self._own_cells(roles)[at]

    def _own_cells(self, roles: Sequence[ColumnRole]) -> tuple[str, ...]:
        if self.given is not None:
            return self.given
        stored = {
            ColumnRole.NAME: self.name,
            ColumnRole.BUSINESS_NAME: self.business_name,
            ColumnRole.PHONE: with_extension(self.phone, self.extension),
        }
        return tuple(stored.get(roles[at], "") for at in cells_apart(roles))


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not accepted, with its cells as they stood in the file."""

    row: int
    reason: SkipReason
    message: str
    cells: tuple[str, ...]


class Uploads(Protocol):
    """Uploads as an import reads them, in pages in the file's order.

    A page begins after the last row of the page before.
    """

    def get(self, upload_id: UUID, now: datetime) -> Upload | None:
        """Return the upload; None if there is none or it has expired."""

    def rows(
        self, upload_id: UUID, after_ordinal: int, limit: int
    ) -> Sequence[StagedRow]: ...

    def rejects(
        self, upload_id: UUID, after_row: int, limit: int
    ) -> Sequence[RejectedRow]: ...
