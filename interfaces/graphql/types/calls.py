"""Calls and their results."""

from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

import strawberry

from domain.values import uuid_or_none
from interfaces.graphql.context import Info
from interfaces.graphql.permissions import (
    AUDITORS,
    EVERYBODY,
    field,
    must_be,
    query,
)
from interfaces.graphql.types.enums import CallOutcome, CallStatus, Disposition
from interfaces.graphql.types.events import Event
from interfaces.graphql.types.permits import CallPermit
from interfaces.graphql.types.scalars import JSON
from projections.calls.call_log import CallRow
from projections.calls.recordings import Recording
from projections.engine.as_of import call_as_of


@strawberry.type
class Call:
    """One call; `cost` is in US dollars, `ended_reason` is the provider's code."""

    row: strawberry.Private[CallRow]
    id: strawberry.ID
    campaign_id: strawberry.ID
    contact_id: strawberry.ID
    attempt: int
    status: CallStatus
    provider_call_id: str | None
    queued_at: datetime
    placed_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    last_event_at: datetime
    duration_seconds: int | None
    ended_reason: str | None = strawberry.field(
        description="The provider's code for why the call ended; null while the call is"
        " live, or if no reason was reported."
    )
    cost: Decimal | None
    outcome: CallOutcome | None
    disposition: Disposition | None
    ring_seconds: int | None = strawberry.field(
        description="Seconds the call rang before it was answered or given up; null if"
        " unknown."
    )

    @classmethod
    def of(cls, row: CallRow) -> Self:
        """Build it from a row of the read model, or from one as of an earlier time."""
        return cls(
            row=row,
            id=strawberry.ID(str(row.id)),
            campaign_id=strawberry.ID(str(row.campaign_id)),
            contact_id=strawberry.ID(str(row.contact_id)),
            attempt=row.attempt,
            status=row.status,
            provider_call_id=row.provider_call_id,
            queued_at=row.queued_at,
            placed_at=row.placed_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
            last_event_at=row.last_event_at,
            duration_seconds=row.duration_seconds,
            ended_reason=row.ended_reason,
            cost=row.cost,
            outcome=row.outcome,
            disposition=row.disposition,
            ring_seconds=row.ring_seconds,
        )

    @strawberry.field
    async def recording_url(self, info: Info) -> str | None:
        """Return the provider's URL of the recording, None if there is none."""
        recording = await self._recording(info)
        url = recording.recording_url if recording else None
        accepts = info.context.services.recording_urls.accepts
        # Release 1 stored whatever URL the provider sent.
        return url if url and accepts(url) else None

    @field("The provider's messages, as received.")
    async def transcript(self, info: Info) -> JSON | None:
        """Load the transcript from the vault."""
        recording = await self._recording(info)
        if recording is None or recording.transcript is None:
            return None
        return JSON(recording.transcript)

    @field("Structured outputs of the provider's analysis, by name.")
    async def structured_outputs(self, info: Info) -> JSON | None:
        """Return the results of the best report's analysis."""
        recording = await self._recording(info)
        if recording is None or recording.structured_outputs is None:
            return None
        return JSON(recording.structured_outputs)

    @field("Summary from the provider's analysis.")
    async def summary(self, info: Info) -> str | None:
        """Return the summary in the best report."""
        recording = await self._recording(info)
        return recording.summary if recording else None

    @field("The provider's own explanation of why the call ended, if it gave one.")
    async def ended_message(self, info: Info) -> str | None:
        """Load the provider's explanation from the vault."""
        text_id = self.row.ended_words_id or self.row.rejection_words_id
        return await info.context.loaders.texts.load(text_id) if text_id else None

    @field(
        "Why this call was allowed at that time; null if it was never requested, or by"
        " an earlier release."
    )
    async def permit(self, info: Info) -> CallPermit | None:
        """Load the permit of the call's last request from the log."""
        granted = await info.context.loaders.permits.load(self.row.id)
        if granted is None:
            return None
        book = await info.context.backend.run_reader(
            info.context.services.rule_book.current
        )
        return CallPermit.of(granted.permit, granted.granted_at, book)

    @field("This call's own events, oldest first.")
    async def events(self, info: Info) -> list[Event]:
        """Load the events up to the version that this object shows."""
        rows = await info.context.loaders.events_of_aggregates.load(self.row.id) or []
        role = info.context.viewer.role
        return [Event.of(row, role) for row in rows if row.version <= self.row.version]

    async def _recording(self, info: Info) -> Recording | None:
        message_id = self.row.report_message_id
        if message_id is None:
            return None
        return await info.context.loaders.recordings.load(message_id)


@strawberry.type
class CallQueries:
    """Queries of calls."""

    @query(EVERYBODY, "With asOf: its state at that time; for auditors and admins.")
    async def call(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        as_of: datetime | None = None,
    ) -> Call | None:
        """Return the call, None if the id is unknown or no UUID."""
        call_id = uuid_or_none(id)
        if as_of is not None:
            must_be(AUDITORS, info)
            return await _as_of(info, call_id, as_of)
        row = await info.context.loaders.calls.load(call_id) if call_id else None
        return Call.of(row) if row else None


async def _as_of(info: Info, call_id: UUID | None, time: datetime) -> Call | None:
    if call_id is None:
        return None
    row = await info.context.backend.read(call_as_of, call_id, time)
    return Call.of(row) if row else None
