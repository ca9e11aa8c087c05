"""How many calls of a campaign in a row the provider ended without ringing anybody."""

from collections.abc import Iterator

from domain.call import Call
from domain.campaign import Campaign
from projections.operations import RowOperation, add, patch, put
from projections.tables import Table

FAILURES = "start_failure"

TABLE = Table(
    FAILURES,
    ("campaign_id",),
    """
    create table if not exists start_failure (
        campaign_id uuid primary key,
        in_a_row integer not null default 0,
        reason text
    );
    """,
)


def start_failures(event: object, _position: int) -> Iterator[RowOperation]:
    """Count anew after a call that came through, and after each resume."""
    match event:
        case Call.Ended() if event.never_rang:
            yield put(FAILURES, event.campaign_id, reason=event.reason)
            yield add(FAILURES, event.campaign_id, in_a_row=1)
        case Call.Ended() if event.ends_it:
            yield patch(FAILURES, event.campaign_id, in_a_row=0)
        case Call.Ringing() | Call.Answered():
            yield patch(FAILURES, event.campaign_id, in_a_row=0)
        case Campaign.Resumed():
            yield patch(FAILURES, event.originator_id, in_a_row=0)
