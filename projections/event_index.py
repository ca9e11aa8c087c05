"""Index of all events by aggregate, campaign, type, actor and time, with a hash chain.

The chain reveals changes of the log. `latest_at` is the latest time of all events up to
this one: unlike the clocks of several machines, it never decreases. `counted` and
`spend` are the changes of the campaign's counters that the event causes.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import accumulate
from struct import Struct
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

import orjson
from eventsourcing.persistence import StoredEvent
from psycopg import sql

from projections.campaigns.campaign_board import campaign_of, counted
from projections.tables.checkpoint import one_snapshot, position_of
from projections.tables.definition import Table
from projections.tables.pages import (
    LARGEST,
    Page,
    as_cursor,
    from_cursor,
    page_of,
    whole,
)
from projections.tables.queries import of_kind, select
from storage.database import Conn

INDEX = "event_index"

FIRST_HEAD = bytes(32)
"""The link before the first event."""

TABLE = Table(
    INDEX,
    ("position",),
    """
    create table if not exists event_index (
        position bigint primary key,
        aggregate_type text not null,
        aggregate_id uuid not null,
        version bigint not null,
        type text not null,
        occurred_at timestamptz not null,
        actor text not null,
        campaign_id uuid,
        latest_at timestamptz not null,
        counted text,
        spend numeric,
        hash bytea not null
    );
    create index if not exists event_index_aggregate
        on event_index (aggregate_id, version);
    create index if not exists event_index_campaign
        on event_index (campaign_id, position) where campaign_id is not null;
    create index if not exists event_index_type on event_index (type, position);
    create index if not exists event_index_actor on event_index (actor, position);
    create index if not exists event_index_occurred_at
        on event_index (occurred_at, position);
    """,
    handler_version=3,
)


class Recorded(NamedTuple):
    """An event in its stored form and as a domain object, with position and digest."""

    position: int
    stored: StoredEvent
    event: Any
    digest: bytes


def chained(previous: bytes, digest: bytes) -> bytes:
    """Return the next link of the chain: 32 bytes that depend on the log up to here."""
    return sha256(previous + digest).digest()


def digest(position: int, stored: StoredEvent) -> bytes:
    """Return the SHA-256 digest of one event.

    The length of each part is included, so that different parts never give the same
    bytes.
    """
    at, version = b"%d" % position, b"%d" % stored.originator_version
    id_, topic = str(stored.originator_id).encode(), stored.topic.encode()
    lengths = map(len, (at, id_, version, topic, stored.state))
    at_size, id_size, version_size, topic_size, state_size = map(_framed, lengths)
    framed = (
        *(at_size, at, id_size, id_, version_size, version),
        *(topic_size, topic, state_size, stored.state),
    )
    return sha256(b"".join(framed)).digest()


_framed = Struct(">q").pack


def linked(digests: Iterable[bytes], head: bytes) -> list[bytes]:
    """Return the links of events with these digests; `head` is the link before."""
    return list(accumulate(digests, chained, initial=head))[1:]


def index_columns(recorded: Sequence[Recorded]) -> dict[str, list[Any]]:
    """Return the columns of the events' rows, each with one value for every event.

    `hash` and `latest_at` are left out, because they depend on all earlier events.
    """
    columns: dict[str, list[Any]] = {
        "position": [entry.position for entry in recorded],
        "aggregate_type": [_aggregate_type(entry.stored.topic) for entry in recorded],
        "aggregate_id": [entry.stored.originator_id for entry in recorded],
        "version": [entry.stored.originator_version for entry in recorded],
        "type": [entry.stored.topic for entry in recorded],
        "occurred_at": [entry.event.timestamp for entry in recorded],
        "actor": [entry.event.actor for entry in recorded],
        "campaign_id": [campaign_of(entry.event) for entry in recorded],
    }
    deltas = [counted(entry.event) for entry in recorded]
    columns["spend"] = [delta.pop("spend", None) for delta in deltas]
    columns["counted"] = [_written(tuple(delta.items())) or None for delta in deltas]
    return columns


@cache
def _aggregate_type(topic: str) -> str:
    return topic.partition(".")[0]


@cache
def _written(deltas: tuple[tuple[str, int], ...]) -> str:
    return orjson.dumps(dict(deltas)).decode() if deltas else ""


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event without its content; `hash` is its link of the chain."""

    position: int
    aggregate_type: str
    aggregate_id: UUID
    version: int
    type: str
    occurred_at: datetime
    actor: str
    campaign_id: UUID | None
    hash: bytes


_ROW: LiteralString = """
    select position, aggregate_type, aggregate_id, version, type, occurred_at, actor,
        campaign_id, hash
    from event_index
"""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event with its own fields, as they are stored."""

    position: int
    aggregate_type: str
    aggregate_id: UUID
    version: int
    type: str
    occurred_at: datetime
    actor: str
    state: bytes | None

    @property
    def payload(self) -> Any:
        """The event's own fields; as text if the stored form is not valid JSON."""
        if self.state is None:
            return None
        try:
            fields = orjson.loads(self.state)
        except orjson.JSONDecodeError:
            return self.state.decode("utf-8", "replace")
        if not isinstance(fields, dict):
            return fields
        return {name: fields[name] for name in fields if name not in OWN_COLUMNS}


