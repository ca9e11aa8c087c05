"""Calls: the status, times, cost and outcome of each."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, LiteralString
from uuid import UUID

from domain.calls.call import Call
from domain.calls.events.call_event import CallEvent, ContactStatusChanged
from domain.outcomes import CallOutcome, Disposition
from domain.states import STATUS_AFTER_END
from domain.values import CallStatus, ContactStatus
from projections.tables.definition import Table
from projections.tables.queries import select, select_one
from projections.tables.row_operations import Columns, RowOperation, patch, put
from projections.tables.state_sql import literals
from storage.database import Conn

LOG = "call_log"

TABLE = Table(
    LOG,
    ("call_id",),
    """
    create table if not exists call_log (
        call_id uuid primary key,
        campaign_id uuid not null,
        contact_id uuid not null,
        attempt integer not null,
        status text not null,
        standing text not null,
        time_zones text,
        requests integer not null default 0,
        phone_number_id text,
        longest_call_seconds integer,
        provider_call_id text,
        queued_at timestamptz not null,
        placed_at timestamptz,
        ringing_at timestamptz,
        started_at timestamptz,
        ended_at timestamptz,
        closed_at timestamptz,
        last_event_at timestamptz not null,
        duration_seconds integer,
        outcome text,
        unknown_reason text,
        disposition text,
        ended_reason text,
        failure text,
        rejection_words_id uuid,
        ended_words_id uuid,
        cost numeric,
        report_message_id uuid,
        version bigint not null
    ) with (fillfactor = 70);
    create index if not exists call_log_campaign on call_log (campaign_id);
    create index if not exists call_log_contact on call_log (contact_id, attempt);
    create index if not exists call_log_provider_call on call_log (provider_call_id);
    create index if not exists call_log_unknown_reason
        on call_log (unknown_reason) where unknown_reason is not null;
    """,
    handler_version=8,
)

LINE: LiteralString = """
    case when l.requests = 0 then c.phone_number_id
        else coalesce(l.phone_number_id, c.first_phone_number_id) end
"""
"""SQL for the line of a call `l` of the campaign `c`.

Requests of releases in which a campaign could not change its line do not name it.
"""

LONGEST_SECONDS: LiteralString = """
    coalesce(
        l.longest_call_seconds,
        greatest(c.longest_call_seconds, c.first_longest_call_seconds)
    )
