"""The one consistent snapshot of the read tables that the scheduler plans from."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import LiteralString
from uuid import UUID

from domain.contacts.contact_history import PlanKind
from domain.dial_view import (
    GHOST_GRACE,
    CampaignView,
    Candidate,
    DeferredByGate,
    GroupView,
    OpenCall,
    Phase,
    Snapshot,
    SuspectedDuplicate,
)
from domain.states import MAY_DIAL, STARTED
from domain.values import CampaignState, ContactStatus, RefusalScope, WaitingCode
from projections import spend
from projections.calls.call_log import LINE, LONGEST_SECONDS
from projections.calls.dial_queue import GHOST_LASTS, dialling_is_stopped
from projections.contacts.contact_groups import FRESH
from projections.contacts.dial_groups import (
    Decide,
    groups_of_campaigns,
    open_groups,
)
from projections.contacts.planned_calls import (
    PLANNED,
    PLANNED_COLUMNS,
    due_calls_sql,
    to_review,
)
from projections.registers import settings_board
from projections.tables.checkpoint import one_snapshot, position_of
from projections.tables.queries import select, select_value
from projections.tables.state_sql import in_period_sql, literals
from storage.database import Conn

_CLAIMS: LiteralString = "select claims from dispatch where id = 1"
_SUSPECTED: LiteralString = """
    select s.call_id, s.campaign_id, l.provider_call_id as bound_provider_call_id,
        s.provider_call_id as other_provider_call_id, s.suspected_at
    from suspected_duplicate s join call_log l using (call_id)
    order by l.queued_at, s.call_id, s.provider_call_id
"""

_CALLS: LiteralString = f"""
    select q.call_id, q.campaign_id, l.contact_id, l.attempt, q.phase, l.status,
        l.requests, q.requested_at, q.dial_before, q.unknown_at, l.provider_call_id,
        l.queued_at, coalesce(q.claimed_at, l.queued_at) as claimed_at, l.placed_at,
        l.ended_at, l.closed_at, l.last_event_at,
        q.hang_up_requested or h.campaign_id is not null as hang_up_requested,
        q.looked_up, l.version, {LINE} as phone_number_id,
        {LONGEST_SECONDS} as longest_call_seconds, l.started_at, l.cost
    from dial_queue q
    join call_log l on l.call_id = q.call_id
    join campaign_board c on c.id = q.campaign_id
    left join campaign_hang_up h on h.campaign_id = q.campaign_id
    where q.phase <> '{Phase.GHOST}' or {GHOST_LASTS}
    order by l.queued_at, q.call_id
