"""The log, brought into the read tables: batch by batch, each in one transaction.

The position moves in the transaction that applies its events, under a lock on its row:
whoever runs this, however many at once and whenever they die, each event is applied
once.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from time import monotonic
from typing import Any, LiteralString

import orjson
import structlog
from eventsourcing.persistence import StoredEvent
from psycopg import Error, InterfaceError, OperationalError
from psycopg.errors import ReadOnlySqlTransaction

import application.app  # noqa: F401 - it imports, and so registers, every kind of event
from application.errors import Failure
from projections.campaign_board import campaign_of
from projections.engine.row_writer import Writer
from projections.engine.schema import (
    HANDLERS,
    create_read_model,
    use_read_model,
)
from projections.event_index import Link, Recorded, event_index, linked
from projections.row_operations import RowOperation, fold, writes
from projections.tables import LARGEST, SCHEMA
from storage.database import Conn, Listener, connect
from storage.log.mapper import TypedMapper
from storage.process.leadership import Leadership, LeadershipLost, Term

EVENTS, CHANGED = "autolynx_events", "read_model_changed"

LIVE_BATCH, REBUILD_BATCH = 500, 2_000
"""Events a batch: small beside live traffic, large where nobody waits."""

SILENT_AFTER = 10.0
"""Seconds without a sign of life after which a projector is replaced."""

LONGEST_REST = 0.02
"""Seconds; the projector rests as long as it worked, while events gather."""

MOST_BYTES = 1_000_000
"""Stored bytes a batch, save that one event is always taken: imports are large."""

MOST_CAMPAIGNS = 100
"""Campaigns that a notification names; above, it says that any may have changed."""

PERSISTENT = frozenset({"54"})
"""Classes of operational errors that come again with the same event: limits."""

log = structlog.get_logger(__name__)


class ProjectionStopped(Failure):
    """An event cannot be applied; all before it is, nothing after it will be."""

    def __init__(self, position: int, topic: str, cause: Exception) -> None:
        super().__init__(
            f"Event {position} ({topic}) cannot be projected:"
            f" {type(cause).__name__}: {cause}"
        )
        self.position, self.topic, self.cause = position, topic, cause


class PositionMoved(Exception):
    """Another runner applied what this one was about to: its batch is undone."""


class NotPrepared(Exception):
    """The read tables are not fit for events yet: to be tried again."""


class ReadModelMissing(Exception):
    """There is nothing to apply events to; `create_read_model` makes it."""


@dataclass(frozen=True, slots=True)
class Applied:
    """How many events a batch took, and whether there may be more."""

    events: int
    more: bool


@dataclass(frozen=True, slots=True)
class _Place:
    position: int
    head: bytes
    latest_at: datetime | None = None


_LOCKED: LiteralString = (
    "select position, head, latest_at from projection_position"
    " where name = 'read' for update"
)

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

_MOVED: LiteralString = """
    update projection_position
    set position = %(position)s, head = %(head)s, latest_at = %(latest_at)s
    where name = 'read' and position = %(was)s
"""


class Batches:
    """Applies the log's next events to the read tables of one schema, over `conn`.

    With `only`, to those of them that it names.
    """

    def __init__(
        self,
        conn: Conn,
        *,
        schema: str = SCHEMA,
        notify: bool = True,
        only: Collection[str] | None = None,
    ) -> None:
        use_read_model(conn, schema)
        # Rows are few beside the tables: joins over whole tables never pay.
        conn.execute(
            "set enable_hashjoin = off; set enable_mergejoin = off; set jit = off"
        )
        self._conn, self._notify, self._only = conn, notify, only
        self._writer, self._mapper = Writer(conn), TypedMapper()

    def apply(self, limit: int, until: int = LARGEST - 1) -> Applied:
        """Apply up to `limit` events, none behind the position `until`.

        Raises:
            ProjectionStopped: at the first event that cannot be applied; those before
                it are.
        """
        try:
            return self._apply(limit, until)
        except Exception as error:
            if _passing(error):
                raise
            if limit == 1:
                raise self._stopped(error) from error
        half = limit // 2
        first, second = self.apply(half, until), self.apply(limit - half, until)
        return Applied(first.events + second.events, second.more)

    def _apply(self, limit: int, until: int) -> Applied:
        with self._conn.transaction():
            place = self._locked()
            recorded, more = self._next(place.position, limit, until)
            if recorded:
                self._project(place, recorded)
        return Applied(len(recorded), more)

    def _locked(self) -> _Place:
        row = self._conn.execute(_LOCKED).fetchone()
        if row is None:
            raise ReadModelMissing("The read model has no position: create it first.")
        return _Place(*row)

    def _next(self, after: int, limit: int, until: int) -> tuple[list[Recorded], bool]:
        values = {"after": after, "until": until, "limit": limit, "bytes": MOST_BYTES}
        with self._conn.cursor(binary=True) as cursor:
            rows = cursor.execute(_NEXT, values, prepare=True).fetchall()
        more = len(rows) == limit or bool(rows and rows[-1][-1] >= MOST_BYTES)
        return [self._recorded(*row) for row in rows], more

    def _recorded(self, position: int, *row: Any) -> Recorded:
        stored = StoredEvent(*row[:4])
        return Recorded(position, stored, self._mapper.to_domain_event(stored))

    def _project(self, place: _Place, recorded: list[Recorded]) -> None:
        links = list(linked(recorded, place.head, place.latest_at))
        folded = fold(self._wanted(_operations(recorded, links)))
        position, last = recorded[-1].position, links[-1]
        moved = {"position": position, "was": place.position, **last._asdict()}
        with self._conn.pipeline():
            self._writer.write(writes(folded))
            done = self._conn.execute(_MOVED, moved, prepare=True)
            if self._notify:
                payload = _payload(position, recorded)
                self._conn.execute("select pg_notify(%s, %s)", (CHANGED, payload))
        if done.rowcount != 1:
            raise PositionMoved(place.position)

    def _wanted(self, operations: Iterator[RowOperation]) -> Iterator[RowOperation]:
        if self._only is None:
            return operations
        only = self._only
        return (operation for operation in operations if operation.table in only)

    def _stopped(self, cause: Exception) -> ProjectionStopped:
        query: LiteralString = """
            select notification_id, topic from autolynx_events
            where notification_id > (
                select position from projection_position where name = 'read')
            order by notification_id limit 1
        """
        row = self._conn.execute(query).fetchone()
        position, topic = row or (0, "none")
        return ProjectionStopped(position, topic, cause)


_NO_EVENTS_FAULT = (
    InterfaceError,
    LeadershipLost,
    ReadOnlySqlTransaction,  # The server is no longer the first one.
    ReadModelMissing,
    PositionMoved,
    NotPrepared,
)


def _passing(error: Exception) -> bool:
    """Tell trouble of the server or the way to it from that of an event."""
    if isinstance(error, _NO_EVENTS_FAULT):
        return True
    state = error.sqlstate or "" if isinstance(error, Error) else ""
    return isinstance(error, OperationalError) and state[:2] not in PERSISTENT


def _operations(recorded: list[Recorded], links: list[Link]) -> Iterator[RowOperation]:
    for entry, link in zip(recorded, links, strict=True):
        for handler in HANDLERS:
            yield from handler(entry.event, entry.position)
        yield event_index(entry, link)


def _payload(position: int, recorded: list[Recorded]) -> str:
    changed = {campaign_of(entry.event) for entry in recorded} - {None}
    campaigns: list[str] | str = sorted(str(id_) for id_ in changed)
    if len(campaigns) > MOST_CAMPAIGNS:
        campaigns = "*"
    return orjson.dumps({"position": position, "campaigns": campaigns}).decode()


type Prepare = Callable[[Conn, Callable[[], None]], None]
"""Makes the tables fit, over the leader's connection; calls the other while it does."""


