"""The open calls that the scheduler watches, with what limits further calls."""

from collections.abc import Iterator
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from domain.calls.call import Call
from domain.calls.events.call_event import CallEvent
from domain.calls.reports import ReportGrade
from domain.campaigns.campaign import Campaign
from domain.dial_view import LIVE_PHASES, Phase
from domain.dispatcher import Dispatcher
from domain.settings import Settings
from domain.states import ACTIVE
from projections.calls.call_log import LONGEST_SECONDS
from projections.tables.definition import Table
from projections.tables.queries import select_value
from projections.tables.row_operations import (
    Columns,
    RowOperation,
    add,
    drop,
    patch,
    put,
)
from projections.tables.state_sql import literals
from storage.database import Conn

QUEUE, BATCHES, DISPATCH, ACCOUNT = "dial_queue", "batch_board", "dispatch", "account"
SUSPECTED = "suspected_duplicate"
HANG_UPS = "campaign_hang_up"
ONLY = 1
"""The key of the one row of a table that has one."""

TABLES = (
    Table(
        QUEUE,
        ("call_id",),
        """
    create table if not exists dial_queue (
        call_id uuid primary key,
        campaign_id uuid not null,
        phase text not null,
        claimed_at timestamptz,
        requested_at timestamptz,
        dial_before timestamptz,
        unknown_at timestamptz,
        hang_up_requested boolean not null default false,
        looked_up integer not null default 0,
        callback_requested boolean not null default false
    ) with (fillfactor = 70);
    create index if not exists dial_queue_campaign on dial_queue (campaign_id);
    """,
        handler_version=4,
    ),
    Table(
        HANG_UPS,
        ("campaign_id",),
        """
    create table if not exists campaign_hang_up (
        campaign_id uuid primary key
    );
    """,
    ),
    Table(
        BATCHES,
        ("campaign_id", "batch"),
        """
    create table if not exists batch_board (
        campaign_id uuid not null,
        batch integer not null,
        contacts integer not null default 0,
        primary key (campaign_id, batch)
    );
    """,
        handler_version=2,
    ),
    Table(
        DISPATCH,
        ("id",),
        """
    create table if not exists dispatch (
        id integer primary key,
        claims bigint not null
    );
    """,
    ),
    Table(
        ACCOUNT,
        ("id",),
        """
    create table if not exists account (
        id integer primary key,
        duplicates_open boolean not null
    );
    """,
    ),
    Table(
        SUSPECTED,
        ("call_id", "provider_call_id"),
        """
    create table if not exists suspected_duplicate (
        call_id uuid not null,
        provider_call_id text not null,
        campaign_id uuid not null,
        suspected_at timestamptz not null,
        primary key (call_id, provider_call_id)
    );
    """,
    ),
)


def dial_queue(event: object, _position: int) -> Iterator[RowOperation]:
    match event:
        case Dispatcher.CallsClaimed():
            yield put(DISPATCH, ONLY, claims=event.originator_version)
        case Settings.RequestsAllowedAgain():
            yield put(ACCOUNT, ONLY, duplicates_open=False)
        case Call.DuplicateSuspected(provider_call_id=other):
            key = (event.originator_id, other)
            suspicion: Columns = {
                "campaign_id": event.campaign_id,
                "suspected_at": event.timestamp,
            }
            yield put(SUSPECTED, key, **suspicion)
        case Call.DuplicateDismissed(provider_call_id=other):
            yield drop(SUSPECTED, (event.originator_id, other))
        case Call.DuplicateDetected(provider_call_id=other):
            yield put(ACCOUNT, ONLY, duplicates_open=True)
            yield drop(SUSPECTED, (event.originator_id, other))
        case Campaign.Canceled(hang_up=True):
            yield put(HANG_UPS, event.originator_id)
        case Call.Created():
            yield _watch(event, Phase.CLAIMED, claimed_at=event.timestamp)
            yield from _counted_in_batch(event)
        case CallEvent():
            yield from _called(event)


def _counted_in_batch(event: Call.Created) -> Iterator[RowOperation]:
    """Count a contact that joins a batch, whatever the attempt."""
    if event.joins_batch:
        key = (event.campaign_id, event.batch)
        yield put(BATCHES, key)
        yield add(BATCHES, key, contacts=1)


def _called(event: CallEvent) -> Iterator[RowOperation]:
    call_id = event.originator_id
    match event:
        case Call.Requeued():
            yield _watch(event, Phase.CLAIMED, claimed_at=event.timestamp)
        case Call.Requested():
            requested = {
                "requested_at": event.timestamp,
                "dial_before": event.dial_before,
            }
            yield patch(QUEUE, call_id, phase=Phase.REQUESTED, **requested)
        case Call.OutcomeUnknown():
            unknown_at = event.timestamp
            yield patch(QUEUE, call_id, phase=Phase.UNKNOWN, unknown_at=unknown_at)
        case Call.Deferred() | Call.Rejected() | Call.Failed() | Call.Canceled():
            yield drop(QUEUE, call_id)
        case Call.CallbackRequested():
            yield patch(QUEUE, call_id, callback_requested=True)
        case Call.CallbackWithdrawn():
            yield patch(QUEUE, call_id, callback_requested=False)
        case Call.HangUpRequested():
            yield patch(QUEUE, call_id, hang_up_requested=True)
        case _:
            yield from _at_the_provider(event)


def _at_the_provider(event: CallEvent) -> Iterator[RowOperation]:
    match event:
        case Call.Placed(ghost=True) | Call.Rebound(ghost=True):
            yield _watch(event, Phase.GHOST)
        case Call.Placed() | Call.Ringing() | Call.Answered():
            if event.standing in ACTIVE:  # A late event can be of a call that is over.
                yield _watch(event, Phase.PLACED)
        case Call.TimedOut():
            yield _watch(event, Phase.GHOST)
        case Call.Ended(awaits_report=True):
            yield _watch(event, Phase.REPORTING)
        case Call.Reported(settled=True):
            yield drop(QUEUE, event.originator_id)
        case Call.Reported() if event.grade == ReportGrade.LOOKED_UP:
            yield patch(QUEUE, event.originator_id, looked_up=event.grade)


def _watch(event: CallEvent, phase: Phase, **more: datetime) -> RowOperation:
    """Upsert the row: the event may be late, after the call's row was deleted."""
    columns: Columns = {"campaign_id": event.campaign_id, "phase": phase, **more}
    return put(QUEUE, event.originator_id, **columns)


_DUPLICATES: LiteralString = "select duplicates_open from account where id = 1"

_LIVE: LiteralString = f"""
    select call_id from dial_queue
    where campaign_id = %(campaign)s and phase in {literals(LIVE_PHASES)}
"""  # noqa: S608 - our own text

GHOST_LASTS: LiteralString = f"""
    (l.placed_at is null or l.placed_at >=
        %(now)s - make_interval(secs => {LONGEST_SECONDS}) - %(grace)s)
"""
"""SQL condition that a ghost may still be live at the provider.

It is about the call `l` of the campaign `c`: less than its longest possible duration
and the parameter `grace` have passed since it was placed.
"""


def dialling_is_stopped(conn: Conn) -> bool:
    """Return whether a duplicate call stops all dialling until an admin allows it."""
    return bool(select_value(conn, _DUPLICATES))


def live_calls(conn: Conn, campaign_id: UUID) -> list[UUID]:
    """Return the calls of a campaign that are, or may be, live at the provider."""
    rows = conn.execute(_LIVE, {"campaign": campaign_id})
    return [row[0] for row in rows]
