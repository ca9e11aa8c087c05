"""The contacts whose status changed between two positions of the log."""

from typing import LiteralString
from uuid import UUID

from eventsourcing.utils import get_topic

from domain.call_events import ContactStatusChanged
from storage.database import Conn

_MOVED: LiteralString = """
    select distinct call.contact_id
    from event_index event join call_log call on call.call_id = event.aggregate_id
    where event.campaign_id = %(campaign)s and event.type = any(%(types)s)
        and event.position > %(after)s and event.position <= %(until)s
"""


def contacts_moved(
    conn: Conn, campaign_id: UUID, *, after: int, until: int
) -> list[UUID]:
    """Return the ids of the campaign's contacts whose status may have changed.

    Covers the events after the position `after`, up to `until`; in no order.
    """
    values = {
        "campaign": campaign_id,
        "types": [get_topic(fact) for fact in _facts(ContactStatusChanged)],
        "after": after,
        "until": until,
    }
    return [row[0] for row in conn.execute(_MOVED, values)]


def _facts(kind: type[ContactStatusChanged]) -> list[type[ContactStatusChanged]]:
    below = kind.__subclasses__()
    return [f for sub in below for f in _facts(sub)] if below else [kind]
