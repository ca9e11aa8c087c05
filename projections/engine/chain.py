"""Whether each event still is what it was when it was projected.

The log and `event_index` are read side by side, a page of positions at a time. Each
link is computed from the one that is stored before it, so that a fault does not hide
later ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, LiteralString, NamedTuple

from eventsourcing.domain import Aggregate, CanInitAggregate
from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import TopicError, resolve_topic
from psycopg import sql

import application.app  # noqa: F401 - it imports, and so registers, every kind of event
from projections.event_index import FIRST_HEAD, chained
from projections.tables import Place, place_in
from storage.database import Conn

PAGE = 2_000
"""Events that are read at once, fewer where they are large."""

PAGE_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Problem:
    """What does not fit; `position` is of the event that shows it, where one does."""

    position: int | None
    message: str


_PAGE: LiteralString = """
    with sized as materialized (
        select *, octet_length(state) as own,
            sum(octet_length(state)) over (order by notification_id) as size
        from (
            select * from autolynx_events
            where notification_id > %(after)s and notification_id <= %(until)s
            order by notification_id limit %(limit)s
        ) first
    ),
    taken as (select * from sized where size - own < %(bytes)s),
    edge as (
        select least(
            case when (select count(*) from taken) = %(limit)s
                or exists (select from sized where size - own >= %(bytes)s)
                then (select max(notification_id) from taken)
                else %(until)s end,
            (
                select position from {index}
                where position > %(after)s and position <= %(until)s
                order by position offset %(limit)s - 1 limit 1
            )
        ) as position
    )
    select coalesce(e.notification_id, i.position), e.originator_id,
        e.originator_version, e.topic, e.state, i.hash,
        e.originator_version = 1 or exists (
            select from autolynx_events earlier
            where earlier.originator_id = e.originator_id
                and earlier.originator_version = e.originator_version - 1
                and earlier.notification_id < e.notification_id
        )
    from (
        select * from taken where notification_id <= (select position from edge)
    ) e
    full join (
        select position, hash from {index}
        where position > %(after)s and position <= (select position from edge)
    ) i on i.position = e.notification_id
    order by 1
"""


class Entry(NamedTuple):
    """An event of the log beside its line in the index; one of them may be missing."""

    position: int
    stored: StoredEvent | None
    hash: bytes | None
    follows: bool
    """Whether the version before it stands before it in the log, or it is the first."""


class Chain:
    """The pages of a log beside one schema's index, from behind a position on.

    `head` is the stored link there; after the last page, that of the last position.
    """

    def __init__(self, conn: Conn, schema: str, *, after: int, head: bytes) -> None:
        self._conn = conn
        self.position, self.head = after, head
        self._statement = sql.SQL(_PAGE).format(
            index=sql.Identifier(schema, "event_index")
        )

    def pages(self, until: int) -> Iterator[list[Entry]]:
        while entries := self._page(until):
            self.position = entries[-1].position
            yield entries

    def _page(self, until: int) -> list[Entry]:
        values = {
            "after": self.position,
            "until": until,
            "limit": PAGE,
            "bytes": PAGE_BYTES,
        }
        with self._conn.cursor(binary=True) as cursor:
            rows = cursor.execute(self._statement, values).fetchall()
        return [_entry(*row) for row in rows]

    def problems(self, entries: list[Entry]) -> Iterator[Problem]:
        """Name what is wrong with the events of a page, in their order."""
        for entry in entries:
            message = self._fault(entry)
            if message is not None:
                yield Problem(entry.position, message)
            self.head = entry.hash or self.head

    def _fault(self, entry: Entry) -> str | None:
        position, stored, link, _ = entry
        if stored is None:
            return f"Event {position} was removed."
        if link is None:
            return f"Event {position} ({stored.topic}) was inserted."
        if chained(self.head, position, stored) != link:
            return f"Event {position} ({stored.topic}) was changed."
        return _misplaced(entry, stored)


def _entry(position: int, *columns: Any) -> Entry:
    *stored, link, follows = columns
    event = None if stored[0] is None else StoredEvent(*stored)
    return Entry(position, event, link, bool(follows))


def _misplaced(entry: Entry, stored: StoredEvent) -> str | None:
    """Say what is wrong with an event's place in its stream, whoever put it there."""
    named = f"Event {entry.position} ({stored.topic})"
    if not entry.follows:
        version = stored.originator_version
        return f"{named} is version {version} without the one before it."
    if _begins(stored.topic) not in {None, stored.originator_version == 1}:
        return f"{named} cannot be version {stored.originator_version} of its stream."
    return None


@cache
def _begins(topic: str) -> bool | None:
    """Tell whether an event begins its stream; None where that is not known."""
    try:
        kind = resolve_topic(topic)
    except TopicError:
        return None
    if not isinstance(kind, type) or not _is_of_aggregate(kind):
        return None
    return issubclass(kind, CanInitAggregate)


def _is_of_aggregate(kind: type) -> bool:
    """Tell whether the event's stream is an aggregate's: logs have no beginning."""
    module: Any = __import__(kind.__module__, fromlist=["_"])
    outer = getattr(module, kind.__qualname__.partition(".")[0], None)
    return isinstance(outer, type) and issubclass(outer, Aggregate)


def whole_chain(conn: Conn, schema: str) -> Chain:
    """Begin at the first event, wherever it was put."""
    return Chain(conn, schema, after=-(2**63), head=FIRST_HEAD)


def first_problem(conn: Conn, schema: str) -> Problem | None:
    """Name the first event that is not what the tables of a schema were made of."""
    place = place_in(conn, schema)
    if place is None:
        return None
    chain = whole_chain(conn, schema)
    for page in chain.pages(place.position):
        for problem in chain.problems(page):
            return problem
    return end_problem(chain, place)


def end_problem(chain: Chain, place: Place) -> Problem | None:
    """Say whether the chain, read to its end, leads where the tables stand."""
    if (chain.position, chain.head) == (place.position, place.head):
        return None
    if chain.position < place.position and chain.head == FIRST_HEAD == place.head:
        return None  # Nothing was projected yet.
    return Problem(
        place.position, f"The chain does not lead to event {place.position}."
    )
