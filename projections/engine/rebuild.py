"""Rebuilds read tables from the log beside the live ones, then swaps them.

A second schema is filled by the code that fills the live one; worker processes prepare
the batches of a long log. When few events are missing, the indexes are created. Then
one transaction locks the live checkpoint, applies the rest, compares the hash chains
and exchanges the tables; readers wait only for that. If the process is killed at any
moment, the live tables are complete, old or new; the next rebuild starts again.
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import sleep
from typing import NoReturn

import orjson
from psycopg import sql
from psycopg.errors import LockNotAvailable

from application.errors import Failure
from domain.errors import Refused
from projections.engine.chain import Problem, first_problem
from projections.engine.ranges import ranges
from projections.engine.runner import CHANGED, REBUILD_BATCH, Batches
from projections.engine.schema import (
    PROJECTIONS,
    create_read_model,
    drop_schema,
    index_statements,
)
from projections.engine.worker_pool import Job, open_pool, worker_count
from projections.tables.checkpoint import Checkpoint, checkpoint_in
from projections.tables.definition import SCHEMA
from storage.database import Conn, connect, lock_key

NEXT, OLD = "read_next", "read_old"

FEW = 50
"""Largest number of missing events with which a swap is tried."""

SWAP_WAIT_MS = 200
"""How long the swap waits for running readers, while later readers wait for it."""

BETWEEN_TRIES_SECONDS = 0.5
LOCK_SECONDS = 5.0
PROGRESS_SECONDS = 1.0

type Progress = Callable[[int, int], None]
"""Callback: positions done, and positions in total."""


class RebuildUnderWay(Refused):
    """Another rebuild or a verification holds the lock."""

    def __init__(self) -> None:
        super().__init__("A rebuild or a verification is under way: wait for its end.")


class ChainDiffers(Failure):
    """The log differs from the one that the live tables were computed from."""

    def __init__(self, problem: Problem | None) -> None:
        found = problem.message if problem else "The chain is another one."
        super().__init__(
            f"{found} The read tables stay as they are; see: autolynx audit verify"
        )
        self.problem = problem


class UnknownProjection(Refused):
    """No projection has this name; the message lists the names."""

    def __init__(self, name: str) -> None:
        names = ", ".join(PROJECTIONS)
        super().__init__(f"There is no projection {name}: it is one of {names}.")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Position up to which tables were rebuilt, and the number of events applied."""

    position: int
    events: int


def rebuild(
    url: str,
    *,
    name: str | None = None,
    workers: int | None = None,
    progress: Progress = lambda _done, _of: None,
    pause: Callable[[float], None] = sleep,
) -> Rebuilt:
    """Rebuild all read tables, or those of one projection, up to the live position.

    A long log is prepared by `workers` processes; None chooses their number by that of
    the cores, and 1 starts none.

    Raises:
        RebuildUnderWay: another rebuild or a verification is running.
        UnknownProjection: no projection has this name.
        ProjectionStopped: an event cannot be applied; nothing was swapped.
        ChainDiffers: the log was changed; the error names the first changed event.
        WorkerLost: a worker process was killed; nothing was swapped.
    """
    only = _tables_of(name)
    with connect(url, name="rebuild", lock_timeout=LOCK_SECONDS) as conn, alone(conn):
        create_read_model(conn)
        for leftover in (NEXT, OLD):
            drop_schema(conn, leftover)
        run = _Rebuild(conn, only, progress, pause)
        return run.run(url, workers)


@contextmanager
def alone(conn: Conn) -> Iterator[None]:
    """Hold the lock that excludes other rebuilds and verifications.

    After a crash the server releases it when it ends the session.

    Raises:
        RebuildUnderWay: another one is running.
    """
    try:
        key = lock_key("autolynx rebuild")
        conn.execute("select pg_advisory_lock(%s)", (key,))
    except LockNotAvailable:
        raise RebuildUnderWay from None
    conn.execute("set lock_timeout = 0")  # Old tables may be in use by long queries.
    yield
    conn.execute("select pg_advisory_unlock(%s)", (key,))


def _tables_of(name: str | None) -> Collection[str] | None:
    if name is None:
        return None
    if name not in PROJECTIONS:
        raise UnknownProjection(name)
    return PROJECTIONS[name]


