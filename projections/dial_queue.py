"""What the scheduler must watch, and the one view that it plans from."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import LiteralString
from uuid import UUID

from domain.call import Call, CallFact
from domain.campaign import Campaign
from domain.dispatcher import Dispatcher
from domain.reports import ReportGrade
from domain.settings import Settings, SettingsValues
from domain.values import (
    ZERO,
    CallStatus,
    CampaignState,
    ContactStatus,
    DialMode,
    PauseCause,
    RefusalScope,
)
from projections import settings_board, spend
from projections.row_operations import Columns, RowOperation, add, drop, patch, put
from projections.tables import (
    Table,
    one_snapshot,
    position_of,
    select,
    select_value,
)
from storage.database import Conn

QUEUE, BATCHES, DISPATCH, ACCOUNT = "dial_queue", "batch_board", "dispatch", "account"
SUSPECTED = "suspected_duplicate"
HANG_UPS = "campaign_hang_up"
ONLY = 1
"""The key of the one row of a table that has one."""

ACTIVE = frozenset(
    {ContactStatus.QUEUED, ContactStatus.RINGING, ContactStatus.IN_PROGRESS}
)

GHOST_GRACE = timedelta(minutes=15)
"""How long after its longest duration a call may still be live at the provider."""


class Phase(StrEnum):
    """Where an open call stands on its way.

    A ghost is over for us, but not proven over at the provider; one that is reporting
    has ended and waits for its report.
    """

    CLAIMED = "claimed"
    REQUESTED = "requested"
    UNKNOWN = "unknown"
    PLACED = "placed"
    GHOST = "ghost"
    REPORTING = "reporting"


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
        looked_up integer not null default 0
    ) with (fillfactor = 70);
    create index if not exists dial_queue_campaign on dial_queue (campaign_id);
    """,
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
        case CallFact():
            yield from _called(event)


def _counted_in_batch(event: Call.Created) -> Iterator[RowOperation]:
    """Count contacts: another attempt is of one who is in the batch already."""
    if event.batch is not None and event.attempt == 1:
        key = (event.campaign_id, event.batch)
        yield put(BATCHES, key)
        yield add(BATCHES, key, contacts=1)


def _called(event: CallFact) -> Iterator[RowOperation]:
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
        case Call.HangUpRequested():
            yield patch(QUEUE, call_id, hang_up_requested=True)
        case _:
            yield from _at_the_provider(event)


def _at_the_provider(event: CallFact) -> Iterator[RowOperation]:
    match event:
        case Call.Placed(ghost=True):
            yield _watch(event, Phase.GHOST)
        case Call.Placed() | Call.Ringing() | Call.Answered():
            if event.standing in ACTIVE:  # It may be told late, of a call that is over.
                yield _watch(event, Phase.PLACED)
        case Call.TimedOut():
            yield _watch(event, Phase.GHOST)
        case Call.Ended(awaits_report=True):
            yield _watch(event, Phase.REPORTING)
        case Call.Reported(settled=True):
            yield drop(QUEUE, event.originator_id)
        case Call.Reported() if event.grade == ReportGrade.LOOKED_UP:
            yield patch(QUEUE, event.originator_id, looked_up=event.grade)


