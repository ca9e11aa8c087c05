"""All processes use the database's time, whatever the time of their host is."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import OperationalError

from storage.database import Conn, connect, open_pool
from storage.process.database_clock import ClockWorker, DatabaseClock
from storage.process.decisions import ProcessRecords
from tests.support import eventually

ROOT = Path(__file__).parents[2]
FIVE_MINUTES = timedelta(minutes=5)


class ManualClock:
    """A monotonic clock that only the test advances."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def off_by(wrong: timedelta) -> DatabaseClock:
    return DatabaseClock(host=lambda: datetime.now(UTC) + wrong)


@pytest.mark.parametrize(
    "wrong", [FIVE_MINUTES, -FIVE_MINUTES], ids=["ahead", "behind"]
)
def test_a_host_with_a_wrong_clock_uses_the_databases_time(
    server: Conn, wrong: timedelta
) -> None:
    clock = off_by(wrong)
    assert abs(clock() - datetime.now(UTC)) > timedelta(minutes=4), "not measured yet"
    clock.measure(server)
    row = server.execute("select clock_timestamp()").fetchone()
    assert row is not None
    assert abs(clock() - row[0]) < timedelta(seconds=5)
    assert abs(clock.skew - wrong) < timedelta(seconds=5)


def test_the_monotonic_clock_is_added_between_measurements(server: Conn) -> None:
    monotonic_now = ManualClock()
    clock = DatabaseClock(monotonic_now=monotonic_now)
    clock.measure(server)
    first = clock()
    monotonic_now.seconds += 90
    assert clock() - first == timedelta(seconds=90)


def test_a_slow_answer_corrects_no_more_than_it_proves() -> None:
    monotonic_now = ManualClock()
    clock, noon = (
        DatabaseClock(monotonic_now=monotonic_now),
        datetime(2026, 3, 2, 12, tzinfo=UTC),
    )
    clock._correct(noon, asked=1000.0, answered=1000.0)
    monotonic_now.seconds = 1004.0
    clock._correct(noon + timedelta(seconds=1), asked=1000.0, answered=1004.0)
    assert clock() == noon + timedelta(seconds=4), (
        "the answer does not contradict the clock"
    )
    clock._correct(noon + timedelta(minutes=1), asked=1004.0, answered=1004.0)
    assert clock() == noon + timedelta(minutes=1), "the database's clock was set"


def test_a_worker_stores_the_skew_until_it_ends(database: str) -> None:
    with open_pool(database, name="test") as pool:
        records = ProcessRecords(pool)
        with ClockWorker(database, off_by(FIVE_MINUTES), role="api", holder="here:1"):
            eventually(records.clocks, what="a measurement")
            [stored] = records.clocks()
            assert (stored.holder, stored.role) == ("here:1", "api")
            assert stored.skew_seconds == pytest.approx(300, abs=5)
        assert records.clocks() == [], "a process that has ended has no clock"


def test_a_worker_waits_for_an_unavailable_database(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OperationalError("connection refused")] * 2

    def unavailable(url: str, *, name: str) -> Conn:
        if failures:
            raise failures.pop()
        return connect(url, name=name)

    monkeypatch.setattr("storage.process.database_clock.connect", unavailable)
    monkeypatch.setattr("storage.process.database_clock.MEASURE_SECONDS", 0.01)
    clock = off_by(FIVE_MINUTES)
    with ClockWorker(database, clock, role="api", holder="here:1"):
        eventually(lambda: clock.skew > timedelta(minutes=4), what="a measurement")


READS_THE_HOSTS_CLOCK = {
    "storage/process/database_clock.py",
    "provider/vapi/client.py",  # Default only.
    "provider/simulator/calls/calls.py",  # It simulates another company's machines.
    "interfaces/asgi.py",  # Checks signatures with the provider's time.
    "interfaces/cli/workbench.py",  # Commands that decide nothing by time.
    "interfaces/cli/read_model.py",
}


def test_no_other_module_reads_the_hosts_clock() -> None:
    packages = ("application", "domain", "interfaces", "projections", "provider")
    files = [
        file
        for package in (*packages, "scheduler", "storage")
        for file in (ROOT / package).rglob("*.py")
    ]
    readers = {
        str(file.relative_to(ROOT)) for file in files if _reads_the_hosts_clock(file)
    }
    assert readers <= READS_THE_HOSTS_CLOCK


def _reads_the_hosts_clock(file: Path) -> bool:
    """Return whether a file uses datetime.now or time.time."""
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("datetime", "now"), ("time", "time")}
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
    )
