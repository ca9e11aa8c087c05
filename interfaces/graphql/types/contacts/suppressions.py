"""The register of suppressed numbers."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry

from application.numbers import read_number
from domain.numbers.number import Number
from interfaces.graphql.context import Context, Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import EVERYBODY, field, query
from interfaces.graphql.types.contacts.suppression_lists import (
    SuppressionList,
    today_of,
)
from interfaces.graphql.types.enums import SuppressionSource
from interfaces.graphql.types.paging import PageInfo, page_size
from projections.registers import suppression_board, suppression_list_board
from projections.registers.suppression_board import SuppressionRow


@strawberry.type
class Suppression:
    """A number that is not called in any campaign."""

    phone_id: strawberry.Private[UUID | None]
    reason_id: strawberry.Private[UUID | None]
    id: strawberry.ID
    source: SuppressionSource
    added_at: datetime
    added_by: str
    call_id: strawberry.ID | None = strawberry.field(
        description="The call in which the person opted out."
    )

    @classmethod
    def of(cls, row: SuppressionRow) -> Self:
        """Build it from a row of the read model."""
        return cls(
            phone_id=row.phone_id,
            reason_id=row.reason_id,
            id=strawberry.ID(str(row.id)),
            source=row.source,
            added_at=row.added_at,
            added_by=row.added_by,
            call_id=strawberry.ID(str(row.call_id)) if row.call_id else None,
        )

    @classmethod
    def of_event(cls, event: Number.Suppressed) -> Self:
        """Build it from the event by which the number was suppressed."""
        return cls(
            phone_id=event.phone.words_id if event.phone else None,
            reason_id=event.reason.words_id if event.reason else None,
            id=strawberry.ID(str(event.originator_id)),
            source=event.source,
            added_at=event.timestamp,
            added_by=event.actor,
            call_id=strawberry.ID(str(event.call_id)) if event.call_id else None,
        )

    @field("E.164; empty after erasure. The number stays suppressed.")
    async def phone(self, info: Info) -> str:
        """Load the number from the vault."""
        return await _text(info.context, self.phone_id) or ""

    @strawberry.field
    async def reason(self, info: Info) -> str | None:
        """Load the reason from the vault."""
        return await _text(info.context, self.reason_id)


async def _text(context: Context, words_id: UUID | None) -> str | None:
    return None if words_id is None else await context.loaders.texts.load(words_id)


SuppressionResult = Annotated[
    Suppression | UserError, strawberry.union("SuppressionResult")
]


@strawberry.type
class SuppressionConnection:
    """A page of the register."""

    nodes: list[Suppression]
    page_info: PageInfo
    total_count: int


@strawberry.type(description="Where a number is suppressed; at least one field is set.")
class SuppressedNumber:
    """The entries about one number."""

    suppression: Suppression | None
    list: SuppressionList | None = strawberry.field(
        description="The first list, by name, that contains the number."
    )


@strawberry.type
class SuppressionQueries:
    """Root fields about the register."""

    @query(
        EVERYBODY,
        "The installation's do-not-call register: people who opted out and numbers"
        " entered by members. Newest first. search: digits of the number; totalCount"
        " then stops at 10,000.",
    )
    async def suppressions(
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        search: str | None = None,
    ) -> SuppressionConnection:
        """Read one page."""
        page = await info.context.backend.read(
            suppression_board.page,
            first=page_size(first, 50),
            after=after,
            search=search,
        )
        return SuppressionConnection(
            nodes=[Suppression.of(row) for row in page.nodes],
            page_info=PageInfo(has_next_page=page.has_next, end_cursor=page.end_cursor),
            total_count=page.total,
        )

    @query(
        EVERYBODY,
        "Looks a number up in the register and in imported lists; null if it is on"
        " neither.",
    )
    async def suppression(self, info: Info, phone: str) -> SuppressedNumber | None:
        """Look one number up; an erased one is found in the register as well."""
        backend, services = info.context.backend, info.context.services
        number = await backend.run_reader(number_of, info.context, phone)
        number_id = await backend.run_reader(services.numbers.id_of, number)
        row = await backend.read(suppression_board.get, number_id)
        rows = await backend.read(
            suppression_list_board.containing, services.suppression_blocks, number
        )
        if row is None and not rows:
            return None
        return SuppressedNumber(
            suppression=Suppression.of(row) if row else None,
            list=SuppressionList.of(rows[0], today_of(info)) if rows else None,
        )


def number_of(context: Context, phone: str) -> str:
    """Return a number as a member writes it as E.164. Raises Invalid."""
    return read_number(phone, context.services.settings.values().default_region)