"""  # noqa: S608 - our own text

_CAMPAIGNS: LiteralString = f"""
    select c.id, c.name, c.state, c.pause_cause, c.version, c.cap, c.mode,
        c.line_quiet_gating, c.phone_number_id, c.provider_assistant_id, c.budget,
        c.spend, c.costs_reported, c.longest_call_seconds, c.created_at, c.queued_at,
        c.contacts, case when c.expired_at is null then c.pending else 0 end as pending,
        c.queued + c.ringing + c.in_progress as active,
        open.ghosts, open.unreported, later.deferred, later.next_due_at, c.batch,
        coalesce(b.contacts, 0) as batch_contacts,
        coalesce(g.calls, 0) as charged_calls,
        coalesce(g.seconds, 0) as charged_seconds, coalesce(g.cost, 0) as charged,
        coalesce(f.in_a_row, 0) as start_failures, f.reason as start_failure,
        f.capacity_at as capacity_refused_at,
        shared.account_scope, shared.words as account_refusal, t.claimed_position,
        c.starts_at, c.ends_at, c.expired_at, c.terms_version,
        c.needs_reports as need_reports, c.awaiting_reports, open.awaited_callbacks,
        {PLANNED_COLUMNS}
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
        where o.id <> c.id and o.state = '{CampaignState.PAUSED}'
            and p.account_at > c.queued_at
            and p.account_position > c.resumed_position
            and (p.account_scope = '{RefusalScope.ACCOUNT}'
                or p.account_position > o.caller_position
                    and (p.account_scope = '{RefusalScope.LINE}'
                            and o.phone_number_id = c.phone_number_id
                        or p.account_scope = '{RefusalScope.ASSISTANT}'
                            and o.provider_assistant_id = c.provider_assistant_id
                            and o.id not in (select campaign_id from campaign_arm)))
        order by p.account_position desc limit 1
    ) shared on c.state in {literals(MAY_DIAL)}
    cross join lateral (
        select count(*) filter (where q.phase = '{Phase.GHOST}') as ghosts,
            count(*) as unreported,
            count(*) filter (where q.callback_requested) as awaited_callbacks
        from dial_queue q
        join call_log l on l.call_id = q.call_id
        where q.campaign_id = c.id
            and (q.phase <> '{Phase.GHOST}' or {GHOST_LASTS})
    ) open
    cross join lateral (
        select count(*) as deferred, min(k.due_at) as next_due_at
        from contact_log k join contact_import i using (list_id)
        where k.campaign_id = c.id and k.due_at > %(now)s
            and k.deferred_position > c.resumed_position
            and i.imported_position is not null
    ) later
    {PLANNED}
    where c.state in {literals(STARTED)}
        or (c.id in (select campaign_id from dial_queue) and open.unreported > 0)
    order by c.queued_at, c.id
"""  # noqa: S608 - our own text

_FRESH: LiteralString = f"""
        (select 2 as rank, null::timestamptz as ready_at, i.imported_position, k.*
        from contact_import i
        cross join unnest(o.groups) as own (group_id)
        cross join lateral (
            select * from contact_log k
            where k.list_id = i.list_id and k.group_id = own.group_id
                and {FRESH}
            order by k.seq limit %(most)s
        ) k
        where i.campaign_id = c.id and i.imported_position is not null
        order by i.imported_position, k.seq limit %(most)s)
"""  # noqa: S608 - our own text

_DEFERRED: LiteralString = f"""
        (select 2 as rank, null::timestamptz as ready_at, i.imported_position, k.*
        from contact_log k join contact_import i using (list_id)
        where k.campaign_id = c.id and k.due_at is not null
            and k.status = '{ContactStatus.PENDING}' and k.planned_at is null
            and (k.due_at <= %(now)s or k.deferred_position < c.resumed_position)
            and i.imported_position is not null and k.group_id = any(o.groups)
        order by i.imported_position, k.seq limit %(most)s)
"""  # noqa: S608 - our own text

_CANDIDATES = f"""
    with open_group as materialized (
        select campaign_id, array_agg(group_id) as groups
        from unnest(%(campaigns)s::uuid[], %(groups)s::bigint[])
            as open (campaign_id, group_id)
        group by campaign_id
    )
    select c.id as campaign_id, first.contact_id, first.list_id,
        case when first.requeue then first.attempt else first.attempt + 1 end
            as attempt,
        case when first.requeue then first.call_id end as call_id, first.batch,
        first.version as contact_version, first.group_id,
        case when first.planned_at is not null then first.planned_kind end as plan
    from campaign_board c
    join open_group o on o.campaign_id = c.id
    cross join lateral (
        select * from (
            {due_calls_sql(PlanKind.CALLBACK, "0", 0)}
            union all
            {due_calls_sql(PlanKind.RETURNED, "0", 1)}
            union all
            {due_calls_sql(PlanKind.RETRY, "c.terms_version", 1)}
            union all
            {_DEFERRED}
            union all
            {_FRESH}
        ) any_kind
        order by rank, ready_at, imported_position, seq limit %(most)s
    ) first
    where c.state in {literals(MAY_DIAL)} and c.expired_at is null
        and {in_period_sql("c.starts_at", "c.ends_at", "%(now)s")}
    order by c.id, first.rank, first.ready_at, first.imported_position, first.seq
