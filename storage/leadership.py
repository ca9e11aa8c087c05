"""One leader a role: a lock that dies with its connection, and a sign of life."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event

from psycopg import InterfaceError, OperationalError

from storage.database import Conn, connect, lock_key, session_lock, within
from storage.operations import beat

BEAT_TIMEOUT_SECONDS = 5.0

SILENT = """
select backend_pid from heartbeat
where role = %s and clock_timestamp() - beat_at > make_interval(secs => %s)
"""

HOLDERS = """
select pid from pg_locks
where locktype = 'advisory' and granted
    and ((classid::bigint << 32) | objid::bigint) = %s
    and database = (select oid from pg_database where datname = current_database())
"""

log = logging.getLogger(__name__)


class LeadershipLost(Exception):
    """The connection that held the lock is gone: somebody else may lead by now."""


class Term:
    """A time of leading; it ends when its connection does."""

    def __init__(self, connection: Conn, role: str, holder: str) -> None:
        self._connection, self._role, self._holder = connection, role, holder

    def beat(self) -> None:
        """Sign that the leader lives, by the database's clock.

        Raises LeadershipLost where it can no longer be known.
        """
        try:
            with within(BEAT_TIMEOUT_SECONDS):
                beat(self._connection, self._role, self._holder)
        except (OperationalError, InterfaceError) as error:
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
                    held.push(tried.pop_all())
                    return self._elected(connection)
                self._end_silent(connection, silent_after)
        except (OperationalError, InterfaceError, LeadershipLost) as error:
            log.warning("%s cannot stand for election: %s", self._role, error)
        return None

    def _elected(self, connection: Conn) -> Term:
        term = Term(connection, self._role, self._holder)
        term.beat()
        return term

    def _end_silent(self, connection: Conn, silent_after: float) -> None:
        silent = connection.execute(SILENT, (self._role, silent_after)).fetchone()
        if silent is None:
            return
        for (pid,) in connection.execute(HOLDERS, (self._key,)).fetchall():
            log.warning("the %s that leads is silent: taking over", self._role)
            connection.execute("select pg_terminate_backend(%s)", (pid,))
