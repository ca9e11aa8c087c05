"""One time for all processes: the database's, carried on between two looks at it."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread
from typing import Self

from psycopg import Error

from application.monotonic_clock import monotonic_now
from storage.database import Conn, connect, within
from storage.process.decisions import forget_clock, write_clock

MEASURE_SECONDS = 5.0
ANSWER_SECONDS = 5.0

log = logging.getLogger(__name__)


def host_time() -> datetime:
    return datetime.now(UTC)


class DatabaseClock:
    """Tells the database's time on any host; the host's own until it is measured.

    Between measurements the steady clock carries it on, so that a host whose time is
    wrong, or is set anew, decides as all others do. Safe to share between threads.
    """

    def __init__(
        self,
        *,
        host: Callable[[], datetime] | None = None,
        monotonic_now: Callable[[], float] = monotonic_now,
    ) -> None:
        self._host, self._monotonic_now = host or host_time, monotonic_now
        self._lock = Lock()
        self._measured: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        with self._lock:
            return self._host() if self._measured is None else self._carried_on()

    @property
    def skew(self) -> timedelta:
        """By how much this host is ahead of the database; negative: behind."""
        return self._host() - self()

    def measure(self, conn: Conn) -> None:
        """Ask the database. Raises psycopg's errors where it does not answer."""
        asked = self._monotonic_now()
        with within(ANSWER_SECONDS):
            row = conn.execute("select clock_timestamp()").fetchone()
        assert row is not None
        self._learn(row[0], asked, self._monotonic_now())

    def _learn(self, told: datetime, asked: float, answered: float) -> None:
        """Correct by what the answer proves: a slow one proves little."""
        with self._lock:
            latest = told + timedelta(seconds=answered - asked)
            if self._measured is None:
                now = told + (latest - told) / 2
            else:
                now = min(max(self._carried_on(), told), latest)
            self._measured = now, answered

    def _carried_on(self) -> datetime:
        assert self._measured is not None
        time, at = self._measured
        return time + timedelta(seconds=self._monotonic_now() - at)


class ClockWorker:
    """Measures again and again, and leaves the skew where people can see it."""

    def __init__(
        self, url: str, clock: DatabaseClock, *, role: str, holder: str
    ) -> None:
        self._url, self._clock = url, clock
        self._role, self._holder = role, holder
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="clock", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with connect(self._url, name=f"{self._role} clock") as conn:
                    self._measure_on(conn)
            except Error as error:
                log.warning("the clock cannot be measured now: %s", error)
                self._stopped.wait(MEASURE_SECONDS)

    def _measure_on(self, conn: Conn) -> None:
        while True:
            self._clock.measure(conn)
            skew = self._clock.skew.total_seconds()
            with within(ANSWER_SECONDS):
                write_clock(conn, self._role, self._holder, skew)
            if self._stopped.wait(MEASURE_SECONDS):
                break
        with within(ANSWER_SECONDS):
            forget_clock(conn, self._holder)
