"""One time for all processes: the database's, extrapolated between measurements."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread
from typing import Self

from psycopg import Error

from application.process.monotonic_clock import monotonic_now
from storage.database import Conn, connect, within
from storage.process.decisions import forget_clock, write_clock

MEASURE_SECONDS = 5.0
"""Between two measurements."""

ANSWER_SECONDS = 5.0
"""Longest wait for an answer of the database."""

log = logging.getLogger(__name__)


def host_time() -> datetime:
    """Return the time of this host, in UTC."""
    return datetime.now(UTC)


class DatabaseClock:
    """Returns the database's time (UTC); the host's time before the first measurement.

    Between measurements the monotonic clock is added, so that a host whose time is
    wrong or changes decides like all others. Safe to share between threads.
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
        """Return the current time."""
        with self._lock:
            return self._host() if self._measured is None else self._extrapolated()

    @property
    def skew(self) -> timedelta:
        """How far this host's clock is ahead of the database's; negative: behind."""
        return self._host() - self()

    def measure(self, conn: Conn) -> None:
        """Measure the database's time. Raises psycopg's errors without an answer."""
        asked = self._monotonic_now()
        with within(ANSWER_SECONDS):
            row = conn.execute("select clock_timestamp()").fetchone()
        assert row is not None
        self._correct(row[0], asked, self._monotonic_now())

    def _correct(self, answer: datetime, asked: float, answered: float) -> None:
        """Move the clock into the interval that the answer proves.

        The database read its clock somewhere between question and answer, so its time
        is now between `answer` and `answer` plus that duration. A slow answer therefore
        corrects little.
        """
        with self._lock:
            latest = answer + timedelta(seconds=answered - asked)
            if self._measured is None:
                now = answer + (latest - answer) / 2
            else:
                now = min(max(self._extrapolated(), answer), latest)
            self._measured = now, answered

    def _extrapolated(self) -> datetime:
        assert self._measured is not None
        time, at = self._measured
        return time + timedelta(seconds=self._monotonic_now() - at)


class ClockWorker:
    """Measures regularly in its own thread; stores the skew for the health check."""

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
                log.warning("cannot measure the database's time: %s", error)
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
