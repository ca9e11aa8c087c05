"""How many contacts of a campaign are to be called back, and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from domain.contacts.contact_history import PlanKind
from domain.states import FINISHED
from projections.tables.queries import select
from projections.tables.state_sql import literals
from storage.database import Conn

# Callbacks are planned independently of the campaign's terms, so for version 0.
_COUNTS: LiteralString = f"""
    select count(*) filter (where k.planned_at <= %(now)s) as due,
        count(*) filter (where k.planned_at > %(now)s) as later,
        min(k.planned_at) filter (where k.planned_at > %(now)s) as next_at
    from contact_log k
    join contact_import i using (list_id)
    join campaign_board c on c.id = k.campaign_id
    where k.campaign_id = %(campaign)s and k.planned_terms = 0
        and k.planned_kind = '{PlanKind.CALLBACK}' and k.planned_at is not null
        and i.imported_position is not null
        and c.state not in {literals(FINISHED)} and c.expired_at is null
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class CallbackCounts:
    """Contacts that asked to be called back: due already, and later.

    `next_at` is the first time in the future; None without such a callback.
    """

    due: int
    later: int
    next_at: datetime | None


def callback_counts(conn: Conn, campaign_id: UUID, now: datetime) -> CallbackCounts:
    """Count the planned callbacks of a campaign; none if it is over."""
    [counts] = select(conn, CallbackCounts, _COUNTS, campaign=campaign_id, now=now)
    return counts
