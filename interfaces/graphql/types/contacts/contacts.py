"""Contacts and the status of each."""

from collections.abc import Collection
from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from domain.planning.waiting import own_reason, shared_reason, waiting_reason
from domain.values import uuid_or_none
from interfaces.graphql.context import Info
from interfaces.graphql.permissions import EVERYBODY, field, query
from interfaces.graphql.types.calls import Call
from interfaces.graphql.types.enums import (
    CallOutcome,
    ContactStatus,
    Disposition,
    WaitingCode,
    Withheld,
)
from interfaces.graphql.types.scalars import JSON
from projections.calls.call_log import placed_calls
from projections.contacts import contact_log
from projections.contacts.contact_filters import WaitingFilter
from projections.contacts.contact_results import ContactResult
from projections.contacts.contact_row import ContactRow


@strawberry.type
class Contact:
    """One contact of a campaign; its personal data is empty after an erasure."""

    row: strawberry.Private[ContactRow]
    set_by_hand: strawberry.Private[tuple[Disposition | None, str | None] | None]
    id: strawberry.ID
    name: str
    business_name: str
    phone: str
    extension: str | None
    erased_at: datetime | None
    variables: JSON
    status: ContactStatus
    next_attempt_at: datetime | None = strawberry.field(
        description="Planned time of the next retry or callback."
    )
    withheld: Withheld | None
    places: list[str] = strawberry.field(
        description="All places the number may belong to, as ISO 3166-1 or 3166-2"
        " codes; empty if unknown."
    )
    time_zones: list[str] = strawberry.field(
        description="All IANA time zones the number may belong to."
    )

    @classmethod
    def of(
        cls,
        row: ContactRow,
        set_by_hand: tuple[Disposition | None, str | None] | None = None,
    ) -> Self:
        """Build it from a row of the read model.

        `set_by_hand` are a disposition and a note that were just stored, and that the
        read model may not include yet.
        """
        return cls(
            row=row,
            set_by_hand=set_by_hand,
            id=strawberry.ID(str(row.id)),
            name=row.name,
            business_name=row.business_name,
            phone=row.phone,
            extension=row.extension,
            erased_at=row.erased_at,
            variables=JSON(row.variables),
            status=row.status,
            next_attempt_at=row.next_attempt_at,
            withheld=row.withheld,
            places=row.places,
            time_zones=row.time_zones,
        )

    @field("Number of calls placed to this contact.")
    async def attempts(self, info: Info) -> int:
        rows = await info.context.loaders.calls_of_contacts.load(self.row.id)
        return placed_calls(rows or ())

    @field("Why the contact is not being called now; null unless PENDING.")
    async def waiting_for(self, info: Info) -> WaitingCode | None:
        """Return the contact's own reason, its group's, or that of the last plan."""
        if self.status is not ContactStatus.PENDING:
            return None
        own = own_reason(
            planned_kind=self.row.planned_kind,
            planned_at=self.row.next_attempt_at,
            deferred_until=self.row.deferred_until,
            deferred_code=self.row.deferred_code,
            now=info.context.services.now(),
        )
        decide = await info.context.loaders.group_decisions.load(self.row.campaign_id)
        return waiting_reason(
            own,
            decide(self.row.group) if decide else None,
            await _codes_of_plan(info, self.row.campaign_id),
        )

    @strawberry.field
    async def call(self, info: Info) -> Call | None:
        """Load the contact's latest call, None if it was never called."""
        if self.row.call_id is None:
            return None
        row = await info.context.loaders.calls.load(self.row.call_id)
        return Call.of(row) if row else None

    @field("Every call to this contact, oldest first.")
    async def calls(self, info: Info) -> list[Call]:
        """Load all calls to the contact."""
        rows = await info.context.loaders.calls_of_contacts.load(self.row.id)
        return [Call.of(row) for row in rows or ()]

    @field("Outcome of the latest finished call.")
    async def outcome(self, info: Info) -> CallOutcome | None:
        """Load the outcome, None before the first finished call."""
        result = await self._result(info)
        return result.outcome if result else None

    @field("What a member set, else that of the latest call with one.")
    async def disposition(self, info: Info) -> Disposition | None:
        """Return the disposition set by this operation, else load the stored one."""
        if self.set_by_hand is not None:
            return self.set_by_hand[0]
        result = await self._result(info)
        return result.disposition if result else None

    @field("Note entered by a member.")
    async def note(self, info: Info) -> str | None:
        """Return the note set by this operation, else load the stored one."""
        if self.set_by_hand is not None:
            return self.set_by_hand[1]
        result = await self._result(info)
        if result is None or result.note_words_id is None:
            return None
        return await info.context.loaders.texts.load(result.note_words_id)

    async def _result(self, info: Info) -> ContactResult | None:
        return await info.context.loaders.results_of_contacts.load(self.row.id)


async def _codes_of_plan(info: Info, campaign_id: UUID) -> list[WaitingCode]:
    """Return the reasons for waiting in the campaign's last plan."""
    decision = await info.context.loaders.decisions.load(campaign_id)
    return [WaitingCode(each.code) for each in (decision.reasons if decision else ())]


async def waiting_filter(
    info: Info, campaign_id: UUID, codes: Collection[WaitingCode]
) -> WaitingFilter | None:
    """Return the filter that selects contacts by their `waitingFor`.

    None if there is no such campaign.
    """
    decide = await info.context.loaders.group_decisions.load(campaign_id)
    if decide is None:
        return None
    shared = shared_reason(await _codes_of_plan(info, campaign_id))
    return WaitingFilter(codes, info.context.services.now(), decide, shared)


@strawberry.type
class ContactQueries:
    """Queries of contacts."""

    @query(EVERYBODY)
    async def contact(self, info: Info, id: strawberry.ID) -> Contact | None:  # noqa: A002 - the contract's name
        """Return the contact, None if the id is unknown or no UUID."""
        contact_id = uuid_or_none(id)
        if contact_id is None:
            return None
        row = await info.context.backend.read(contact_log.get, contact_id)
        return Contact.of(row) if row else None
