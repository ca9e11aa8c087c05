"""Imported suppression lists, such as a national do-not-call registry."""

from datetime import UTC, date, datetime
from typing import Annotated, Self

import strawberry

from domain.gate.rules import CallPurpose
from domain.numbers.suppression_lists import Freshness, ListVersion
from interfaces.graphql.context import Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import EVERYBODY, query
from projections.registers import suppression_list_board
from projections.registers.suppression_list_board import SuppressionListRow

strawberry.enum(Freshness)


@strawberry.type
class SuppressionList:
    """A list of numbers that may not be called, of a date."""

    id: strawberry.ID
    name: str
    as_of: date = strawberry.field(description="Date of the data, not of the upload.")
    max_age_days: int | None
    freshness: Freshness
    numbers: int
    covers: list[str] = strawberry.field(
        description="Prefixes that the list covers, such as +1202; empty means all."
    )
    purposes: list[CallPurpose] = strawberry.field(
        description="Purposes of campaigns that it restricts; empty means all."
    )
    uploaded_at: datetime
    uploaded_by: str
    sha256: str

    @classmethod
    def of(cls, row: SuppressionListRow, today: date) -> Self:
        """Build it from its row, as fresh as on a UTC date."""
        version = ListVersion(
            list_id=row.list_id,
            version_id=row.version_id,
            name=row.name,
            as_of=row.as_of,
            max_age_days=row.max_age_days,
            covers=tuple(row.covers),
            purposes=tuple(map(CallPurpose, row.purposes)),
            numbers=row.numbers,
            blocks_digest=row.blocks_digest,
            sha256=row.sha256,
        )
        return cls(
            id=strawberry.ID(str(row.list_id)),
            name=row.name,
            as_of=row.as_of,
            max_age_days=row.max_age_days,
            freshness=version.freshness(today),
            numbers=row.numbers,
            covers=row.covers,
            purposes=list(version.purposes),
            uploaded_at=row.uploaded_at,
            uploaded_by=row.uploaded_by,
            sha256=row.sha256,
        )


SuppressionListResult = Annotated[
    SuppressionList | UserError, strawberry.union("SuppressionListResult")
]


def today_of(info: Info) -> date:
    """Return the UTC date of now."""
    return info.context.backend.services.now().astimezone(UTC).date()


@strawberry.type
class SuppressionListQueries:
    """Queries of imported lists."""

    @query(EVERYBODY)
    async def suppression_lists(self, info: Info) -> list[SuppressionList]:
        """Return the active lists in the order of their names."""
        rows = await info.context.backend.read(suppression_list_board.lists)
        return [SuppressionList.of(row, today_of(info)) for row in rows]