"""
"""SQL for the longest duration of a call `l` of the campaign `c`, in seconds."""

OURS = frozenset({ContactStatus.FAILED, ContactStatus.CANCELED, ContactStatus.TIMEOUT})
"""Statuses of calls that we gave up; a later end at the provider changes none."""


def call_log(event: object, _position: int) -> Iterator[RowOperation]:
    if not isinstance(event, CallEvent):
        return
    columns: Columns = {
        "last_event_at": event.timestamp,
        "version": event.originator_version,
    }
    if isinstance(event, ContactStatusChanged):
        columns["standing"] = event.standing
    if isinstance(event, Call.Created):
        yield put(LOG, event.originator_id, **columns, **_created(event))
    else:
        yield patch(LOG, event.originator_id, **columns, **_changed(event))


def _created(event: Call.Created) -> Columns:
    return {
        "campaign_id": event.campaign_id,
        "contact_id": event.contact_id,
        "attempt": event.attempt,
        "status": CallStatus.QUEUED,
        "queued_at": event.timestamp,
    }


def _changed(event: CallEvent) -> Columns:
    match event:
        case Call.Requested():
            return {
                "requests": event.number,
                "time_zones": ",".join(event.time_zones) or None,
                "phone_number_id": event.phone_number_id,
                "longest_call_seconds": event.longest_call_seconds,
            }
        case Call.Placed() | Call.Rebound():
            placed_at = event.placed_at
            return {"provider_call_id": event.provider_call_id, "placed_at": placed_at}
        case Call.Ringing():
            return {"status": CallStatus.RINGING, "ringing_at": event.ringing_at}
        case Call.Answered():
            return _answered(event)
        case _:
            return _closing(event)


def _closing(event: CallEvent) -> Columns:
    match event:
        case Call.Ended():
            return _ended(event)
        case Call.Reported():
            return _reported(event)
        case Call.DispositionSet():
            return {"disposition": event.disposition}
        case _:
            return _given_up(event)


def _answered(event: Call.Answered) -> Columns:
    columns: Columns = {}
    if event.standing is ContactStatus.IN_PROGRESS:
        columns["status"] = CallStatus.IN_PROGRESS
    if event.answered_at is not None:
        columns["started_at"] = event.answered_at
    return columns


def _ended(event: Call.Ended) -> Columns:
    columns: Columns = {"ended_reason": event.reason, "ended_at": event.ended_at}
    columns |= outcome_columns(event)
    if event.words is not None:
        columns["ended_words_id"] = event.words.words_id
    if event.was not in OURS:
        columns["status"] = STATUS_AFTER_END[event.standing]
        if event.awaits_report:
            columns["closed_at"] = event.timestamp
    return columns


def _reported(event: Call.Reported) -> Columns:
    columns: Columns = {
        "ended_reason": event.reason,
        "started_at": event.started_at,
        "ended_at": event.ended_at,
        "duration_seconds": event.duration_seconds,
        "cost": event.cost,
        **outcome_columns(event),
    }
    if event.report_message_id is not None:
        columns["report_message_id"] = event.report_message_id
    return columns


type OutcomeEvent = (
    Call.Ended
    | Call.Reported
    | Call.Rejected
    | Call.Failed
    | Call.TimedOut
    | Call.Canceled
)
"""Events that name the outcome of a call."""


def outcome_columns(event: OutcomeEvent) -> Columns:
    """Return the columns of the outcome; none if an old event names no outcome."""
    if event.outcome is None:
        return {}
    columns: Columns = {"outcome": event.outcome.outcome}
    if isinstance(event, Call.Ended | Call.Reported):
        unknown = event.outcome.needs_rule
        columns["unknown_reason"] = event.reason if unknown else None
    return columns


def _given_up(event: CallEvent) -> Columns:
    match event:
        case Call.Rejected():
            words_id = event.words.words_id
            return _closed(event, CallStatus.FAILED, rejection_words_id=words_id)
        case Call.Failed():
            return _closed(event, CallStatus.FAILED, failure=event.reason)
        case Call.TimedOut():
            return _closed(event, CallStatus.TIMEOUT, failure=event.reason)
        case Call.Canceled():
            return _closed(event, CallStatus.CANCELED)
        case _:
            return {}


def _closed(event: OutcomeEvent, status: CallStatus, **columns: Any) -> Columns:
    closed: Columns = {"status": status, "closed_at": event.timestamp}
    return closed | outcome_columns(event) | columns


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call; times are the provider's except queued, closed and last event.

    `failure` is our own reason for giving it up, `rejection_words_id` names the
    provider's words in the vault, and `ended_words_id` its explanation of the reason
    for which the call ended. The best report, with recording and transcript, is
    the vault's message `report_message_id`. `cost` in US dollars.
    """

    id: UUID
    campaign_id: UUID
    contact_id: UUID
    attempt: int
    status: CallStatus
    standing: ContactStatus
    requests: int
    provider_call_id: str | None
    queued_at: datetime
    placed_at: datetime | None
    ringing_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    closed_at: datetime | None
    last_event_at: datetime
    duration_seconds: int | None
    outcome: CallOutcome | None
    disposition: Disposition | None
    ended_reason: str | None
    failure: str | None
    rejection_words_id: UUID | None
    ended_words_id: UUID | None
    cost: Decimal | None
    report_message_id: UUID | None
    version: int

    @property
    def ring_seconds(self) -> int | None:
        """Seconds from the first ringing to the answer, or to the end without one.

        None if the provider did not report both times, or not in that order. Exports
        use RING_SECONDS, which a test compares with this property.
        """
        stopped_at = self.started_at or self.ended_at
        if self.ringing_at is None or stopped_at is None:
            return None
        seconds = (stopped_at - self.ringing_at).total_seconds()
        return round(seconds) if seconds >= 0 else None


