"""Calls: what became of each."""

from datetime import datetime
from decimal import Decimal
from typing import Self

import strawberry

from interfaces.graphql.context import Info
from interfaces.graphql.enums import CallStatus
from interfaces.graphql.paging import uuid_or_none
from interfaces.graphql.permissions import EVERYBODY, field, query
from interfaces.graphql.scalars import JSON
from projections.call_log import CallRow
from projections.recordings import Recording


@strawberry.type
class Call:
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
    ended_reason: str | None
    cost: Decimal | None

    @classmethod
    def of(cls, row: CallRow) -> Self:
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
        )

    @strawberry.field
    async def recording_url(self, info: Info) -> str | None:
        recording = await self._recording(info)
        return recording.recording_url if recording else None

    @field("The provider's messages, as received.")
    async def transcript(self, info: Info) -> JSON | None:
        recording = await self._recording(info)
        if recording is None or recording.transcript is None:
            return None
        return JSON(recording.transcript)

    async def _recording(self, info: Info) -> Recording | None:
        message_id = self.row.report_message_id
        if message_id is None:
            return None
        return await info.context.loaders.recordings.load(message_id)


@strawberry.type
class CallQueries:
    @query(EVERYBODY)
    async def call(self, info: Info, id: strawberry.ID) -> Call | None:  # noqa: A002 - the contract's name
        call_id = uuid_or_none(id)
        row = await info.context.loaders.calls.load(call_id) if call_id else None
        return Call.of(row) if row else None
