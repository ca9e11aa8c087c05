"""Who did what and when, to which campaign, chained so that no change goes unseen.

`latest_at` is the latest time up to here: it never goes back, as the clocks of several
machines may. `counted` and `spend` are what the event adds to its campaign's counters.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

import orjson
from eventsourcing.persistence import StoredEvent

from projections.campaign_board import campaign_of, counted
from projections.operations import Columns, RowOperation, put
from projections.tables import Table, select, select_value
from storage.database import Conn

INDEX = "event_index"

FIRST_HEAD = bytes(32)
"""What stands before the first event of the chain."""

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
)


class Recorded(NamedTuple):
    """An event as it lies in the log, and as the domain knows it."""

    position: int
    stored: StoredEvent
    event: Any


def chained(previous: bytes, position: int, stored: StoredEvent) -> bytes:
    """Make the chain's next link: 32 bytes that stand for all the log up to here."""
    return sha256(previous + digest(position, stored)).digest()


def digest(position: int, stored: StoredEvent) -> bytes:
    """Digest one event; each part says its length, so that none can shift."""
    parts = (
        str(position).encode(),
        str(stored.originator_id).encode(),
        str(stored.originator_version).encode(),
        stored.topic.encode(),
        stored.state,
    )
    framed = (len(part).to_bytes(8) + part for part in parts)
    return sha256(b"".join(framed)).digest()


class Link(NamedTuple):
    """What is carried from one event of the log to the next."""

    head: bytes
    latest_at: datetime


def linked(
    recorded: Iterable[Recorded], head: bytes, latest_at: datetime | None
) -> Iterator[Link]:
    """Go on with the chain, and with the time that never goes back."""
    for position, stored, event in recorded:
        head = chained(head, position, stored)
        at = event.timestamp
        latest_at = at if latest_at is None or at > latest_at else latest_at
        yield Link(head, latest_at)


def event_index(recorded: Recorded, link: Link) -> RowOperation:
    position, stored, event = recorded
    return put(
        INDEX,
        position,
        aggregate_type=stored.topic.partition(".")[0],
        aggregate_id=stored.originator_id,
        version=stored.originator_version,
        type=stored.topic,
        occurred_at=event.timestamp,
        actor=event.actor,
        campaign_id=campaign_of(event),
        latest_at=link.latest_at,
        hash=link.head,
        **_counted(event),
    )


def _counted(event: object) -> Columns:
    deltas = counted(event)
    spend = deltas.pop("spend", None)
    return {"counted": _written(tuple(deltas.items())) or None, "spend": spend}


@cache
def _written(deltas: tuple[tuple[str, int], ...]) -> str:
    return orjson.dumps(dict(deltas)).decode() if deltas else ""


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event without its content; `hash` is the chain's link at it."""

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


def last_at(conn: Conn) -> datetime | None:
    """Return when the newest event of the read model was recorded."""
    query: LiteralString = (
        "select occurred_at from event_index order by position desc limit 1"
    )
    found: datetime | None = select_value(conn, query)
    return found


def of_aggregate(conn: Conn, aggregate_id: UUID) -> list[EventRow]:
    """List an aggregate's events, oldest first."""
    query = _ROW + "where aggregate_id = %(id)s order by version"
    return select(conn, EventRow, query, id=aggregate_id)