"""  # noqa: S608 - our own text


_DEFERRED_BY_GATE: LiteralString = f"""
    select c.id, k.deferred_code, count(*), min(k.due_at)
    from campaign_board c
    join contact_log k on k.campaign_id = c.id and k.due_at > %(now)s
    join contact_import i using (list_id)
    where c.state in {literals(MAY_DIAL)} and k.deferred_code is not null
        and i.imported_position is not null
    group by 1, 2 order by 1, 2
"""  # noqa: S608 - our own text


def snapshot(
    conn: Conn,
    now: datetime,
    most: int,
    decide: Decide,
    ghost_grace: timedelta = GHOST_GRACE,
) -> Snapshot:
    """Read what a plan needs in one database snapshot, the oldest campaign first.

    `decide` is asked once for each group of contacts. Each campaign that is being
    dialled has at most `most` candidates, of groups that may be called: callbacks that
    are due, then retries, then the others in the order of its files. Its other contacts
    are only counted. A finished campaign is included
    while calls of it are open. Ghosts are included until `ghost_grace` after their
    longest duration.
    """
    with one_snapshot(conn):
        settings = settings_board.get(conn)
        groups = groups_of_campaigns(conn, settings, now, decide)
        return Snapshot(
            position=position_of(conn),
            claims_seen=int(select_value(conn, _CLAIMS) or 0),
            settings=settings,
            duplicates_open=dialling_is_stopped(conn),
            suspected=tuple(select(conn, SuspectedDuplicate, _SUSPECTED)),
            spent_today=spend.spent_on(conn, now.astimezone(UTC).date()),
            campaigns=_campaigns(conn, now, most, ghost_grace, groups),
            calls=_open_calls(conn, now, ghost_grace),
        )


def _open_calls(conn: Conn, now: datetime, grace: timedelta) -> tuple[OpenCall, ...]:
    """Read the calls that the scheduler watches, the oldest first."""
    return tuple(select(conn, OpenCall, _CALLS, now=now, grace=grace))


def _campaigns(
    conn: Conn,
    now: datetime,
    most: int,
    grace: timedelta,
    groups: dict[UUID, list[GroupView]],
) -> tuple[CampaignView, ...]:
    candidates = _candidates(conn, now, most, grace, groups)
    refused = _deferred_by_gate(conn, now)
    reviews = to_review(conn, now)
    views = select(conn, CampaignView, _CAMPAIGNS, now=now, grace=grace)
    return tuple(
        replace(
            view,
            candidates=tuple(candidates.get(view.id, ())),
            to_review=tuple(reviews.get(view.id, ())),
            groups=tuple(groups.get(view.id, ())),
            deferred_by_gate=tuple(refused.get(view.id, ())),
        )
        for view in views
    )


def _deferred_by_gate(conn: Conn, now: datetime) -> dict[UUID, list[DeferredByGate]]:
    found: defaultdict[UUID, list[DeferredByGate]] = defaultdict(list)
    for campaign_id, code, contacts, until in conn.execute(
        _DEFERRED_BY_GATE, {"now": now}
    ):
        one = DeferredByGate(WaitingCode(code), contacts, until)
        found[campaign_id].append(one)
    return found


def _candidates(
    conn: Conn,
    now: datetime,
    most: int,
    grace: timedelta,
    groups: dict[UUID, list[GroupView]],
) -> dict[UUID, list[Candidate]]:
    found: defaultdict[UUID, list[Candidate]] = defaultdict(list)
    values = {"now": now, "most": most, "grace": grace, **open_groups(groups)}
    for campaign_id, *candidate, plan in conn.execute(_CANDIDATES, values):
        kind = PlanKind(plan) if plan else None
        found[campaign_id].append(replace(Candidate(*candidate), plan=kind))
    return found
