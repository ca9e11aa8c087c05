"""Connections to Postgres: common settings, and time limits for every wait."""

import os
import selectors
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from random import uniform
from threading import Event, RLock
from time import monotonic, sleep
from typing import Any, override

from psycopg import (
    Connection,
    InterfaceError,
    Notify,
    OperationalError,
    ProgrammingError,
    errors,
    sql,
)
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed

from application.errors import StoreUnavailable
from storage.writer_version import SETTING, writer_version

type Conn = Connection[TupleRow]
type Pool = ConnectionPool[Conn]

TCP = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Defaults of each connection: a server that disappears is noticed after 10 seconds."""

CANNOT_WRITE = (errors.ReadOnlySqlTransaction, errors.DiskFull)
"""Errors of writes on a server that still answers reads."""

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Limit all waits for the server in this context to `seconds` in total.

    The limit also works if the server sends nothing at all, for example because it is
    frozen or the network is down; server-side time-outs do not cover that. When the
    time is over, the connection is closed and psycopg's OperationalError is raised.
    Of nested contexts, the earliest end counts.
    """
    until = monotonic() + seconds
    outer = _deadline.get()
    token = _deadline.set(until if outer is None else min(outer, until))
    try:
        yield
    finally:
        _deadline.reset(token)


class DeadlineConnection(Connection[TupleRow]):
    """A connection that obeys the time limit of `within`."""

    @override
    def wait[RV](
        self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None
    ) -> RV:
        until = _deadline.get()
        if until is None:
            return super().wait(gen, interval, timeout)
        left = max(until - monotonic(), 0.001)
        if timeout is not None and timeout < left:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, min(interval, left), left)
        except errors._WaitTimeout as error:  # noqa: SLF001 - psycopg has no public name for it
            self.close()
            raise OperationalError("the server did not answer in time") from error


class _WritablePool(ConnectionPool[Conn]):
    """A pool that replaces its connections when one of them takes no writes.

    A session keeps the `default_transaction_read_only` with which it began, so a
    connection opened while the database was read-only would fail every write for as
    long as it stays in the pool.
    """

    @contextmanager
    def connection(self, timeout: float | None = None) -> Iterator[Conn]:
        """Yield a connection. Raises OperationalError if the server refuses a write."""
        try:
            with super().connection(timeout) as connection:
                yield connection
        except errors.ReadOnlySqlTransaction as error:
            self.drain()
            raise OperationalError(str(error)) from error


def conninfo(url: str, name: str) -> str:
    """Return the URL or key=value string with our defaults for missing parameters.

    `name` is the application name. Raises OperationalError if `url` has neither form;
    the message does not contain it, because it may include a password.
    """
    try:
        given = conninfo_to_dict(url)
    except ProgrammingError:
        form = "postgresql://USER:PASSWORD@HOST:PORT/NAME"
        raise OperationalError(f"the URL does not have the form {form}") from None
    defaults: dict[str, Any] = {**TCP, "application_name": name}
    if "," in str(given.get("host", "")):
        defaults["target_session_attrs"] = "read-write"
    return make_conninfo("", **{**defaults, **given})


def _configure(
    statement_timeout: float | None,
    lock_timeout: float | None,
    settings: Mapping[str, str] | None = None,
) -> Callable[[Conn], None]:
    values = {
        "statement_timeout": str(int((statement_timeout or 0) * 1000)),
        "lock_timeout": str(int((lock_timeout or 0) * 1000)),
        "default_transaction_isolation": "read committed",
        "idle_in_transaction_session_timeout": "60s",
        "TimeZone": "UTC",
        "jit": "off",
        SETTING: str(writer_version()),
        **(settings or {}),
    }

    def configure(connection: Conn) -> None:
        # Not by start-up options, which session poolers refuse.
        with within(5.0):
            connection.execute(
                "select set_config(name, value, false)"
                " from unnest(%s::text[], %s::text[]) as setting (name, value)",
                (list(values), list(values.values())),
            )

    return configure


def open_pool(
    url: str,
    *,
    name: str,
    min_size: int = 1,
    max_size: int = 8,
    statement_timeout: float | None = 5.0,
    lock_timeout: float | None = 5.0,
    settings: Mapping[str, str] | None = None,
    check: bool = False,
) -> Pool:
    """Open a pool of autocommit connections; time-outs in seconds, None for none.

    `settings` are further session settings of each connection. With `check`, each
    connection is tested with one round trip before it is lent, so that work that cannot
    be repeated never gets one that a restart of the server has closed. The pool opens
    even if the server does not answer yet. The caller closes it.
    """
    return _WritablePool(
        conninfo(url, f"autolynx {name}"),
        connection_class=DeadlineConnection,
        kwargs={"autocommit": True},
        min_size=min_size,
        max_size=max_size,
        name=name,
        timeout=5.0,
        reconnect_timeout=5.0,  # Pauses between tries double up to this.
        configure=_configure(statement_timeout, lock_timeout, settings),
        check=_WritablePool.check_connection if check else None,
        open=True,
    )


def url_of(pool: Pool) -> str:
    """Return the connection string with which the pool connects."""
    return pool.conninfo if isinstance(pool.conninfo, str) else pool.conninfo()


