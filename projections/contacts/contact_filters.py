"""Filters of the contact list by the results of calls, and by why contacts wait."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, LiteralString
from uuid import UUID

from domain.gate.groups import ContactGroup
from domain.gate.permit import Decision
from domain.outcomes import CallOutcome, Disposition, Withheld
from domain.planning.waiting import group_reason
from domain.values import ContactStatus, WaitingCode
from projections.contacts.contact_groups import group_from
from projections.contacts.contact_results import RESULTS
from projections.contacts.waiting_codes import OWN_CODE
from projections.tables.state_sql import shown_status_sql, withheld_sql
from storage.database import Conn


@dataclass(frozen=True, slots=True)
class WaitingFilter:
    """Only PENDING contacts that wait for one of the `codes` at the time `now`.

    `decide` returns the gate's decision about a group of contacts, None being the
    group of contacts without places. `shared` is the reason of the campaign's last
    plan, for contacts that neither their own calls nor the gate keep waiting.
    """

    codes: Collection[WaitingCode]
    now: datetime
    decide: Callable[[ContactGroup | None], Decision]
    shared: WaitingCode | None = None


@dataclass(frozen=True, slots=True)
class ContactFilters:
    """Only contacts that match each of these lists; None: any value, or none.

    A contact has at most one outcome, one disposition, and one reason for which it was
    withheld from calls.
    """

    outcomes: Collection[CallOutcome] | None = None
    dispositions: Collection[Disposition] | None = None
    withheld: Collection[Withheld] | None = None
    waiting: WaitingFilter | None = None

    def __bool__(self) -> bool:
        lists = (self.outcomes, self.dispositions, self.withheld, self.waiting)
        return any(one is not None for one in lists)

    def values(self, conn: Conn, campaign_id: UUID) -> dict[str, Any]:
        """Return the parameters of FILTERED; the gate decides about each group."""
        return {
            "outcomes": _as_list(self.outcomes),
            "dispositions": _as_list(self.dispositions),
            "withheld": _as_list(self.withheld),
            **_waiting_values(conn, campaign_id, self.waiting),
        }


NO_FILTERS = ContactFilters()

_WAITING_GROUPS: LiteralString = """
    select n.group_id, g.codes, g.zones, g.source, g.has_consent
    from (
        select distinct n.group_id
        from contact_import i join contact_group_count n using (list_id)
        where i.campaign_id = %(campaign)s and i.imported_position is not null
            and n.pending > 0
    ) n
    left join contact_group g using (group_id)
"""


def _waiting_values(
    conn: Conn, campaign_id: UUID, waiting: WaitingFilter | None
) -> dict[str, Any]:
    """Return the parameters of the filter by the reason for which contacts wait."""
    refused: dict[int, str] = {}
    if waiting is not None:
        groups = conn.execute(_WAITING_GROUPS, {"campaign": campaign_id})
        for group_id, *group in groups:
            code = group_reason(waiting.decide(group_from(group)))
            if code is not None:
                refused[group_id] = code.value
    return {
        "waiting_for": _as_list(waiting.codes) if waiting else None,
        "now": waiting.now if waiting else None,
        "shared": waiting.shared.value if waiting and waiting.shared else None,
        "refused_groups": list(refused.keys()),
        "refused_codes": list(refused.values()),
    }


def _as_list(values: Collection[StrEnum] | None) -> list[str] | None:
    return None if values is None else [value.value for value in values]


_WITHHELD = withheld_sql("k.withheld", "k.status", "b.expired_at is not null")
_SHOWN = shown_status_sql("k.status", "b.state", "b.expired_at is not null")

# The order of `domain.planning.waiting.waiting_reason`.
_WAITING_CODE: LiteralString = f"coalesce({OWN_CODE}, refused.code, %(shared)s::text)"

CHOSEN: LiteralString = f"""
    chosen as materialized (
        select k.*, i.imported_position
        from contact_import i
        join contact_log k using (list_id)
        join campaign_board b on b.id = i.campaign_id
        left join ({RESULTS}) results using (contact_id)
        left join contact_vault v using (contact_id, list_id)
        left join unnest(%(refused_groups)s::bigint[], %(refused_codes)s::text[])
            as refused (group_id, code) on refused.group_id = k.group_id
        where i.campaign_id = %(campaign)s and i.imported_position is not null
            and k.status = any(%(statuses)s)
            and (%(outcomes)s::text[] is null
                or results.outcome = any(%(outcomes)s))
            and (%(dispositions)s::text[] is null
                or results.disposition = any(%(dispositions)s))
            and (%(withheld)s::text[] is null or {_WITHHELD} = any(%(withheld)s))
            and (%(waiting_for)s::text[] is null
                or {_SHOWN} = '{ContactStatus.PENDING}'
                    and {_WAITING_CODE} = any(%(waiting_for)s))
            and {{match}}
    )
"""  # noqa: S608 - our own text

FILTERED: LiteralString = f"""
    with {CHOSEN}, imported as (
        select * from chosen
        where (imported_position, seq) > (%(list)s, %(seq)s)
        order by imported_position, seq limit %(most)s
    )
"""  # noqa: S608 - our own text
"""The page of contacts that match, as `imported`; `match` is a condition on `v`."""

FILTERED_TOTAL: LiteralString = f"with {CHOSEN} select count(*) from chosen"  # noqa: S608 - our own text
