"""Which of the waiting deliveries of an endpoint may be sent now.

A message about a contact waits for the earlier ones about that contact. A message about
a whole campaign waits for all earlier ones of the campaign, and the later ones wait for
it. A message that the endpoint refused, and a resent one, delay only their own lane, or
nothing.
"""

from collections.abc import Collection, Iterable, Iterator
from uuid import UUID

from projections.deliveries.queue import Waiting


def sendable(
    waiting: Iterable[Waiting], in_flight: Collection[UUID]
) -> Iterator[Waiting]:
    """Yield what may be sent, given an endpoint's deliveries in the order of events.

    Deliveries in flight are not yielded again, and still hold back later ones.
    """
    lanes: set[UUID] = set()
    groups: set[UUID] = set()
    groups_of_campaign_messages: set[UUID] = set()
    for one in waiting:
        may_start = one.is_due and one.has_body and one.id not in in_flight
        if one.resent:
            if may_start:
                yield one
            continue
        held_by = groups if one.is_campaign else groups_of_campaign_messages
        if may_start and one.lane not in lanes and one.group_id not in held_by:
            yield one
        lanes.add(one.lane)
        if not one.refused:
            groups.add(one.group_id)
            if one.is_campaign:
                groups_of_campaign_messages.add(one.group_id)
