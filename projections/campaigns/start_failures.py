"""Refusals of the provider by campaign, for calls that never rang.

`in_a_row` counts the contacts refused since a call last rang or the campaign was
resumed; `reason` is that of the last refusal. `capacity_at` is when a call last ended
for lack of capacity. The `account_...` columns describe a pause caused by the account,
the assistant or the line (`account_scope`), until the campaign is resumed.
"""

from collections.abc import Iterator
from uuid import UUID

from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.values import PauseCause, RefusalKind
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.row_operations import RowOperation, add, patch, put

FAILURES = "start_failure"

TABLE = Table(
    FAILURES,
    ("campaign_id",),
    """
    create table if not exists start_failure (
        campaign_id uuid primary key,
        in_a_row integer not null default 0,
        reason text,
        capacity_at timestamptz,
        account_at timestamptz,
        account_position bigint,
        account_scope text,
        account_words_id uuid
    );
    """,
)


@handles(
    *(Call.Ended, Call.Deferred, Call.Rejected, Call.Ringing, Call.Answered),
    *(Campaign.Paused, Campaign.Resumed),
)
def start_failures(event: object, position: int) -> Iterator[RowOperation]:
    """Return the changes of a campaign's refusals that an event causes."""
    match event:
        case Call.Ended() if event.refusal is not None:
            yield from _refused(event)
        case Call.Ended() if event.ends_it:
            yield patch(FAILURES, event.campaign_id, in_a_row=0)
        case Call.Deferred() | Call.Rejected():
            yield from _request_refused(event)
        case Call.Ringing() | Call.Answered():
            yield patch(FAILURES, event.campaign_id, in_a_row=0)
        case Campaign.Paused(cause=PauseCause.ACCOUNT):
            yield put(
                FAILURES,
                event.originator_id,
                account_at=event.timestamp,
                account_position=position,
                account_scope=event.scope,
                account_words_id=event.reason.words_id if event.reason else None,
            )
        case Campaign.Resumed():
            yield patch(FAILURES, event.originator_id, in_a_row=0, account_at=None)


def _refused(event: Call.Ended) -> Iterator[RowOperation]:
    assert event.refusal is not None
    if event.refusal.kind is RefusalKind.CAPACITY:
        yield put(FAILURES, event.campaign_id, capacity_at=event.timestamp)
    elif event.earlier_refusals == 0:
        yield from _counted(event.campaign_id, event.reason)


def _request_refused(event: Call.Deferred | Call.Rejected) -> Iterator[RowOperation]:
    """Count each contact once, however often its call is requested again."""
    if event.refusal is None:
        return
    is_first = isinstance(event, Call.Deferred) and event.earlier_refusals == 0
    match event.refusal.kind:
        case RefusalKind.PLATFORM if is_first:
            yield from _counted(event.campaign_id, event.refusal.rule)
        case RefusalKind.CONTACT:
            yield from _counted(event.campaign_id, event.refusal.rule)


def _counted(campaign_id: UUID, reason: str | None) -> Iterator[RowOperation]:
    yield put(FAILURES, campaign_id, reason=reason)
    yield add(FAILURES, campaign_id, in_a_row=1)