def placed_calls(rows: Iterable[CallRow]) -> int:
    """Count the calls that the provider accepted."""
    return sum(row.placed_at is not None for row in rows)


RING_SECONDS: LiteralString = """
    case when call.ringing_at <= coalesce(call.started_at, call.ended_at) then
        round(date_part('epoch',
            coalesce(call.started_at, call.ended_at) - call.ringing_at))::int
    end
"""
"""SQL expression of `CallRow.ring_seconds` for `call_log call`."""

_ROW: LiteralString = """
    select call_id as id, campaign_id, contact_id, attempt, status, standing, requests,
        provider_call_id, queued_at, placed_at, ringing_at, started_at, ended_at,
        closed_at, last_event_at, duration_seconds, outcome, disposition, ended_reason,
        failure, rejection_words_id, ended_words_id, cost, report_message_id, version
    from call_log
"""


def get(conn: Conn, call_id: UUID) -> CallRow | None:
    return select_one(conn, CallRow, _ROW + "where call_id = %(id)s", id=call_id)


def of_ids(conn: Conn, call_ids: Collection[UUID]) -> dict[UUID, CallRow]:
    query = _ROW + "where call_id = any(%(ids)s)"
    return {call.id: call for call in select(conn, CallRow, query, ids=list(call_ids))}


def by_provider_call_id(conn: Conn, provider_call_id: str) -> CallRow | None:
    query = _ROW + "where provider_call_id = %(id)s order by queued_at limit 1"
    return select_one(conn, CallRow, query, id=provider_call_id)


def of_contact(conn: Conn, contact_id: UUID) -> list[CallRow]:
    """Read every call to a contact, oldest first."""
    query = _ROW + "where contact_id = %(id)s order by attempt"
    return select(conn, CallRow, query, id=contact_id)


def of_contacts(conn: Conn, contact_ids: Collection[UUID]) -> dict[UUID, list[CallRow]]:
    """Read every call to each of these contacts, oldest first."""
    query = _ROW + "where contact_id = any(%(ids)s) order by contact_id, attempt"
    calls: dict[UUID, list[CallRow]] = {id_: [] for id_ in contact_ids}
    for call in select(conn, CallRow, query, ids=list(calls)):
        calls[call.contact_id].append(call)
    return calls


@dataclass(frozen=True, slots=True)
class ActivityBucket:
    """What happened from `since` on, for as long as the bucket is wide."""

    since: datetime
    placed: int
    ended: int
    failed: int
    spend: Decimal


FAILED = literals((CallStatus.FAILED, CallStatus.TIMEOUT))

_ACTIVITY: LiteralString = f"""
    select date_bin(%(width)s, happened.at, timestamptz '2000-01-01 00:00Z') as since,
        count(*) filter (where happened.what = 'placed') as placed,
        count(*) filter (where happened.what = 'ended') as ended,
        count(*) filter (where happened.what = 'failed') as failed,
        coalesce(sum(happened.cost), 0) as spend
    from call_log call
    cross join lateral (values
        (call.placed_at, 'placed', null::numeric),
        (case when call.status = '{CallStatus.ENDED}'
         then coalesce(call.ended_at, call.closed_at) end, 'ended', null),
        (case when call.status in {FAILED} then call.closed_at
         end, 'failed', null),
        (coalesce(call.ended_at, call.closed_at), 'cost', call.cost)
    ) as happened (at, what, cost)
    where call.campaign_id = %(campaign)s and happened.at is not null
    group by 1 order by 1
"""  # noqa: S608 - our own text


def activity(
    conn: Conn, campaign_id: UUID, bucket_seconds: int
) -> list[ActivityBucket]:
    """Count what happened in each stretch of time, oldest first; empty ones not."""
    width = timedelta(seconds=bucket_seconds)
    return select(conn, ActivityBucket, _ACTIVITY, campaign=campaign_id, width=width)
