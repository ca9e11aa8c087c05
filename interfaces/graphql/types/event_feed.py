"""Subscription to the event log."""

from collections.abc import AsyncGenerator

import strawberry

from interfaces.graphql.context import Info
from interfaces.graphql.permissions import AUDITORS, subscription
from interfaces.graphql.types.events import Event, EventFilter, wanted
from interfaces.graphql.types.scalars import BigInt
from interfaces.graphql.types.subscriptions import changes_of
from projections import event_index
from projections.tables.checkpoint import position_of

EVENTS_AT_ONCE = 100
"""Events read for one subscription before they are sent.

A client that does not read its socket keeps that many in memory. The largest events,
of imports, take about 40 KB each.
"""


@strawberry.type
class EventFeed:
    """The subscription to the event log."""

    @subscription(
        AUDITORS,
        "Every event once, in order: those after that position, or new ones only.",
    )
    async def event_appended(
        self,
        info: Info,
        after: BigInt | None = None,
        filter: EventFilter | None = None,  # noqa: A002 - the contract's name
    ) -> AsyncGenerator[Event, None]:
        """Yield the events after `after`, then each new one."""
        backend, some = info.context.backend, wanted(filter)
        role = info.context.viewer.role  # A socket closes when the role changes.
        with backend.broadcaster.subscribed() as subscriber:
            now = await backend.read(position_of)
            position = now if after is None else int(after)
            subscriber.notify(None)  # Existing events are sent at once.
            async for _ in changes_of(subscriber):
                more = True
                while more:
                    rows, position = await backend.read(
                        event_index.since, position, EVENTS_AT_ONCE, some
                    )
                    more = len(rows) == EVENTS_AT_ONCE
                    for row in rows:
                        yield Event.of(row, role)
