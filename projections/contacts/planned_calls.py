"""SQL about planned calls: which are due, how many wait, which must be reviewed.

All of it uses the partial indexes on `contact_log`, in which contacts without a planned
call do not appear, so that its cost does not depend on the number of contacts.
"""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from domain.contacts.contact_history import PlanKind
from domain.dial_view import Phase
from domain.planning.retries import CALLBACK_LATE
from domain.states import MAY_DIAL
from domain.values import ContactStatus
from projections.calls.dial_queue import GHOST_LASTS
from projections.tables.state_sql import literals
from storage.database import Conn

MOST_COUNTED = 10_000
"""Due calls are counted up to this number; those beyond it count as planned."""

MOST_REVIEWED = 1_000
"""Contacts whose planned calls are reviewed in one pass."""

# `offset 0` makes it a subquery for each row, so that the order of the index is used
# and the search stops at the limit, however many rows there are.
_IMPORTED: LiteralString = """
    exists (
        select from contact_import i
        where i.list_id = k.list_id and i.imported_position is not null offset 0
    )
"""

# Lists that are not imported (yet) may repeat contacts; a few counted twice do no harm.
_OF_KIND: LiteralString = """
    from contact_log k
    where k.campaign_id = c.id and k.planned_terms = v.version
        and k.planned_kind = p.kind
"""

_RETRIES: LiteralString = f"filter (where p.kind <> '{PlanKind.CALLBACK}')"
_CALLBACKS: LiteralString = f"filter (where p.kind = '{PlanKind.CALLBACK}')"

PLANNED: LiteralString = f"""
    left join lateral (
        select sum(due.contacts) {_RETRIES} as due_retries,
            min(next.planned_at) {_RETRIES} as next_retry_at,
            sum(due.contacts) {_CALLBACKS} as due_callbacks,
            min(next.planned_at) {_CALLBACKS} as next_callback_at,
            sum(late.contacts) {_CALLBACKS} as late_callbacks
        from campaign_terms v
        cross join (values {", ".join(f"('{kind}')" for kind in PlanKind)}) as p (kind)
        cross join lateral (
            select count(*) as contacts from (
                select {_OF_KIND} and k.planned_at <= %(now)s limit {MOST_COUNTED}
            ) counted
        ) due
        left join lateral (
            select k.planned_at {_OF_KIND} and k.planned_at > %(now)s
            order by k.planned_at limit 1
        ) next on true
        cross join lateral (
            select count(*) as contacts from (
                select {_OF_KIND}
                    and k.planned_at <= %(now)s
                        - interval '{CALLBACK_LATE.seconds} seconds'
                limit {MOST_COUNTED}
            ) counted
            where p.kind = '{PlanKind.CALLBACK}'
        ) late
        where v.campaign_id = c.id
            and (v.version = 0) = (p.kind <> '{PlanKind.RETRY}')
    ) planned on c.planned_retries + c.planned_callbacks > 0
"""  # noqa: S608 - our own text
"""Counts the planned calls of the campaign `c`, as `planned`."""

PLANNED_COLUMNS: LiteralString = """
    greatest(c.planned_retries - coalesce(planned.due_retries, 0), 0)::bigint
        as retries_later,
    planned.next_retry_at,
    greatest(c.planned_callbacks - coalesce(planned.due_callbacks, 0), 0)::bigint
        as callbacks_later,
    planned.next_callback_at,
    coalesce(planned.late_callbacks, 0)::bigint as late_callbacks
"""

# Nobody is called again while an earlier call may still be live at the provider.
_IS_DUE: LiteralString = f"""
    k.planned_at <= %(now)s
    and (k.planned_until is null or k.planned_until > %(now)s)
    and {_IMPORTED}
    and not exists (
        select from dial_queue q join call_log l on l.call_id = q.call_id
        where q.campaign_id = c.id and q.phase = '{Phase.GHOST}'
            and l.contact_id = k.contact_id and {GHOST_LASTS}
        offset 0
    )
"""


def due_calls_sql(kind: PlanKind, terms: LiteralString, rank: int) -> str:
    """Return SQL for the first due calls of a kind to contacts of the campaign `c`.

    `terms` is an SQL expression for the version of the terms by which they are planned,
    `rank` the position of the kind in the order of candidates. At most `most` rows of
    the groups `o.groups`, with the columns rank, ready_at, imported_position (0),
    and those of `contact_log`.
    """
    return f"""
        (select {rank} as rank, k.planned_at as ready_at,
            0::bigint as imported_position, k.*
        from unnest(o.groups) as own (group_id)
        cross join lateral (
            select k.* from contact_log k
            where k.campaign_id = c.id and k.planned_terms = {terms}
                and k.planned_kind = '{kind}' and k.group_id = own.group_id
                and {_IS_DUE}
            order by k.planned_at limit %(most)s
        ) k
        where c.planned_retries + c.planned_callbacks > 0
        order by k.planned_at limit %(most)s)
    """  # noqa: S608 - our own text


_TO_REVIEW: LiteralString = f"""
    select distinct c.id, review.contact_id
    from campaign_board c
    cross join lateral (
        (select k.contact_id
        from contact_log k
        where k.campaign_id = c.id and k.status = '{ContactStatus.PENDING}'
            and k.planned_until <= %(now)s and {_IMPORTED}
        limit %(most)s)
        union all
        (select due.contact_id
        from campaign_terms v
        cross join lateral (
            select k.contact_id, k.planned_at
            from contact_log k
            where k.campaign_id = c.id and k.planned_terms = v.version
                and k.planned_kind = '{PlanKind.RETRY}' and k.planned_at <= %(now)s
                and {_IMPORTED}
            order by k.planned_at limit %(most)s
        ) due
        where v.campaign_id = c.id and v.version not in (0, c.terms_version)
        order by due.planned_at limit %(most)s)
    ) review
    where c.state in {literals(MAY_DIAL)} and c.expired_at is null
    limit %(most)s
"""  # noqa: S608 - our own text


def to_review(conn: Conn, now: datetime) -> dict[UUID, list[UUID]]:
    """Return by campaign the contacts whose planned calls must be decided again.

    They are due and were planned by earlier terms, or they are too late. At most
    MOST_REVIEWED in all.
    """
    values = {"now": now, "most": MOST_REVIEWED}
    found: dict[UUID, list[UUID]] = {}
    for campaign_id, contact_id in conn.execute(_TO_REVIEW, values):
        found.setdefault(campaign_id, []).append(contact_id)
    return found
