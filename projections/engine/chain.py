"""Checks with the hash chain that events have not changed since their projection.

The log and `event_index` are read together, a page of positions at a time. Each link is
computed from the stored link before it, so that one fault does not hide later ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, LiteralString, NamedTuple

from eventsourcing.domain import Aggregate, CanInitAggregate
from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import TopicError, resolve_topic
from psycopg import sql

import application.app  # noqa: F401 - registers the topics of all events
from projections.event_index import FIRST_HEAD, chained, digest
from projections.tables.checkpoint import Checkpoint, checkpoint_in
from storage.database import Conn

PAGE = 2_000
"""Events of one page; `PAGE_BYTES` also limits it."""

PAGE_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem, with the position of the event that shows it, if there is one."""

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
    """An event of the log with its row of the index; one of them may be missing."""

    position: int
    stored: StoredEvent | None
    digest: bytes
    """Digest of the event; empty if it is missing."""
    hash: bytes | None
    follows: bool
    """Whether the version before it precedes it in the log, or it is the first."""


class Chain:
    """Reads the log and the index of one schema in pages, after a position.

    `position` is that of the last entry read, `head` the stored link at it.
    """

    def __init__(self, conn: Conn, schema: str, *, after: int, head: bytes) -> None:
        self._conn = conn
        self.position, self.head = after, head
        self._statement = sql.SQL(_PAGE).format(
            index=sql.Identifier(schema, "event_index")
        )

    def pages(self, until: int) -> Iterator[list[Entry]]:
        """Yield the entries after `position`, up to the position `until`, in pages."""
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
        """Yield the problems of the events of a page, in their order."""
        for entry in entries:
            message = self._fault(entry)
            if message is not None:
                yield Problem(entry.position, message)
            self.head = entry.hash or self.head

    def _fault(self, entry: Entry) -> str | None:
        position, stored, link = entry.position, entry.stored, entry.hash
        if stored is None:
            return f"Event {position} was removed."
        if link is None:
            return f"Event {position} ({stored.topic}) was inserted."
        if chained(self.head, entry.digest) != link:
            return f"Event {position} ({stored.topic}) was changed."
        return _misplaced(entry, stored)


def _entry(position: int, *columns: Any) -> Entry:
    *stored, link, follows = columns
    if stored[0] is None:
        return Entry(position, None, b"", link, bool(follows))
    event = StoredEvent(*stored)
    return Entry(position, event, digest(position, event), link, bool(follows))


def _misplaced(entry: Entry, stored: StoredEvent) -> str | None:
    """Return what is wrong with an event's version in its stream, if anything."""
    named = f"Event {entry.position} ({stored.topic})"
    if not entry.follows:
        version = stored.originator_version
        return f"{named} is version {version} without the one before it."
    if _begins(stored.topic) not in {None, stored.originator_version == 1}:
        return f"{named} cannot be version {stored.originator_version} of its stream."
    return None


@cache
def _begins(topic: str) -> bool | None:
    """Return whether an event begins its stream; None if that is not known."""
    try:
        kind = resolve_topic(topic)
    except TopicError:
        return None
    if not isinstance(kind, type) or not _is_of_aggregate(kind):
        return None
    return issubclass(kind, CanInitAggregate)


def _is_of_aggregate(kind: type) -> bool:
    """Return whether the class is an aggregate's event; other streams have no first."""
    module: Any = __import__(kind.__module__, fromlist=["_"])
    outer = getattr(module, kind.__qualname__.partition(".")[0], None)
    return isinstance(outer, type) and issubclass(outer, Aggregate)


def whole_chain(conn: Conn, schema: str) -> Chain:
    """Return a chain that begins at the lowest position in the log."""
    return Chain(conn, schema, after=-(2**63), head=FIRST_HEAD)


def first_problem(conn: Conn, schema: str) -> Problem | None:
    """Return the first problem of the log compared with a schema's tables."""
    checkpoint = checkpoint_in(conn, schema)
    if checkpoint is None:
        return None
    chain = whole_chain(conn, schema)
    for page in chain.pages(checkpoint.position):
        for problem in chain.problems(page):
            return problem
    return end_problem(chain, checkpoint)


def end_problem(chain: Chain, checkpoint: Checkpoint) -> Problem | None:
    """Return a problem if the chain does not end at the tables' checkpoint."""
    if (chain.position, chain.head) == (checkpoint.position, checkpoint.head):
        return None
    if (
        chain.position < checkpoint.position
        and chain.head == FIRST_HEAD == checkpoint.head
    ):
        return None  # No event has been projected yet.
    return Problem(
        checkpoint.position, f"The chain does not lead to event {checkpoint.position}."
    )
