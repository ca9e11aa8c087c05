"""All read tables anew from the log, beside the live ones, put in their place at once.

A second schema is filled by the code that fills the first. When few events are
missing, the live position is held, the rest is applied, the chains are compared and the
names are exchanged, in one transaction. Nobody waits longer than that. Killed at any
moment, the live tables are whole, old or new; the next rebuild begins again.
"""

from collections.abc import Callable, Collection, Iterator
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
from projections.engine.runner import CHANGED, REBUILD_BATCH, Batches
from projections.engine.schema import (
    PROJECTIONS,
    create_read_model,
    drop_schema,
)
from projections.tables import SCHEMA, Place, place_in
from storage.database import Conn, connect, lock_key

NEXT, OLD = "read_next", "read_old"

FEW = 50
"""Events that may be missing when the swap is tried."""

SWAP_WAIT_MS = 200
"""How long the swap may keep readers waiting while it waits for earlier ones."""

BETWEEN_TRIES_SECONDS = 0.5
LOCK_SECONDS = 5.0

type Progress = Callable[[int, int], None]
"""Is told how many of how many positions are done."""


class RebuildUnderWay(Refused):
    def __init__(self) -> None:
        super().__init__("A rebuild or a verification is under way: wait for its end.")


class ChainDiffers(Failure):
    """The log is not what the live tables were made of: nothing was swapped."""

    def __init__(self, problem: Problem | None) -> None:
        said = problem.message if problem else "The chain is another one."
        super().__init__(
            f"{said} The read tables stay as they are; see: autolynx audit verify"
        )
        self.problem = problem


class UnknownProjection(Refused):
    def __init__(self, name: str) -> None:
        names = ", ".join(PROJECTIONS)
        super().__init__(f"There is no projection {name}: it is one of {names}.")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Up to which position, and how many events that were."""

    position: int
    events: int


def rebuild(
    url: str,
    *,
    name: str | None = None,
    progress: Progress = lambda _done, _of: None,
    pause: Callable[[float], None] = sleep,
) -> Rebuilt:
    """Rebuild all read tables, or those of one projection, up to the live position.

    Raises:
        RebuildUnderWay: another one is.
        UnknownProjection: there is none of that name.
        ProjectionStopped: at an event that cannot be applied; nothing was swapped.
        ChainDiffers: the log is not what it was; the first such event is named.
    """
    only = _tables_of(name)
    with connect(url, name="rebuild", lock_timeout=LOCK_SECONDS) as conn, alone(conn):
        create_read_model(conn)
        for leftover in (NEXT, OLD):
            drop_schema(conn, leftover)
        return _Rebuild(conn, only, progress, pause).run()


@contextmanager
def alone(conn: Conn) -> Iterator[None]:
    """Let nobody else rebuild or verify, for as long as the connection lasts.

    The lock of one that was killed is free when its server process notices.

    Raises:
        RebuildUnderWay: somebody does.
    """
    try:
        key = lock_key("autolynx rebuild")
        conn.execute("select pg_advisory_lock(%s)", (key,))
    except LockNotAvailable:
        raise RebuildUnderWay from None
    conn.execute("set lock_timeout = 0")  # Old tables go when their last reader has.
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

    def run(self) -> Rebuilt:
        create_read_model(self._conn, NEXT, only=self._only)
        batches = Batches(self._conn, schema=NEXT, notify=False, only=self._only)
        while True:
            self._fill(batches)
            try:
                position = self._swapped(batches)
            except _NotTheSame:  # Named when nobody waits any more.
                self._differs()
            if position is not None:
                for schema in (OLD, NEXT):
                    drop_schema(self._conn, schema)
                self._progress(position, position)
                return Rebuilt(position, self._events)
            self._pause(BETWEEN_TRIES_SECONDS)

    def _fill(self, batches: Batches) -> None:
        """Apply what the live tables include, until they are nearly reached."""
        while True:
            live, own = self._place(SCHEMA).position, self._place(NEXT).position
            self._progress(own, live)
            if live - own <= FEW:
                return
            applied = batches.apply(REBUILD_BATCH, live)
            self._events += applied.events
            if not applied.more and self._place(NEXT).position < live:
                self._differs()  # The last event is not there any more.

    def _swapped(self, batches: Batches) -> int | None:
        """Exchange the tables; None where others were in the way, or far ahead."""
        conn = self._conn
        with suppress(LockNotAvailable, _NotYet), conn.transaction():
            self._hold()
            live = self._place(SCHEMA)
            applied = batches.apply(REBUILD_BATCH, live.position)
            if applied.more:
                raise _NotYet
            if self._place(NEXT) != live:
                raise _NotTheSame
            self._exchange(live.position)
            self._events += applied.events
            return live.position
        return None

    def _hold(self) -> None:
        """Let readers of several statements end, and the projector stand still."""
        lock = sql.SQL(
            "set local lock_timeout = {}; lock table {} in access exclusive mode"
        )
        table = sql.Identifier(SCHEMA, "projection_position")
        self._conn.execute(lock.format(SWAP_WAIT_MS, table))

    def _place(self, schema: str) -> Place:
        place = place_in(self._conn, schema)
        assert place is not None  # It was made when the rebuild began.
        return place

    def _differs(self) -> NoReturn:
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


class _NotYet(Exception):
    """More events came than one batch takes."""


class _NotTheSame(Exception):
    """The two chains lead to different ends."""
