"""The projector: applies the log to the read tables in batches.

Each batch is one transaction, which also moves the checkpoint, under a lock on its row.
Each event is therefore applied exactly once, even with several runners or crashes.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from time import monotonic
from typing import LiteralString

import orjson
import structlog
from psycopg import Error, InterfaceError, OperationalError
from psycopg.errors import ReadOnlySqlTransaction

from application.errors import Failure
from projections.campaigns.campaign_board import campaign_of
from projections.deliveries.outbox import add_messages
from projections.engine.prepared import Prepared, Preparer, link
from projections.engine.row_writer import Writer
from projections.engine.schema import create_read_model, use_read_model
from projections.event_index import Recorded
from projections.tables.definition import SCHEMA
from projections.tables.pages import LARGEST
from storage.database import Conn, Listener, connect
from storage.process.leadership import Leadership, LeadershipLost, Term

EVENTS, CHANGED = "autolynx_events", "read_model_changed"

LIVE_BATCH, REBUILD_BATCH = 500, 2_000
"""Events in a batch: few for live traffic, many if no reader waits for the result."""

SILENT_AFTER = 10.0
"""Seconds without a heartbeat after which a standby replaces the projector."""

LONGEST_REST = 0.02
"""Seconds; after a batch, the projector pauses as long as the batch took."""

MOST_CAMPAIGNS = 100
"""Largest number of campaign ids in a notification; with more, it contains `*`."""

PERSISTENT = frozenset({"54"})
"""SQLSTATE classes of operational errors that the same event causes again."""

log = structlog.get_logger(__name__)


class ProjectionStopped(Failure):
    """An event cannot be applied; all events before it have been applied."""

    def __init__(self, position: int, topic: str, cause: Exception) -> None:
        super().__init__(
            f"Event {position} ({topic}) cannot be projected:"
            f" {type(cause).__name__}: {cause}"
        )
        self.position, self.topic, self.cause = position, topic, cause


class PositionMoved(Exception):
    """Another runner applied the same events first; the batch was rolled back."""


class NotPrepared(Exception):
    """The read tables are not ready for events yet; try again."""


class ReadModelMissing(Exception):
    """There are no read tables; `create_read_model` creates them."""


@dataclass(frozen=True, slots=True)
class Applied:
    """Number of events in a batch, and whether there may be more."""

    events: int
    more: bool


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    position: int
    head: bytes
    latest_at: datetime | None = None


_LOCKED: LiteralString = (
    "select position, head, latest_at from projection_position"
    " where name = 'read' for update"
)

_MOVED: LiteralString = """
    update projection_position
    set position = %(position)s, head = %(head)s, latest_at = %(latest_at)s
    where name = 'read' and position = %(was)s
"""


class Batches:
    """Applies the next events of the log to the read tables of one schema.

    With `only`, it writes only to the tables of these names. The live read tables are
    filled with `notify`: only they announce what changed and add messages to the outbox
    of webhooks.
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
        # A batch changes few rows of large tables: only index look-ups are fast.
        conn.execute(
            "set enable_hashjoin = off; set enable_mergejoin = off; set jit = off"
        )
        self._conn, self._notify, self._writer = conn, notify, Writer(conn)
        self._preparer = Preparer(conn, self._writer.packer, only)

    def apply(self, limit: int, until: int = LARGEST - 1) -> Applied:
        """Apply up to `limit` events, up to the position `until`.

        Raises:
            ProjectionStopped: an event cannot be applied; those before it have been.
        """
        try:
            return self._apply(limit, until)
        except Exception as error:
            if _is_temporary(error):
                raise
            if limit == 1:
                raise self._stopped(error) from error
        half = limit // 2
        first, second = self.apply(half, until), self.apply(limit - half, until)
        return Applied(first.events + second.events, second.more)

    def apply_prepared(self, prepared: Prepared | None, until: int) -> int:
        """Apply the events up to the position `until`, which were prepared together.

        If they could not be prepared or written together, they are applied in smaller
        batches. Returns how many were applied.

        Raises:
            ProjectionStopped: an event cannot be applied; those before it have been.
        """
        if prepared is not None and self._wrote(prepared):
            return len(prepared.digests)
        events = 0
        while applied := self.apply(REBUILD_BATCH, until).events:
            events += applied
        return events

    def _wrote(self, prepared: Prepared) -> bool:
        """Write a prepared batch; False if it does not begin at the checkpoint."""
        try:
            with self._conn.transaction():
                checkpoint = self._locked()
                begins = checkpoint.position == prepared.after
                if begins:
                    self._write(checkpoint, prepared)
        except Exception as error:
            if _is_temporary(error):
                raise
            return False
        return begins

    def _apply(self, limit: int, until: int) -> Applied:
        with self._conn.transaction():
            checkpoint = self._locked()
            recorded, more = self._preparer.read(checkpoint.position, until, limit)
            if recorded:
                prepared = self._preparer.prepare(checkpoint.position, recorded)
                self._write(checkpoint, prepared, recorded)
        return Applied(len(recorded), more)

    def _locked(self) -> _Checkpoint:
        row = self._conn.execute(_LOCKED).fetchone()
        if row is None:
            raise ReadModelMissing("The read model has no checkpoint: create it first.")
        return _Checkpoint(*row)

    def _write(
        self,
        checkpoint: _Checkpoint,
        prepared: Prepared,
        announced: Sequence[Recorded] = (),
    ) -> None:
        packer = self._writer.packer
        linked = link(packer, prepared, checkpoint.head, checkpoint.latest_at)
        moved = {
            "position": prepared.position,
            "was": checkpoint.position,
            "head": linked.head,
            "latest_at": linked.latest_at,
        }
        with self._conn.pipeline():
            self._writer.write_packed(linked.writes)
            done = self._conn.execute(_MOVED, moved, prepare=True)
            if self._notify:
                self._announce(prepared.position, announced)
        if done.rowcount != 1:
            raise PositionMoved(checkpoint.position)

    def _announce(self, position: int, recorded: Sequence[Recorded]) -> None:
        events = ((entry.event, entry.position) for entry in recorded)
        add_messages(self._conn, events, position)
        payload = _payload(position, recorded)
        self._conn.execute("select pg_notify(%s, %s)", (CHANGED, payload))

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