def _prepare(conn: Conn, _go_on: Callable[[], None]) -> None:
    create_read_model(conn)


class Projector:
    """Keeps the read model up to date until it is stopped.

    With `leads`, one of all such projectors works at a time; the others wait to take
    over from one that is gone, or that gave no sign of life for `silent_after` seconds.
    The leadership lives and dies with the connection that does the work: whoever is
    replaced writes nothing any more. It wakes when told of events, and every second
    (`every`) in any case. `prepare` makes the tables fit before the first event.
    """

    def __init__(
        self,
        url: str,
        *,
        batch: int = LIVE_BATCH,
        leads: bool = True,
        every: float = 1.0,
        holder: str = "projector",
        silent_after: float = SILENT_AFTER,
        prepare: Prepare = _prepare,
    ) -> None:
        self._url, self._batch, self._leads = url, batch, leads
        self._prepare = prepare
        self._every, self._silent_after = every, silent_after
        self._stopped = Event()
        self._leadership = Leadership(
            url, role="projector", holder=holder, working=self._connect
        )
        self._listener = Listener(url, EVENTS, name="projector ears", every=every)

    def stop(self) -> None:
        """End `run` after the batch under way; any thread may call it, repeatedly."""
        self._stopped.set()
        self._listener.stop()

    def run(self) -> None:
        """Work until stopped.

        Raises:
            ProjectionStopped: at an event that cannot be applied.
        """
        try:
            while not self._stopped.is_set():
                self._serve()
        finally:
            self._listener.close()

    def _serve(self) -> None:
        """Work as long as the connection, and the lead on it, lasts."""
        try:
            with self._lead() as term:
                if term is not None:
                    self._work(term)
        except (Error, LeadershipLost, NotPrepared, PositionMoved) as error:
            if not _passing(error):
                raise
            log.warning("the projector tries again", error=str(error))
            self._stopped.wait(self._every)

    @contextmanager
    def _lead(self) -> Iterator[Term | None]:
        """Wait to lead; where nobody leads, be one of many that work."""
        if self._leads:
            times = {"silent_after": self._silent_after, "every": self._every}
            with self._leadership.term(self._stopped, **times) as term:
                yield term
        else:
            with self._connect() as connection:
                yield Term(connection, "projector", "", silent_after=0)

    def _connect(self) -> Conn:
        return connect(
            self._url, name="projector", statement_timeout=60, lock_timeout=10
        )

    def _work(self, term: Term) -> None:
        self._prepare(term.connection, lambda: self._go_on(term))
        batches = Batches(term.connection)
        for _ in self._listener:  # It listens before the first look.
            began = monotonic()
            term.go_on()
            while not self._stopped.is_set() and batches.apply(self._batch).more:
                term.go_on()
            # Twenty events in one batch cost little more than two.
            self._stopped.wait(min(monotonic() - began, LONGEST_REST))

    def _go_on(self, term: Term) -> None:
        if self._stopped.is_set():
            raise NotPrepared("stopped before the read tables were fit")
        term.go_on()


def catch_up(
    conn: Conn,
    *,
    batch: int = REBUILD_BATCH,
    schema: str = SCHEMA,
    notify: bool = True,
    stopped: Callable[[], bool] = bool,
) -> int:
    """Apply what there is and return how many events that were.

    Raises:
        ProjectionStopped: at an event that cannot be applied.
    """
    batches = Batches(conn, schema=schema, notify=notify)
    events = 0
    while not stopped():
        applied = batches.apply(batch)
        events += applied.events
        if not applied.more:
            break
    return events
