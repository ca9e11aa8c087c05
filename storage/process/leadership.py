"""Leader election: a session-level advisory lock for each role, and heartbeats."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Event, Thread
from time import monotonic

from psycopg import InterfaceError, OperationalError
from psycopg.errors import ReadOnlySqlTransaction

from storage.database import Conn, connect, lock_key, session_lock, within
from storage.process.decisions import beat

BEAT_TIMEOUT_SECONDS = 5.0
STUCK_SECONDS = 300.0
"""A leader without progress for this many seconds sends no more heartbeats."""

SIGNS = 4
"""Heartbeats within the time after which a leader counts as silent."""

TRIES = 30
"""Tries on one connection; a new connection finds the server after a fail-over."""

LOOK_SECONDS = 1.0
"""Longest pause between checks whether a heartbeat is due."""

# Each heartbeat contains the leader's own limit. A leader without a heartbeat yet is
# judged by the limit of the standby.
SILENT_HOLDERS = """
select held.pid from pg_locks as held
join pg_stat_activity as session on session.pid = held.pid
where held.locktype = 'advisory' and held.granted
    and ((held.classid::bigint << 32) | held.objid::bigint) = %(key)s
    and held.database = (select oid from pg_database where datname = current_database())
    and session.backend_start < clock_timestamp() - make_interval(secs => %(silent)s)
    and not exists (
        select from heartbeat where role = %(role)s
            and beat_at >= clock_timestamp() - make_interval(secs => silent_after))
"""

AWAY = (OperationalError, InterfaceError, ReadOnlySqlTransaction)
"""The server does not answer, or is no longer the primary."""

log = logging.getLogger(__name__)


class LeadershipLost(Exception):
    """The connection that held the lock is closed; another process may lead."""


class Term:
    """A term of one leader; it ends with the connection that holds the lock.

    A thread sends heartbeats as long as the work makes progress: a standby must take
    over from a frozen or stuck process, but not because of one slow answer of the
    provider. They are sent over `signs` if `connection` is used for other work.
    """

    def __init__(
        self,
        connection: Conn,
        role: str,
        holder: str,
        *,
        silent_after: float,
        signs: Conn | None = None,
    ) -> None:
        self.connection, self._signs = connection, signs or connection
        self._role, self._holder = role, holder
        self._silent_after = silent_after
        self._worked_at = self._signed_at = monotonic()
        self._lost: Exception | None = None

    def beat(self) -> None:
        """Record progress and send a heartbeat; raise LeadershipLost if it ended."""
        self.go_on()
        self._sign()

    def go_on(self) -> None:
        """Record progress; the next heartbeat that is due reports it.

        Raises LeadershipLost if the term has ended.
        """
        if self._lost is not None:
            raise LeadershipLost(str(self._lost)) from self._lost
        self._worked_at = monotonic()

    def let_silence_last(self, seconds: float) -> None:
        """Set the seconds without a heartbeat after which a standby takes over."""
        if seconds != self._silent_after:
            self._silent_after = seconds
            self.beat()

    @contextmanager
    def signing(self) -> Iterator[None]:
        """Send heartbeats from another thread."""
        over = Event()

        def sign() -> None:
            while self._lost is None and not over.wait(self._until_next_sign()):
                if self._is_due():
                    with suppress(LeadershipLost):
                        self._sign()

        thread = Thread(target=sign, name=f"{self._role} signs", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _until_next_sign(self) -> float:
        return min(self._silent_after / SIGNS, LOOK_SECONDS)

    def _is_due(self) -> bool:
        now = monotonic()
        is_stuck = now - self._worked_at >= STUCK_SECONDS
        next_look = now + self._until_next_sign()
        return not is_stuck and next_look > self._signed_at + self._silent_after / SIGNS

    def _sign(self) -> None:
        """Send a heartbeat; its time is that of the database's clock."""
        try:
            with within(BEAT_TIMEOUT_SECONDS):
                beat(self._signs, self._role, self._holder, self._silent_after)
        except AWAY as error:
            self._lost = error
            raise LeadershipLost(str(error)) from error
        self._signed_at = monotonic()


class Leadership:
    """Tries to become leader until it is stopped.

    `working` opens the connection that holds the lock and is also used for the role's
    work, so that both are lost together.
    """

    def __init__(
        self,
        url: str,
        *,
        role: str,
        holder: str,
        working: Callable[[], Conn] | None = None,
    ) -> None:
        self._url, self._role, self._holder = url, role, holder
        self._working = working
        self._key = lock_key(f"autolynx:{role}")

    @contextmanager
    def term(
        self, stop: Event, *, silent_after: float, every: float = 1.0
    ) -> Iterator[Term | None]:
        """Wait for the leadership and yield its term, or None if stopped before.

        The lock is tried every `every` seconds. The session of a leader that has sent
        no heartbeat for too long is terminated, because a frozen process keeps its lock
        as long as its connection. `silent_after` is the initial limit of this leader.
        """
        with ExitStack() as held:
            term = None
            while term is None and not stop.is_set():
                term = self._try_to_lead(held, stop, silent_after, every)
                if term is None:
                    stop.wait(every)
            yield term

    def _try_to_lead(
        self, held: ExitStack, stop: Event, silent_after: float, every: float
    ) -> Term | None:
        """Wait for the lock on one connection; None if the connection fails."""
        try:
            with ExitStack() as tried:
                connection = tried.enter_context(self._connect())
                for _ in range(TRIES):
                    if self._is_ours(tried, connection):
                        term = self._begin(tried, connection, silent_after)
                        held.push(tried.pop_all())
                        return term
                    self._terminate_silent_leader(connection, silent_after)
                    if stop.wait(every):
                        break
        except (*AWAY, LeadershipLost) as error:
            log.warning("%s cannot try to become leader: %s", self._role, error)
        return None

    def _connect(self) -> Conn:
        if self._working is not None:
            return self._working()
        return connect(self._url, name=f"{self._role} leader")

    def _is_ours(self, tried: ExitStack, connection: Conn) -> bool:
        with within(BEAT_TIMEOUT_SECONDS), ExitStack() as stood:
            is_ours = stood.enter_context(session_lock(connection, self._key))
            if is_ours:
                tried.push(stood.pop_all())
        return is_ours

    def _begin(self, tried: ExitStack, connection: Conn, silent_after: float) -> Term:
        signs = None
        if self._working is not None:
            signs = tried.enter_context(connect(self._url, name=f"{self._role} signs"))
        term = Term(
            connection,
            self._role,
            self._holder,
            silent_after=silent_after,
            signs=signs,
        )
        term.beat()
        tried.enter_context(term.signing())
        return term

    def _terminate_silent_leader(self, connection: Conn, silent_after: float) -> None:
        """Terminate the session of a leader whose last heartbeat is too old."""
        values = {"key": self._key, "role": self._role, "silent": silent_after}
        with within(BEAT_TIMEOUT_SECONDS):
            for (pid,) in connection.execute(SILENT_HOLDERS, values).fetchall():
                log.warning(
                    "the leading %s sends no heartbeat: taking over", self._role
                )
                connection.execute("select pg_terminate_backend(%s)", (pid,))
