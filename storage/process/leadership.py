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
"""Longest wait for the server when a heartbeat is written or the lock is tried."""

STUCK_SECONDS = 300.0
"""A leader without progress for this many seconds sends no more heartbeats."""

HEARTBEATS_PER_LIMIT = 4
"""Heartbeats within the time after which a leader counts as silent."""

TRIES = 30
"""Tries on one connection; a new connection finds the server after a fail-over."""

CHECK_SECONDS = 1.0
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

UNAVAILABLE = (OperationalError, InterfaceError, ReadOnlySqlTransaction)
"""The server does not answer, or is no longer the primary."""

log = logging.getLogger(__name__)


class LeadershipLost(Exception):
    """The connection that held the lock is closed; another process may lead."""


class Term:
    """A term of one leader; it ends with the connection that holds the lock.

    A thread sends heartbeats as long as the work makes progress: a standby must take
    over from a frozen or stuck process, but not because of one slow answer of the
    provider. They are sent over `heartbeat_connection`
    if `connection` is used for other work. `silent_after` is in seconds.
    """

    def __init__(
        self,
        connection: Conn,
        role: str,
        holder: str,
        *,
        silent_after: float,
        heartbeat_connection: Conn | None = None,
    ) -> None:
        self.connection = connection
        self._heartbeat_connection = heartbeat_connection or connection
        self._role, self._holder = role, holder
        self._silent_after = silent_after
        self._progress_at = self._heartbeat_at = monotonic()
        self._lost: Exception | None = None

    def beat(self) -> None:
        """Record progress and send a heartbeat.

        Raises LeadershipLost if the term has ended.
        """
        self.record_progress()
        self._send_heartbeat()

    def record_progress(self) -> None:
        """Record progress; the next heartbeat that is due reports it.

        Raises LeadershipLost if the term has ended.
        """
        if self._lost is not None:
            raise LeadershipLost(str(self._lost)) from self._lost
        self._progress_at = monotonic()

    def set_silence_limit(self, seconds: float) -> None:
        """Set the seconds without a heartbeat after which a standby takes over.

        Raises LeadershipLost if the term has ended.
        """
        if seconds != self._silent_after:
            self._silent_after = seconds
            self.beat()

    @contextmanager
    def sending_heartbeats(self) -> Iterator[None]:
        """Send heartbeats from another thread as long as the context is open."""
        over = Event()

        def send() -> None:
            while self._lost is None and not over.wait(self._check_interval()):
                if self._is_due():
                    with suppress(LeadershipLost):
                        self._send_heartbeat()

        thread = Thread(target=send, name=f"{self._role} heartbeats", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _check_interval(self) -> float:
        return min(self._silent_after / HEARTBEATS_PER_LIMIT, CHECK_SECONDS)

    def _is_due(self) -> bool:
        now = monotonic()
        is_stuck = now - self._progress_at >= STUCK_SECONDS
        due_at = self._heartbeat_at + self._silent_after / HEARTBEATS_PER_LIMIT
        return not is_stuck and now + self._check_interval() > due_at

    def _send_heartbeat(self) -> None:
        """Send a heartbeat; its time is that of the database's clock."""
        try:
            with within(BEAT_TIMEOUT_SECONDS):
                connection = self._heartbeat_connection
                beat(connection, self._role, self._holder, self._silent_after)
        except UNAVAILABLE as error:
            self._lost = error
            raise LeadershipLost(str(error)) from error
        self._heartbeat_at = monotonic()


class Leadership:
    """Tries to become leader until it is stopped.

    `connect_for_work` opens the connection that holds the lock and is also used for the
    role's work, so that both are lost together. `holder` identifies this process.
    """

    def __init__(
        self,
        url: str,
        *,
        role: str,
        holder: str,
        connect_for_work: Callable[[], Conn] | None = None,
    ) -> None:
        self._url, self._role, self._holder = url, role, holder
        self._connect_for_work = connect_for_work
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
        except (*UNAVAILABLE, LeadershipLost) as error:
            log.warning("%s cannot try to become leader: %s", self._role, error)
        return None

    def _connect(self) -> Conn:
        if self._connect_for_work is not None:
            return self._connect_for_work()
        return connect(self._url, name=f"{self._role} leader")

    def _is_ours(self, tried: ExitStack, connection: Conn) -> bool:
        with within(BEAT_TIMEOUT_SECONDS), ExitStack() as tried_lock:
            is_ours = tried_lock.enter_context(session_lock(connection, self._key))
            if is_ours:
                tried.push(tried_lock.pop_all())
        return is_ours

    def _begin(self, tried: ExitStack, connection: Conn, silent_after: float) -> Term:
        for_heartbeats = None
        if self._connect_for_work is not None:
            for_heartbeats = tried.enter_context(
                connect(self._url, name=f"{self._role} heartbeats")
            )
        term = Term(
            connection,
            self._role,
            self._holder,
            silent_after=silent_after,
            heartbeat_connection=for_heartbeats,
        )
        term.beat()
        tried.enter_context(term.sending_heartbeats())
        return term

    def _terminate_silent_leader(self, connection: Conn, silent_after: float) -> None:
        """Terminate the session of a leader whose last heartbeat is too old."""
        values = {"key": self._key, "role": self._role, "silent": silent_after}
        with within(BEAT_TIMEOUT_SECONDS):
            for (pid,) in connection.execute(SILENT_HOLDERS, values).fetchall():
                log.warning(
                    "the leading %s has sent no heartbeat: taking over", self._role
                )
                connection.execute("select pg_terminate_backend(%s)", (pid,))
