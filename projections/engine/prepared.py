"""Prepares a batch of events: all work but the SQL that writes it.

What a batch writes depends only on its own events, except for the chain of hashes and
the latest time, which continue those of the batches before it. Batches can therefore be
prepared in any order and in several processes, and written in the order of the log.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any, LiteralString

from eventsourcing.persistence import StoredEvent

import application.app  # noqa: F401 - registers the topics of all events
from projections.engine.row_writer import PackedWrite, Packer, Shape
from projections.engine.schema import HANDLERS
from projections.event_index import INDEX, Recorded, digest, index_columns, linked
from projections.tables.handlers import Handler, handlers_of
from projections.tables.row_operations import Kind, RowOperation, fold, writes
from storage.database import Conn
from storage.log.mapper import TypedMapper

MOST_BYTES = 1_000_000
"""Maximum bytes of event state in a batch, except if its only event is larger."""

_NEXT: LiteralString = """
    select notification_id, originator_id, originator_version, topic, state, size
    from (
        select e.*, sum(octet_length(state)) over (order by notification_id) as size
        from (
            select * from autolynx_events
            where notification_id > %(after)s and notification_id <= %(until)s
            order by notification_id limit %(limit)s
        ) e
    ) sized
    where size - octet_length(state) < %(bytes)s
    order by notification_id
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the events after `after`, up to `position`, write to the read tables.

    `index` contains the rows of the event index without the columns that depend on
    earlier events; None if that table is not written. `digests` and `times` have one
    value for each event.
    """

    after: int
    position: int
    writes: list[PackedWrite]
    index: dict[str, Any] | None
    digests: list[bytes]
    times: list[datetime]


@dataclass(frozen=True, slots=True)
class Linked:
    """The state of the projection after a batch, and all that the batch writes."""

    head: bytes
    latest_at: datetime
    writes: list[PackedWrite]


class Preparer:
    """Reads events from the log and prepares them for tables of these names, or all.

    The tables must exist in the first schema of the connection's search path.
    """

    def __init__(
        self, conn: Conn, packer: Packer, only: Collection[str] | None = None
    ) -> None:
        self._conn, self._packer, self._only = conn, packer, only
        self._mapper = TypedMapper()
        self._handlers: dict[type, tuple[Handler, ...]] = {}

    def read(self, after: int, until: int, limit: int) -> tuple[list[Recorded], bool]:
        """Return up to `limit` events, of limited size; and whether there may be more.

        Raises:
            MapperDeserialisationError, TopicError: an event cannot be decoded.
        """
        values = {"after": after, "until": until, "limit": limit, "bytes": MOST_BYTES}
        with self._conn.cursor(binary=True) as cursor:
            rows = cursor.execute(_NEXT, values, prepare=True).fetchall()
        more = len(rows) == limit or bool(rows and rows[-1][-1] >= MOST_BYTES)
        return [self._recorded(*row) for row in rows], more

    def _recorded(self, position: int, *row: Any) -> Recorded:
        stored = StoredEvent(*row[:4])
        return self.recorded(position, stored, digest(position, stored))

    def recorded(self, position: int, stored: StoredEvent, digest_: bytes) -> Recorded:
        """Decode a stored event.

        Raises:
            MapperDeserialisationError, TopicError: the event cannot be decoded.
        """
        event = self._mapper.to_domain_event(stored)
        return Recorded(position, stored, event, digest_)

    def prepare(self, after: int, recorded: Sequence[Recorded]) -> Prepared:
        """Prepare at least one event; those before it end at the position `after`."""
        folded = fold(self._wanted(self._operations(recorded)))
        return Prepared(
            after,
            recorded[-1].position,
            [self._packer.pack(write) for write in writes(folded)],
            self._index(recorded),
            [entry.digest for entry in recorded],
            [entry.event.timestamp for entry in recorded],
        )

    def _operations(self, recorded: Sequence[Recorded]) -> Iterator[RowOperation]:
        for entry in recorded:
            event, position = entry.event, entry.position
            kind = type(event)
            handlers = self._handlers.get(kind)
            if handlers is None:
                handlers = self._handlers[kind] = handlers_of(kind, HANDLERS)
            for handler in handlers:
                yield from handler(event, position)

    def _wanted(self, operations: Iterator[RowOperation]) -> Iterator[RowOperation]:
        if self._only is None:
            return operations
        only = self._only
        return (operation for operation in operations if operation.table in only)

    def _index(self, recorded: Sequence[Recorded]) -> dict[str, Any] | None:
        if self._only is not None and INDEX not in self._only:
            return None
        return {
            name: self._packer.column(INDEX, name, values)
            for name, values in index_columns(recorded).items()
        }


def link(
    packer: Packer, prepared: Prepared, head: bytes, latest_at: datetime | None
) -> Linked:
    """Continue the chain `head` and the latest time; complete what the batch writes."""
    links = linked(prepared.digests, head)
    times = prepared.times
    latest = list(accumulate(times, max, initial=latest_at or times[0]))[1:]
    own = list(prepared.writes)
    if prepared.index is not None:
        columns = {
            **prepared.index,
            "hash": packer.column(INDEX, "hash", links),
            "latest_at": packer.column(INDEX, "latest_at", latest),
        }
        key = columns.pop("position")
        shape = Shape(Kind.PUT, INDEX, 1, tuple(columns))
        own.append(PackedWrite(shape, [key, *columns.values()]))
    return Linked(links[-1], latest[-1], own)