OWN_COLUMNS = frozenset({"timestamp", "actor", "originator_topic"})
"""Stored fields that a row shows in columns of its own, or that carry no meaning."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter: events match all conditions that are not None; times are inclusive."""

    aggregate_id: UUID | None = None
    campaign_id: UUID | None = None
    types: Collection[str] | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def values(self) -> dict[str, Any]:
        """Return the query's parameters."""
        types = None if self.types is None else list(self.types)
        return {**asdict(self), "types": types}


ALL = Wanted()

_CONDITIONS: dict[str, LiteralString] = {
    "aggregate_id": " and aggregate_id = %(aggregate_id)s",
    "campaign_id": " and campaign_id = %(campaign_id)s",
    "types": " and type = any(%(types)s)",
    "actor": " and actor = %(actor)s",
    "since": " and occurred_at >= %(since)s",
    "until": " and occurred_at <= %(until)s",
}

_SOME: LiteralString = """
    select i.position, i.aggregate_type, i.aggregate_id, i.version, i.type,
        i.occurred_at, i.actor, e.state
    from ({listed}) i left join autolynx_events e on e.notification_id = i.position
    order by i.position {order}
"""

_LISTED: LiteralString = """
    select * from event_index
    where position > %(after)s and position < %(before)s {conditions}
    order by position {order} limit %(most)s
"""


def page(
    conn: Conn,
    *,
    first: int,
    after: str | None = None,
    newest_first: bool = False,
    wanted: Wanted = ALL,
) -> Page[LoggedEvent]:
    """Return a page of events in the order of the log, or the reverse.

    `total` is not counted.

    Raises:
        Invalid: `after` is not a cursor of this list.
    """
    bounds: dict[str, Any] = {}
    if after is not None:
        (position,) = from_cursor(after, whole)
        bounds = {"before" if newest_first else "after": position}
    with one_snapshot(conn):
        found = _some(conn, wanted, first + 1, newest_first=newest_first, **bounds)
        position = position_of(conn)
    return page_of(found, first, _cursor, total=0, position=position)


def _cursor(event: LoggedEvent) -> str:
    return as_cursor(event.position)


def since(
    conn: Conn, position: int, most: int, wanted: Wanted = ALL
) -> tuple[list[LoggedEvent], int]:
    """Return up to `most` events after a position.

    Also returns the position up to which the result is complete.
    """
    with one_snapshot(conn):
        found = _some(conn, wanted, most, after=position)
        until = found[-1].position if len(found) == most else position_of(conn)
    return found, max(until, position)


def _some(
    conn: Conn,
    wanted: Wanted,
    most: int,
    *,
    newest_first: bool = False,
    after: int = 0,
    before: int = LARGEST - 1,
) -> list[LoggedEvent]:
    values = wanted.values()
    if wanted.since is not None:
        after = max(after, position_at(conn, wanted.since - TICK))
    order = sql.SQL("desc" if newest_first else "asc")
    conditions = [
        sql.SQL(condition)
        for name, condition in _CONDITIONS.items()
        if values[name] is not None
    ]
    listed = sql.SQL(_LISTED).format(
        conditions=sql.SQL("").join(conditions), order=order
    )
    query = sql.SQL(_SOME).format(listed=listed, order=order)
    with conn.cursor(row_factory=of_kind(LoggedEvent)) as cursor:
        bounds = {"after": after, "before": before, "most": most}
        return cursor.execute(query, values | bounds).fetchall()


TICK = timedelta(microseconds=1)
"""Resolution of stored times."""

_PLACED: LiteralString = """
    select position, latest_at from event_index
    where position <= %s order by position desc limit 1
"""


def position_at(conn: Conn, time: datetime) -> int:
    """Return the last position whose events were all recorded by `time`; 0 for none.

    Uses binary search: `latest_at` never decreases from one position to the next.
    """
    low, high = 0, int(position_of(conn))
    while low < high:
        middle = (low + high + 1) // 2
        row = conn.execute(_PLACED, (middle,)).fetchone()
        if row is None or row[1] <= time:
            low = middle
        else:
            high = row[0] - 1
    return low


def of_aggregates(
    conn: Conn, aggregate_ids: Collection[UUID]
) -> dict[UUID, list[LoggedEvent]]:
    """Return the events of each of these aggregates, oldest first."""
    found: dict[UUID, list[LoggedEvent]] = {id_: [] for id_ in aggregate_ids}
    for event in select(conn, LoggedEvent, _OF_AGGREGATES, ids=list(found)):
        found[event.aggregate_id].append(event)
    return found


_OF_AGGREGATES: LiteralString = """
    select i.position, i.aggregate_type, i.aggregate_id, i.version, i.type,
        i.occurred_at, i.actor, e.state
    from event_index i left join autolynx_events e on e.notification_id = i.position
    where i.aggregate_id = any(%(ids)s)
    order by i.aggregate_id, i.version
"""


def of_aggregate(conn: Conn, aggregate_id: UUID) -> list[EventRow]:
    """Return an aggregate's events, oldest first, without their content."""
    query = _ROW + "where aggregate_id = %(id)s order by version"
    return select(conn, EventRow, query, id=aggregate_id)
