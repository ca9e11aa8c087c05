"""The event log as it grows."""

from collections.abc import AsyncGenerator

import strawberry

from interfaces.graphql.context import Info
from interfaces.graphql.permissions import AUDITORS, subscription
from interfaces.graphql.types.events import Event, EventFilter, wanted
from interfaces.graphql.types.scalars import BigInt
from interfaces.graphql.types.subscriptions import changes_heard
from projections import event_index, tables

EVENTS_AT_ONCE = 100
"""Read for one subscription before they are sent: a client that does not read them
holds that many in memory. The largest, of an import, take some 40 KB.
"""


@strawberry.type
class EventFeed:
    @subscription(AUDITORS, "Every event once, in order, after that position or now.")
    async def event_appended(
        self,
        info: Info,
        after: BigInt | None = None,
        filter: EventFilter | None = None,  # noqa: A002 - the contract's name
    ) -> AsyncGenerator[Event, None]:
        backend, some = info.context.backend, wanted(filter)
        role = info.context.viewer.role  # A socket closes when the role changes.
        with backend.hub.listening() as ear:
            now = await backend.read(tables.position_of)
            position = now if after is None else int(after)
            ear.tell(None)  # What was there before is sent at once.
            async for _ in changes_heard(ear):
                more = True
                while more:
                    rows, position = await backend.read(
                        event_index.since, position, EVENTS_AT_ONCE, some
                    )
                    more = len(rows) == EVENTS_AT_ONCE
                    for row in rows:
                        yield Event.of(row, role)