def _watch(event: CallFact, phase: Phase, **more: datetime) -> RowOperation:
    """Put the row, for a fact may come late and to a call that was dropped."""
    columns: Columns = {"campaign_id": event.campaign_id, "phase": phase, **more}
    return put(QUEUE, event.originator_id, **columns)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact that may be called now.

    `attempt` is the one to make; `call_id` the call to be requested again, else None;
    `batch` the one that the contact belongs to, where it was claimed before.
    """

    contact_id: UUID
    list_id: UUID
    attempt: int
    call_id: UUID | None
    batch: int | None


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that the scheduler has to watch, with its line.

    `claimed_at` is the last claim's time: by its UTC day the cost is booked.
    `hang_up_requested` whether for the call alone or for all of its campaign.
    """

    call_id: UUID
    campaign_id: UUID
    contact_id: UUID
    attempt: int
    phase: Phase
    status: CallStatus
    requests: int
    requested_at: datetime | None
    dial_before: datetime | None
    unknown_at: datetime | None
    provider_call_id: str | None
    queued_at: datetime
    claimed_at: datetime
    placed_at: datetime | None
    ended_at: datetime | None
    closed_at: datetime | None
    last_event_at: datetime
    hang_up_requested: bool
    looked_up: int
    version: int
    phone_number_id: str
    longest_call_seconds: int
    started_at: datetime | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign as the scheduler plans it; `version` is its stream's.

    `ghosts` and `unreported` count open calls that hold room, and money: a report is
    not final. `deferred` contacts are pending, the first at `next_due_at`.
    `charged` is what `charged_calls` of `charged_seconds` in all have cost.
    `batch_contacts` are those of the batch opened last. `start_failures` contacts in a
    row were refused, the last for that `start_failure`. `capacity_refused_at` is when a
    call last ended for lack of capacity. `account_refusal` is the text of the pause of
    another campaign that uses the same `account_scope`, paused since this one was
    started or resumed. `claimed_position` is the log position of the campaign's last
    claim, None before the first.
    """

    id: UUID
    name: str
    state: CampaignState
    pause_cause: PauseCause | None
    version: int
    cap: int
    mode: DialMode
    line_quiet_gating: bool
    phone_number_id: str
    provider_assistant_id: str
    budget: Decimal | None
    spend: Decimal
    costs_reported: int
    longest_call_seconds: int
    created_at: datetime
    queued_at: datetime | None
    contacts: int
    pending: int
    active: int
    ghosts: int
    unreported: int
    deferred: int
    next_due_at: datetime | None
    batch: int | None
    batch_contacts: int
    charged_calls: int = 0
    charged_seconds: int = 0
    charged: Decimal = ZERO
    start_failures: int = 0
    start_failure: str | None = None
    capacity_refused_at: datetime | None = None
    account_scope: RefusalScope | None = None
    account_refusal: str | None = None
    claimed_position: int | None = None
    candidates: tuple[Candidate, ...] = ()

    @property
    def completable(self) -> bool:
        return (
            self.pending == 0
            and self.active == 0
            and self.state is not CampaignState.CANCELED
        )


@dataclass(frozen=True, slots=True)
class SuspectedDuplicate:
    """A webhook named one of our calls with another provider call id.

    Two calls may be under way for one person: the provider is asked for both ids.
    """

    call_id: UUID
    campaign_id: UUID
    bound_provider_call_id: str | None
    other_provider_call_id: str
    suspected_at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a plan rests on, as of one position of the log.

    `claims_seen` is the Dispatcher's version: a claim made on this view is its next.
    `spent_today` is what the calls claimed in the UTC day of `now` have cost.
    """

    position: int
    claims_seen: int
    settings: SettingsValues | None
    duplicates_open: bool
    suspected: tuple[SuspectedDuplicate, ...]
    spent_today: Decimal
    campaigns: tuple[CampaignView, ...]
    calls: tuple[OpenCall, ...]


_CLAIMS: LiteralString = "select claims from dispatch where id = 1"
_SUSPECTED: LiteralString = """
    select s.call_id, s.campaign_id, l.provider_call_id as bound_provider_call_id,
        s.provider_call_id as other_provider_call_id, s.suspected_at
    from suspected_duplicate s join call_log l using (call_id)
    order by l.queued_at, s.call_id, s.provider_call_id
"""
_DUPLICATES: LiteralString = "select duplicates_open from account where id = 1"

# Whatever is over for us and may have outlived even its longest duration is let go.
_CALLS: LiteralString = """
    select q.call_id, q.campaign_id, l.contact_id, l.attempt, q.phase, l.status,
        l.requests, q.requested_at, q.dial_before, q.unknown_at, l.provider_call_id,
        l.queued_at, coalesce(q.claimed_at, l.queued_at) as claimed_at, l.placed_at,
        l.ended_at, l.closed_at, l.last_event_at,
        q.hang_up_requested or h.campaign_id is not null as hang_up_requested,
        q.looked_up, l.version, c.phone_number_id, c.longest_call_seconds,
        l.started_at, l.cost
    from dial_queue q
    join call_log l on l.call_id = q.call_id
    join campaign_board c on c.id = q.campaign_id
    left join campaign_hang_up h on h.campaign_id = q.campaign_id
    where q.phase <> 'ghost' or l.placed_at is null
        or l.placed_at >= %(now)s
            - make_interval(secs => c.longest_call_seconds) - %(grace)s
    order by l.queued_at, q.call_id
"""

