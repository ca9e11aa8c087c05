"""One leader a role: a lock that dies with its connection, and a sign of life."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Event, Thread
from time import monotonic

from psycopg import InterfaceError, OperationalError

from storage.database import Conn, connect, lock_key, session_lock, within
from storage.operations import beat

BEAT_TIMEOUT_SECONDS = 5.0
STUCK_SECONDS = 300.0
"""Without any progress for so long a leader gives no more signs of life."""

SIGNS = 4
"""Signs of life in the time after which a leader counts as silent."""

SILENT_HOLDERS = """
select held.pid from pg_locks as held
join pg_stat_activity as session on session.pid = held.pid
where held.locktype = 'advisory' and held.granted
    and ((held.classid::bigint << 32) | held.objid::bigint) = %(key)s
    and held.database = (select oid from pg_database where datname = current_database())
    and session.backend_start < clock_timestamp() - make_interval(secs => %(silent)s)
    and not exists (
        select from heartbeat where role = %(role)s
            and beat_at >= clock_timestamp() - make_interval(secs => %(silent)s))
"""

log = logging.getLogger(__name__)


class LeadershipLost(Exception):
    """The connection that held the lock is gone: somebody else may lead by now."""


class Term:
    """A time of leading; it ends when its connection does.

    Signs of life go out by themselves, as long as the work goes on: one slow answer of
    the provider is no reason to take over, a frozen process or a stuck one is.
    """

    def __init__(self, connection: Conn, role: str, holder: str) -> None:
        self._connection, self._role, self._holder = connection, role, holder
        self._worked_at = monotonic()
        self._lost: Exception | None = None

    def beat(self) -> None:
        """Say that the work goes on. Raises LeadershipLost where it must not."""
        if self._lost is not None:
            raise LeadershipLost(str(self._lost)) from self._lost
        self._worked_at = monotonic()
        self._sign()

    @contextmanager
    def signing(self, every: float) -> Iterator[None]:
        """Sign that the leader lives, every so many seconds, from another thread."""
        over = Event()

        def sign() -> None:
            while self._lost is None and not over.wait(every):
                if monotonic() - self._worked_at < STUCK_SECONDS:
                    with suppress(LeadershipLost):
                        self._sign()

        thread = Thread(target=sign, name=f"{self._role} signs", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _sign(self) -> None:
        """Sign by the database's clock, on the connection that holds the lock."""
        try:
            with within(BEAT_TIMEOUT_SECONDS):
                beat(self._connection, self._role, self._holder)
        except (OperationalError, InterfaceError) as error:
            self._lost = error
            raise LeadershipLost(str(error)) from error


class Leadership:
    """Stands for election, again and again, until it is stopped."""

    def __init__(self, url: str, *, role: str, holder: str) -> None:
        self._url, self._role, self._holder = url, role, holder
        self._key = lock_key(f"autolynx:{role}")

    @contextmanager
    def term(
        self, stop: Event, *, silent_after: float, every: float = 1.0
    ) -> Iterator[Term | None]:
        """Wait to lead; None when stopped before.

        A leader whose last sign is older than `silent_after` seconds is ended: a
        frozen process keeps its lock as long as its connection lives.
        """
        with ExitStack() as held:
            term = None
            while term is None and not stop.is_set():
                term = self._stand(held, silent_after)
                if term is None:
                    stop.wait(every)
            yield term

    def _stand(self, held: ExitStack, silent_after: float) -> Term | None:
        try:
            with ExitStack() as tried:
                name = f"{self._role} leader"
                connection = tried.enter_context(connect(self._url, name=name))
                if tried.enter_context(session_lock(connection, self._key)):
                    term = Term(connection, self._role, self._holder)
                    term.beat()
                    tried.enter_context(term.signing(silent_after / SIGNS))
                    held.push(tried.pop_all())
                    return term
                self._end_silent(connection, silent_after)
        except (OperationalError, InterfaceError, LeadershipLost) as error:
            log.warning("%s cannot stand for election: %s", self._role, error)
        return None

    def _end_silent(self, connection: Conn, silent_after: float) -> None:
        """End who holds the lock for so long, and gave no sign for so long."""
        values = {"key": self._key, "role": self._role, "silent": silent_after}
        for (pid,) in connection.execute(SILENT_HOLDERS, values).fetchall():
            log.warning("the %s that leads is silent: taking over", self._role)
            connection.execute("select pg_terminate_backend(%s)", (pid,))
