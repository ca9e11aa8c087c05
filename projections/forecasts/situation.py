"""The present situation of a campaign, from groups and counts of the read tables."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from application.calls.call_gate import terms_of
from domain.campaigns.campaign_terms import CallingTerms
from domain.forecast.learning.counts import CallRecord, CampaignCounts, count_calls
from domain.forecast.situation import (
    Hours,
    Planned,
    Stratum,
    hours_of,
    merged,
)
from domain.gate.decision import Terms
from domain.gate.groups import ContactGroup
from domain.gate.rules import RuleBook
from domain.outcomes import CallOutcome, Disposition, Withheld
from domain.settings import SettingsValues
from domain.states import ACTIVE
from domain.values import CallStatus, ContactStatus, WaitingCode
from projections.contacts.contact_groups import group_from
from projections.tables.state_sql import literals
from storage.database import Conn

PLANNED_SECONDS = 600
"""Planned calls are counted by intervals of this length."""

_FRESH: LiteralString = """
    select g.codes, g.zones, g.source, g.has_consent, sum(n.fresh)::bigint
    from contact_import i
    join contact_group_count n using (list_id)
    left join contact_group g using (group_id)
    where i.campaign_id = %(campaign)s and i.imported_position is not null
        and n.fresh > 0
    group by 1, 2, 3, 4
"""

# A contact that is being called counts as planned for now: its result is not known.
_PLANNED: LiteralString = f"""
    select g.codes, g.zones, g.source, g.has_consent,
        case when k.status <> '{ContactStatus.PENDING}' or k.requeue
            then greatest(k.attempt, 1) else k.attempt + 1 end as attempt,
        case when k.status <> '{ContactStatus.PENDING}' then 0 else greatest(
            floor(extract(epoch from coalesce(k.planned_at, k.due_at) - %(now)s)
                / {PLANNED_SECONDS}) * {PLANNED_SECONDS}, 0) end as due,
        count(*)
    from contact_import i
    join contact_log k using (list_id)
    left join contact_group g using (group_id)
    where i.campaign_id = %(campaign)s and i.imported_position is not null
        and (k.status in {literals(ACTIVE)}
            or k.status = '{ContactStatus.PENDING}'
                and (k.planned_at is not null or k.due_at is not null))
    group by 1, 2, 3, 4, 5, 6
"""  # noqa: S608 - our own text

_CALLS: LiteralString = """
    select attempt, outcome, coalesce(time_zones, ''), placed_at,
        extract(epoch from ended_at - placed_at), cost, disposition
    from call_log
    where campaign_id = %(campaign)s and placed_at is not null and outcome is not null
"""

_TALKING: LiteralString = f"""
    select extract(epoch from %(now)s - placed_at) from call_log
    where campaign_id = %(campaign)s and status = '{CallStatus.IN_PROGRESS}'
        and placed_at is not null
"""  # noqa: S608 - our own text

_OTHERS: LiteralString = """
    select coalesce(sum(least(cap, pending + queued + ringing + in_progress)), 0),
        count(*)
    from campaign_board
    where state = any(%(states)s) and id <> %(campaign)s and pending > 0
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Contacts of one group: fresh ones, and those with planned calls."""

    group: ContactGroup | None
    fresh: int = 0
    planned: tuple[Planned, ...] = ()


@dataclass(frozen=True, slots=True)
class Strata:
    """Strata, and the contacts that are called never or at no known time."""

    strata: tuple[Stratum, ...]
    never: Mapping[Withheld, int]
    waits: Mapping[WaitingCode, int]


def waiting_contacts(conn: Conn, campaign_id: UUID, now: datetime) -> list[Waiting]:
    """Count the contacts of a campaign that are not finished, by group."""
    values = {"campaign": campaign_id, "now": now}
    fresh: dict[ContactGroup | None, int] = {}
    planned: defaultdict[ContactGroup | None, list[Planned]] = defaultdict(list)
    for *group, contacts in conn.execute(_FRESH, values):
        fresh[group_from(group)] = contacts
    for *group, attempt, due, contacts in conn.execute(_PLANNED, values):
        planned[group_from(group)].append(Planned(attempt, float(due), contacts))
    return [
        Waiting(group, fresh.get(group, 0), tuple(planned.get(group, ())))
        for group in fresh.keys() | planned.keys()
    ]


def strata_of(
    waiting: Iterable[Waiting],
    terms: CallingTerms,
    settings: SettingsValues,
    rule_book: RuleBook | None,
    *,
    now: datetime,
    request_limit: timedelta,
) -> Strata:
    """Ask the gate when each group may be called, and merge groups of equal hours."""
    demands: Terms = terms_of(terms, settings, rule_book)
    never: defaultdict[Withheld, int] = defaultdict(int)
    waits: defaultdict[WaitingCode, int] = defaultdict(int)
    strata = []
    for one in waiting:
        hours: Hours = hours_of(demands, one.group, now, request_limit=request_limit)
        zones = one.group.places.time_zones if one.group else ()
        stratum = Stratum(hours, zones, one.fresh, one.planned)
        if hours.never is not None:
            never[hours.never] += stratum.contacts
        elif hours.code is not None or not hours.spans:
            waits[hours.code or WaitingCode.OUTSIDE_HOURS] += stratum.contacts
        else:
            strata.append(stratum)
    return Strata(merged(strata), dict(never), dict(waits))


def counts_of(conn: Conn, campaign_id: UUID) -> CampaignCounts:
    """Count the finished calls of a campaign."""
    rows = conn.execute(_CALLS, {"campaign": campaign_id})
    return count_calls(
        CallRecord(
            attempt=attempt,
            outcome=CallOutcome(outcome),
            zones=tuple(filter(None, zones.split(","))),
            placed_at=placed_at,
            seconds=None if seconds is None else max(float(seconds), 0.0),
            cost=cost,
            disposition=Disposition(disposition) if disposition else None,
        )
        for attempt, outcome, zones, placed_at, seconds, cost, disposition in rows
    )


def talking_seconds(conn: Conn, campaign_id: UUID, now: datetime) -> list[float]:
    """Return for how long each call that is being talked in has lasted."""
    values = {"campaign": campaign_id, "now": now}
    return [float(seconds) for (seconds,) in conn.execute(_TALKING, values)]


def shared_slots(
    conn: Conn, campaign_id: UUID | None, cap: int, global_cap: int, states: list[str]
) -> int:
    """Return the slots that a campaign gets beside the others that are dialled.

    The global cap is shared evenly, and what the others do not use is left to it.
    """
    values = {"campaign": campaign_id or UUID(int=0), "states": states}
    row = conn.execute(_OTHERS, values).fetchone()
    used, others = row or (0, 0)
    fair = -(-global_cap // (int(others) + 1))
    return max(min(cap, max(global_cap - int(used), fair)), 1)