def connect(
    url: str,
    *,
    name: str,
    statement_timeout: float | None = None,
    lock_timeout: float | None = None,
) -> Conn:
    """Open one autocommit connection; time-outs in seconds, None for none.

    Raises OperationalError if the server cannot be reached.
    """
    connection = DeadlineConnection.connect(
        conninfo(url, f"autolynx {name}"), autocommit=True
    )
    try:
        _configure(statement_timeout, lock_timeout)(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def lock_key(name: str) -> int:
    """Return the signed 64-bit key of the advisory lock with this name."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)


@dataclass(frozen=True)
class Retry:
    """One try: the number of tries before it, and the seconds left for it."""

    repeats: int
    left: float


@dataclass(frozen=True)
class RetryPolicy:
    """Repeats work on the database while the server fails, for `seconds` in total."""

    seconds: float = 5.0
    sleep: Callable[[float], None] = sleep
    jitter: Callable[[float, float], float] = uniform

    def run[T](self, pool: Pool, work: Callable[[Conn, Retry], T]) -> T:
        """Run the work on a pooled connection; repeat it if the connection fails.

        The try before a repeat may have been committed, so `work` must check that.

        Raises:
            StoreUnavailable: the work did not succeed within `seconds`. Its cause is
                the refusal of a write as read-only, if any try met one: the last try
                may merely have run out of time.
        """
        until, repeats, pause = monotonic() + self.seconds, 0, 0.05
        read_only: Exception | None = None
        while True:
            left = max(until - monotonic(), 0.001)
            try:
                with _connection(pool, left) as connection:
                    repeats += 1
                    return work(connection, Retry(repeats - 1, left))
            except (OperationalError, InterfaceError) as error:
                rest = self.jitter(pause / 2, pause)
                if isinstance(error.__cause__, errors.ReadOnlySqlTransaction):
                    read_only = error
                if isinstance(error, PoolClosed) or monotonic() + rest >= until:
                    raise StoreUnavailable(str(error)) from (read_only or error)
                self.sleep(rest)
                pause = min(pause * 2, 1.0)


@contextmanager
def _connection(pool: Pool, left: float) -> Iterator[Conn]:
    with within(left), pool.connection(timeout=left) as connection:
        try:
            yield connection
        finally:
            if connection.closed:
                pool.check()  # The other connections are probably closed as well.


@contextmanager
def session_lock(connection: Conn, key: int) -> Iterator[bool]:
    """Try to take a session-level advisory lock; yield whether it was taken.

    The lock is released at the end of the context, or when the connection ends.
    """
    row = connection.execute("select pg_try_advisory_lock(%s)", (key,)).fetchone()
    held = row is not None and bool(row[0])
    try:
        yield held
    finally:
        if held:
            with suppress(OperationalError, InterfaceError):
                connection.execute("select pg_advisory_unlock(%s)", (key,))


class Listener:
    """Listens on channels (LISTEN) over its own connection.

    Iterating yields tuples of notifications as they arrive. An empty tuple means that
    notifications may have been missed, so the caller must read the current state: it
    comes first, after each reconnection, and after `every` seconds without a
    notification. A lost connection is opened again, after increasing pauses.
    """

    def __init__(
        self,
        url: str,
        *channels: str,
        name: str = "listener",
        every: float = 5.0,
        jitter: Callable[[float, float], float] = uniform,
    ) -> None:
        self._url, self._channels, self._name = url, channels, name
        self._every, self._jitter = every, jitter
        self._stopped = Event()
        self._wake, self._waker = os.pipe()
        # One thread may close the pipe while another calls `stop`, and a signal handler
        # may interrupt either of them and call `stop` too: hence a reentrant lock.
        self._pipe, self._closed = RLock(), False

    def stop(self) -> None:
        """End the iteration at once; callable from any thread and repeatedly."""
        with self._pipe:
            if not self._stopped.is_set():
                self._stopped.set()
                os.write(self._waker, b"x")

    def close(self) -> None:
        """Stop the iteration and close the pipe; may be repeated."""
        with self._pipe:
            self.stop()
            if not self._closed:
                self._closed = True
                os.close(self._wake)
                os.close(self._waker)

    def __iter__(self) -> Iterator[tuple[Notify, ...]]:
        """Yield notifications until `stop` is called."""
        delay = 0.1
        while not self._stopped.is_set():
            try:
                for notifications in self._session():
                    delay = 0.1
                    yield notifications
            except (OperationalError, InterfaceError):
                self._stopped.wait(self._jitter(delay / 2, delay))
                delay = min(delay * 2, 5.0)

    def _session(self) -> Iterator[tuple[Notify, ...]]:
        with self._listening() as connection, selectors.DefaultSelector() as ready:
            ready.register(connection.fileno(), selectors.EVENT_READ)
            ready.register(self._wake, selectors.EVENT_READ)
            yield ()
            while not self._stopped.is_set():
                notifications = tuple(connection.notifies(timeout=0))
                if not notifications:
                    ready.select(self._every)
                    notifications = tuple(connection.notifies(timeout=0))
                if not self._stopped.is_set():
                    yield notifications

    @contextmanager
    def _listening(self) -> Iterator[Conn]:
        # Notifications sent before LISTEN are lost; hence the empty tuple first.
        with within(10.0):
            connection = connect(self._url, name=self._name)
        with connection:
            for channel in self._channels:
                connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            yield connection
