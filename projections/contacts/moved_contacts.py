"""The contacts whose status changed after a position of the log."""

from collections.abc import Collection
from typing import LiteralString, NamedTuple
from uuid import UUID

from eventsourcing.utils import get_topic

from domain.calls.events.call_event import ContactStatusChanged
from domain.contacts.contact_events import ContactEvent
from projections.tables.checkpoint import one_snapshot, position_of
from storage.database import Conn


class Since(NamedTuple):
    """A campaign, and the position of the log up to which its changes are known."""

    campaign_id: UUID
    position: int


class MovedContacts(NamedTuple):
    """Ids of contacts that changed, in no order, and the position they include."""

    ids: list[UUID]
    position: int


# One index scan for each campaign, whatever the planner expects of their number.
_MOVED: LiteralString = """
    select since.number, moved.contact_id
    from unnest(%(campaigns)s::uuid[], %(positions)s::bigint[])
        with ordinality as since (campaign_id, position, number)
    cross join lateral (
        select call.contact_id
        from event_index event join call_log call on call.call_id = event.aggregate_id
        where event.campaign_id = since.campaign_id
            and event.position > since.position and event.position <= %(until)s
            and event.type = any(%(of_calls)s)
        union
        select event.aggregate_id
        from event_index event
        where event.campaign_id = since.campaign_id
            and event.position > since.position and event.position <= %(until)s
            and event.type = any(%(of_contacts)s)
    ) moved
"""


def moved_contacts(conn: Conn, since: Collection[Since]) -> dict[Since, MovedContacts]:
    """Return the contacts whose status may have changed, for each of `since`."""
    wanted = list(since)
    with one_snapshot(conn):
        until = position_of(conn)
        ids = _ids(conn, wanted, until)
    return {one: MovedContacts(ids[one], until) for one in wanted}


def _ids(conn: Conn, since: list[Since], until: int) -> dict[Since, list[UUID]]:
    values = {
        "campaigns": [one.campaign_id for one in since],
        "positions": [one.position for one in since],
        "until": until,
        "of_calls": [get_topic(kind) for kind in _leaves(ContactStatusChanged)],
        "of_contacts": [get_topic(kind) for kind in _leaves(ContactEvent)],
    }
    ids: dict[Since, list[UUID]] = {one: [] for one in since}
    for number, contact_id in conn.execute(_MOVED, values):
        ids[since[number - 1]].append(contact_id)
    return ids


def _leaves(kind: type) -> list[type]:
    """Return the classes derived from this one from which none is derived."""
    below: list[type] = kind.__subclasses__()
    return [leaf for each in below for leaf in _leaves(each)] if below else [kind]
