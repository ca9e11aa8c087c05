"""Contact files that were read and checked and wait to become a campaign's contacts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import orjson

from application.contacts.contact_rows import REQUIRED_COLUMNS
from application.contacts.phone_numbers import with_extension
from domain.values import SkipReason


@dataclass(frozen=True, slots=True)
class Upload:
    """A whole file: every row of it is staged or rejected.

    `columns` are the file's own, in its order and spelling, trimmed. `skipped_count`
    includes the rows in `not_kept`, which counts, by reason, the rejected rows whose
    text is not stored.
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

    @property
    def not_kept_count(self) -> int:
        return sum(self.not_kept.values())


def columns_to_json(columns: Sequence[str]) -> str:
    """Write a file's columns as the words of a vault row: a JSON array."""
    return orjson.dumps(list(columns)).decode()


def columns_from_json(words: str) -> tuple[str, ...]:
    """Read what `columns_to_json` wrote."""
    return tuple(orjson.loads(words))


class StagedRow(NamedTuple):
    """An accepted row.

    `ordinal` counts accepted rows from 1 without a gap; `row` is the file's record
    number, the header being 1; `phone` is E.164, `extension` the digits to dial once
    the call is answered. `given` is the file's own cells of name, business name and
    phone; None where they are the same.
    """

    ordinal: int
    row: int
    name: str
    business_name: str
    phone: str
    variables: dict[str, str]
    given: tuple[str, str, str] | None = None
    extension: str | None = None

    def cells(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the row's cells as the file has them; `columns` are the file's."""
        phone = with_extension(self.phone, self.extension)
        own = self.given or (self.name, self.business_name, phone)
        known = dict(zip(REQUIRED_COLUMNS, own, strict=True))
        others = iter(self.variables.values())
        return tuple(
            known[key] if (key := name.lower()) in known else next(others, "")
            for name in columns
        )


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not accepted, with its cells as they stood in the file."""

    row: int
    reason: SkipReason
    message: str
    cells: tuple[str, ...]


class Uploads(Protocol):
    """What an import reads; pages are in the file's order, keyed by the last seen."""

    def get(self, upload_id: UUID, now: datetime) -> Upload | None:
        """Return the upload, or None where there is none or it has expired."""

    def rows(
        self, upload_id: UUID, after_ordinal: int, limit: int
    ) -> Sequence[StagedRow]: ...

    def rejects(
        self, upload_id: UUID, after_row: int, limit: int
    ) -> Sequence[RejectedRow]: ...
