"""One leader a role: a lock that dies with its connection, and a sign of life."""

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
"""Without any progress for so long a leader gives no more signs of life."""

SIGNS = 4
"""Signs of life in the time after which a leader counts as silent."""

STANDS = 30
"""How often one connection is stood on: a new one finds a server that has moved."""

LOOK_SECONDS = 1.0
"""How often it looks, at least, whether a sign is due: the time may be set anew."""

# A leader says itself when its silence is too long; who has not yet, gets as long as
# the standby would.
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
"""The server does not answer, or is no longer the one that writes."""

log = logging.getLogger(__name__)


class LeadershipLost(Exception):
    """The connection that held the lock is gone: somebody else may lead by now."""


class Term:
    """A time of leading; it ends when its connection does.

    Signs of life go out by themselves, as long as the work goes on: one slow answer of
    the provider is no reason to take over, a frozen process or a stuck one is.
    `connection` holds the lock; `signs` are given on it unless it has other work.
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
        """Say that the work goes on. Raises LeadershipLost where it must not."""
        self.go_on()
        self._sign()

    def go_on(self) -> None:
        """Go on with the work, and leave saying so to the next sign that is due.

        Raises LeadershipLost where it must not.
        """
        if self._lost is not None:
            raise LeadershipLost(str(self._lost)) from self._lost
        self._worked_at = monotonic()

    def let_silence_last(self, seconds: float) -> None:
        """Say after how much silence, from now on, somebody else is to lead."""
        if seconds != self._silent_after:
            self._silent_after = seconds
            self.beat()

    @contextmanager
    def signing(self) -> Iterator[None]:
        """Sign that the leader lives, in time, from another thread."""
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
        """Sign by the database's clock."""
        try:
            with within(BEAT_TIMEOUT_SECONDS):
                beat(self._signs, self._role, self._holder, self._silent_after)
        except AWAY as error:
            self._lost = error
            raise LeadershipLost(str(error)) from error
        self._signed_at = monotonic()


class Leadership:
    """Stands for election, again and again, until it is stopped.

    With `working`, the lock is held by a connection that it opens, and that does the
    role's work as well: who loses the one has lost the other.
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
        """Wait to lead, asking again `every` so many seconds; None when stopped before.

        A leader that is silent for longer than it may be is ended: a frozen process
        keeps its lock as long as its connection lives. `silent_after` seconds are what
        this one may be, to begin with.
        """
        with ExitStack() as held:
            term = None
            while term is None and not stop.is_set():
                term = self._stand(held, stop, silent_after, every)
                if term is None:
                    stop.wait(every)
            yield term

    def _stand(
        self, held: ExitStack, stop: Event, silent_after: float, every: float
    ) -> Term | None:
        """Wait for the lock on one connection; None where that leads nowhere."""
        try:
            with ExitStack() as tried:
                connection = tried.enter_context(self._connect())
                for _ in range(STANDS):
                    if self._is_ours(tried, connection):
                        term = self._begin(tried, connection, silent_after)
                        held.push(tried.pop_all())
                        return term
                    self._end_silent(connection, silent_after)
                    if stop.wait(every):
                        break
        except (*AWAY, LeadershipLost) as error:
            log.warning("%s cannot stand for election: %s", self._role, error)
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

    def _end_silent(self, connection: Conn, silent_after: float) -> None:
        """End who holds the lock and was silent for longer than that may be."""
        values = {"key": self._key, "role": self._role, "silent": silent_after}
        with within(BEAT_TIMEOUT_SECONDS):
            for (pid,) in connection.execute(SILENT_HOLDERS, values).fetchall():
                log.warning("the %s that leads is silent: taking over", self._role)
                connection.execute("select pg_terminate_backend(%s)", (pid,))
