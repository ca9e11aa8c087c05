"""A campaign's counters."""

from decimal import Decimal
from typing import Self

import strawberry

from interfaces.graphql.push.shared_frames import Frames
from interfaces.graphql.types.enums import CampaignState
from interfaces.graphql.types.scalars import BigInt
from projections.campaigns.campaign_row import CampaignProgress as ProgressRow


@strawberry.type(
    description="Counters; contacts = pending + queued + ringing + inProgress + ended"
    " + failed + canceled + timedOut."
)
class CampaignProgress:
    """A campaign's counters; `spend` is in US dollars."""

    frames: strawberry.Private[Frames]
    campaign_id: strawberry.ID
    state: CampaignState
    contacts: int
    pending: int
    active: int = strawberry.field(
        description="queued + ringing + inProgress: what counts against the cap."
    )
    queued: int
    ringing: int
    in_progress: int
    ended: int
    failed: int
    canceled: int
    timed_out: int
    awaiting_reports: int
    spend: Decimal
    position: BigInt = strawberry.field(
        description="Position in the event log that these counters include."
    )

    @classmethod
    def of(cls, row: ProgressRow) -> Self:
        """Build it from a row of the read model."""
        return cls(
            frames=Frames(),
            campaign_id=strawberry.ID(str(row.campaign_id)),
            state=row.state,
            contacts=row.contacts,
            pending=row.pending,
            active=row.active,
            queued=row.queued,
            ringing=row.ringing,
            in_progress=row.in_progress,
            ended=row.ended,
            failed=row.failed,
            canceled=row.canceled,
            timed_out=row.timed_out,
            awaiting_reports=row.awaiting_reports,
            spend=row.spend,
            position=BigInt(row.position),
        )