class _Rebuild:
    def __init__(
        self,
        conn: Conn,
        only: Collection[str] | None,
        progress: Progress,
        pause: Callable[[float], None],
    ) -> None:
        self._conn, self._only = conn, only
        self._progress, self._pause = progress, pause
        self._events = 0

    def run(self, url: str, workers: int | None) -> Rebuilt:
        # The tables are lost anyway if the server crashes before they are swapped.
        self._conn.execute("set synchronous_commit = off")
        create_read_model(self._conn, NEXT, only=self._only, indexes=False)
        batches = Batches(self._conn, schema=NEXT, notify=False, only=self._only)
        live = self._checkpoint(SCHEMA).position
        count = worker_count(workers, live)
        if count > 1:
            self._fill_in_parallel(url, batches, count, live)
        self._fill(batches)
        self._create_indexes(live)
        while True:
            self._fill(batches)
            try:
                position = self._swapped(batches)
            except _ChainsDiffer:  # The event is searched after the locks are released.
                self._report_difference()
            if position is not None:
                for schema in (OLD, NEXT):
                    drop_schema(self._conn, schema)
                self._progress(position, position)
                return Rebuilt(position, self._events)
            self._pause(BETWEEN_TRIES_SECONDS)

    def _fill_in_parallel(
        self, url: str, batches: Batches, count: int, live: int
    ) -> None:
        """Apply the events up to the position `live`; processes prepare them."""
        only = None if self._only is None else frozenset(self._only)
        job = Job(url, "rebuild worker", NEXT, only)
        source, done = ranges(self._conn, 0, live, REBUILD_BATCH), 0

        def report() -> None:
            self._progress(done, live)

        with open_pool(count, job) as pool:
            for wanted, result in pool.results(source, report):
                done = wanted.until
                self._events += batches.apply_prepared(result.prepared, done)
                report()

    def _create_indexes(self, live: int) -> None:
        """Create the indexes that filling the tables did not need.

        Progress is reported meanwhile, since the projector's heartbeat depends on it.
        """
        for statement in index_statements(self._only):
            with ThreadPoolExecutor(1) as thread:
                created = thread.submit(self._conn.execute, statement)
                try:
                    while wait([created], PROGRESS_SECONDS).not_done:
                        self._progress(live, live)
                except BaseException:
                    self._conn.cancel_safe()
                    raise
                created.result()

    def _fill(self, batches: Batches) -> None:
        """Apply events until at most `FEW` are missing to the live checkpoint."""
        while True:
            live, own = (
                self._checkpoint(SCHEMA).position,
                self._checkpoint(NEXT).position,
            )
            self._progress(own, live)
            if live - own <= FEW:
                return
            applied = batches.apply(REBUILD_BATCH, live)
            self._events += applied.events
            if not applied.more and self._checkpoint(NEXT).position < live:
                self._report_difference()  # The last event was deleted from the log.

    def _swapped(self, batches: Batches) -> int | None:
        """Swap the tables; None if readers held locks or too many events were added."""
        conn = self._conn
        with suppress(LockNotAvailable, _TooManyEvents), conn.transaction():
            self._hold()
            # The caller may rely on the result, unlike on a table that is being filled.
            conn.execute("set local synchronous_commit = on")
            live = self._checkpoint(SCHEMA)
            applied = batches.apply(REBUILD_BATCH, live.position)
            if applied.more:
                raise _TooManyEvents
            if self._checkpoint(NEXT) != live:
                raise _ChainsDiffer
            self._exchange(live.position)
            self._events += applied.events
            return live.position
        return None

    def _hold(self) -> None:
        """Lock the checkpoint against the projector and against readers' snapshots."""
        lock = sql.SQL(
            "set local lock_timeout = {}; lock table {} in access exclusive mode"
        )
        table = sql.Identifier(SCHEMA, "projection_position")
        self._conn.execute(lock.format(SWAP_WAIT_MS, table))

    def _checkpoint(self, schema: str) -> Checkpoint:
        checkpoint = checkpoint_in(self._conn, schema)
        assert checkpoint is not None  # Created when the rebuild began.
        return checkpoint

    def _report_difference(self) -> NoReturn:
        problem = first_problem(self._conn, SCHEMA)
        raise ChainDiffers(problem)

    def _exchange(self, position: int) -> None:
        if self._only is None:
            self._rename(SCHEMA, OLD)
            self._rename(NEXT, SCHEMA)
        else:
            self._exchange_tables(self._only)
        payload = orjson.dumps({"position": position, "campaigns": "*"}).decode()
        self._conn.execute("select pg_notify(%s, %s)", (CHANGED, payload))

    def _rename(self, schema: str, name: str) -> None:
        statement = sql.SQL("alter schema {} rename to {}")
        names = map(sql.Identifier, (schema, name))
        self._conn.execute(statement.format(*names))

    def _exchange_tables(self, names: Collection[str]) -> None:
        statement = sql.SQL("alter table {} set schema {}")
        create = sql.SQL("create schema {}")
        self._conn.execute(create.format(sql.Identifier(OLD)))
        for name in sorted(names):
            for schema, to in ((SCHEMA, OLD), (NEXT, SCHEMA)):
                table = sql.Identifier(schema, name)
                self._conn.execute(statement.format(table, sql.Identifier(to)))


class _TooManyEvents(Exception):
    """More events were added than one batch applies."""


class _ChainsDiffer(Exception):
    """The two hash chains end differently."""