_TEMPORARY = (
    InterfaceError,
    LeadershipLost,
    ReadOnlySqlTransaction,  # The server is no longer the primary.
    ReadModelMissing,
    PositionMoved,
    NotPrepared,
)


def _is_temporary(error: Exception) -> bool:
    """Return whether the server or network caused an error, rather than an event."""
    if isinstance(error, _TEMPORARY):
        return True
    state = error.sqlstate or "" if isinstance(error, Error) else ""
    return isinstance(error, OperationalError) and state[:2] not in PERSISTENT


def _payload(position: int, recorded: Sequence[Recorded]) -> str:
    changed = {campaign_of(entry.event) for entry in recorded} - {None}
    campaigns: list[str] | str = sorted(str(id_) for id_ in changed)
    if len(campaigns) > MOST_CAMPAIGNS:
        campaigns = "*"
    return orjson.dumps({"position": position, "campaigns": campaigns}).decode()


type Prepare = Callable[[Conn, Callable[[], None]], None]
"""Prepares the tables over the leader's connection.

While it works, it calls the callback repeatedly, which sends the heartbeat.
"""


def _prepare(conn: Conn, _go_on: Callable[[], None]) -> None:
    create_read_model(conn)


class Projector:
    """Keeps the read tables up to date until it is stopped.

    With `leads`, only the leader works; the other projectors are standbys. One of them
    takes over if the leader ends or sends no heartbeat for `silent_after` seconds. The
    connection that holds the leader's lock also writes the tables, so a replaced leader
    cannot write any more. The projector reads the log when it is notified, and every
    `every` seconds. `prepare` runs before the first event of a term.
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
            url, role="projector", holder=holder, connect_for_work=self._connect
        )
        self._listener = Listener(url, EVENTS, name="projector listener", every=every)

    def stop(self) -> None:
        """End `run` after the current batch; callable from any thread, repeatedly."""
        self._stopped.set()
        self._listener.stop()

    def run(self) -> None:
        """Apply events until `stop` is called.

        Raises:
            ProjectionStopped: an event cannot be applied.
        """
        try:
            while not self._stopped.is_set():
                self._serve()
        finally:
            self._listener.close()

    def _serve(self) -> None:
        """Apply events until the connection or the leadership is lost."""
        try:
            with self._lead() as term:
                if term is not None:
                    self._work(term)
        except (Error, LeadershipLost, NotPrepared, PositionMoved) as error:
            if not _is_temporary(error):
                raise
            log.warning("the projector failed and tries again", error=str(error))
            self._stopped.wait(self._every)

    @contextmanager
    def _lead(self) -> Iterator[Term | None]:
        """Wait for the leadership; without `leads`, only connect."""
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
        for _ in self._listener:  # It listens before the first batch.
            began = monotonic()
            term.record_progress()
            while not self._stopped.is_set() and batches.apply(self._batch).more:
                term.record_progress()
            # Twenty events in one batch cost little more than two: let some collect.
            self._stopped.wait(min(monotonic() - began, LONGEST_REST))

    def _go_on(self, term: Term) -> None:
        if self._stopped.is_set():
            raise NotPrepared("stopped before the read tables were ready")
        term.record_progress()


def catch_up(
    conn: Conn,
    *,
    batch: int = REBUILD_BATCH,
    schema: str = SCHEMA,
    notify: bool = True,
    stopped: Callable[[], bool] = bool,
) -> int:
    """Apply all events of the log, or until `stopped` returns true.

    Returns how many were applied.

    Raises:
        ProjectionStopped: an event cannot be applied.
    """
    batches = Batches(conn, schema=schema, notify=notify)
    events = 0
    while not stopped():
        applied = batches.apply(batch)
        events += applied.events
        if not applied.more:
            break
    return events