_CAMPAIGNS: LiteralString = """
    select c.id, c.name, c.state, c.pause_cause, c.version, c.cap, c.mode,
        c.line_quiet_gating, c.phone_number_id, c.provider_assistant_id, c.budget,
        c.spend, c.costs_reported, c.longest_call_seconds, c.created_at, c.queued_at,
        c.contacts, c.pending, c.queued + c.ringing + c.in_progress as active,
        open.ghosts, open.unreported, later.deferred, later.next_due_at, c.batch,
        coalesce(b.contacts, 0) as batch_contacts,
        coalesce(g.calls, 0) as charged_calls,
        coalesce(g.seconds, 0) as charged_seconds, coalesce(g.cost, 0) as charged,
        coalesce(f.in_a_row, 0) as start_failures, f.reason as start_failure,
        f.capacity_at as capacity_refused_at,
        shared.account_scope, shared.words as account_refusal, t.claimed_position
    from campaign_board c
    left join batch_board b on b.campaign_id = c.id and b.batch = c.batch
    left join start_failure f on f.campaign_id = c.id
    left join charged_calls g on g.campaign_id = c.id
    left join campaign_turn t on t.campaign_id = c.id
    left join lateral (
        select p.account_scope, coalesce(w.words, '') as words
        from start_failure p
        join campaign_board o on o.id = p.campaign_id
        left join words_vault w on w.id = p.account_words_id
        where o.id <> c.id and o.state = 'PAUSED' and p.account_at > c.queued_at
            and p.account_position > c.resumed_position
            and (p.account_scope = 'ACCOUNT'
                or p.account_scope = 'LINE' and o.phone_number_id = c.phone_number_id
                or p.account_scope = 'ASSISTANT'
                    and o.provider_assistant_id = c.provider_assistant_id)
        order by p.account_position desc limit 1
    ) shared on c.state in ('QUEUED', 'DIALING', 'RUNNING')
    cross join lateral (
        select count(*) filter (where q.phase = 'ghost') as ghosts,
            count(*) as unreported
        from dial_queue q
        join call_log l on l.call_id = q.call_id
        where q.campaign_id = c.id
            and (q.phase <> 'ghost' or l.placed_at is null
                or l.placed_at >= %(now)s
                    - make_interval(secs => c.longest_call_seconds) - %(grace)s)
    ) open
    cross join lateral (
        select count(*) as deferred, min(k.due_at) as next_due_at
        from contact_log k join contact_import i using (list_id)
        where k.campaign_id = c.id and k.due_at > %(now)s
            and k.deferred_position > c.resumed_position
            and i.imported_position is not null
    ) later
    where c.state in ('QUEUED', 'DIALING', 'RUNNING', 'PAUSED')
        or (c.id in (select campaign_id from dial_queue) and open.unreported > 0)
    order by c.queued_at, c.id
"""

_CANDIDATES: LiteralString = """
    select c.id as campaign_id, first.contact_id, first.list_id,
        case when first.requeue then first.attempt else first.attempt + 1 end
            as attempt,
        case when first.requeue then first.call_id end as call_id, first.batch
    from campaign_board c
    cross join lateral (
        select i.imported_position, k.*
        from contact_import i
        cross join lateral (
            select * from contact_log k
            where k.list_id = i.list_id and k.status = 'PENDING'
                and (k.due_at is null or k.due_at <= %(now)s
                    or k.deferred_position < c.resumed_position)
            order by k.seq limit %(most)s
        ) k
        where i.campaign_id = c.id and i.imported_position is not null
        order by i.imported_position, k.seq limit %(most)s
    ) first
    where c.state in ('QUEUED', 'DIALING', 'RUNNING')
    order by c.id, first.imported_position, first.seq
"""


_LIVE: LiteralString = """
    select call_id from dial_queue
    where campaign_id = %(campaign)s and phase in ('requested', 'unknown', 'placed')
"""


def snapshot(
    conn: Conn, now: datetime, most: int, ghost_grace: timedelta = GHOST_GRACE
) -> Snapshot:
    """Read what a plan needs, all of one moment, the oldest campaign first.

    `most` candidates at most for each campaign that is being dialled, in the file's
    order; the others are counted only. A campaign that is over is shown while calls of
    it are open.
    """
    with one_snapshot(conn):
        return Snapshot(
            position=position_of(conn),
            claims_seen=int(select_value(conn, _CLAIMS) or 0),
            settings=settings_board.get(conn),
            duplicates_open=dialling_is_stopped(conn),
            suspected=tuple(select(conn, SuspectedDuplicate, _SUSPECTED)),
            spent_today=spend.spent_on(conn, now.astimezone(UTC).date()),
            campaigns=_campaigns(conn, now, most, ghost_grace),
            calls=_open_calls(conn, now, ghost_grace),
        )


def dialling_is_stopped(conn: Conn) -> bool:
    """Return whether a duplicate call stops all dialling until an admin allows it."""
    return bool(select_value(conn, _DUPLICATES))


def _open_calls(conn: Conn, now: datetime, grace: timedelta) -> tuple[OpenCall, ...]:
    """Read the calls to be watched, the oldest first."""
    return tuple(select(conn, OpenCall, _CALLS, now=now, grace=grace))


def live_calls(conn: Conn, campaign_id: UUID) -> list[UUID]:
    """Tell which calls of a campaign are, or may be, live at the provider."""
    rows = conn.execute(_LIVE, {"campaign": campaign_id})
    return [row[0] for row in rows]


def _campaigns(
    conn: Conn, now: datetime, most: int, grace: timedelta
) -> tuple[CampaignView, ...]:
    candidates = _candidates(conn, now, most)
    views = select(conn, CampaignView, _CAMPAIGNS, now=now, grace=grace)
    return tuple(
        replace(view, candidates=tuple(candidates.get(view.id, ()))) for view in views
    )


def _candidates(conn: Conn, now: datetime, most: int) -> dict[UUID, list[Candidate]]:
    found: defaultdict[UUID, list[Candidate]] = defaultdict(list)
    for campaign_id, *candidate in conn.execute(
        _CANDIDATES, {"now": now, "most": most}
    ):
        found[campaign_id].append(Candidate(*candidate))
    return found
