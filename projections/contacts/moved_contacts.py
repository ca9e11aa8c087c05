"""The contacts whose status changed between two positions of the log."""

from typing import LiteralString
from uuid import UUID

from eventsourcing.utils import get_topic

from domain.calls.events.call_event import ContactStatusChanged
from domain.contacts.contact_events import ContactEvent
from storage.database import Conn

_MOVED: LiteralString = """
    select call.contact_id
    from event_index event join call_log call on call.call_id = event.aggregate_id
    where event.campaign_id = %(campaign)s and event.type = any(%(of_calls)s)
        and event.position > %(after)s and event.position <= %(until)s
    union
    select event.aggregate_id
    from event_index event
    where event.campaign_id = %(campaign)s and event.type = any(%(of_contacts)s)
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
        "of_calls": [get_topic(kind) for kind in _leaves(ContactStatusChanged)],
        "of_contacts": [get_topic(kind) for kind in _leaves(ContactEvent)],
        "after": after,
        "until": until,
    }
    return [row[0] for row in conn.execute(_MOVED, values)]


def _leaves(kind: type) -> list[type]:
    """Return the classes derived from this one from which none is derived."""
    below: list[type] = kind.__subclasses__()
    return [leaf for each in below for leaf in _leaves(each)] if below else [kind]
