"""Whatever a host's own time is, all processes live by the database's."""

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


class Steady:
    """A monotonic clock that stands still, but for what the test lets pass."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def off_by(wrong: timedelta) -> DatabaseClock:
    return DatabaseClock(host=lambda: datetime.now(UTC) + wrong)


@pytest.mark.parametrize(
    "wrong", [FIVE_MINUTES, -FIVE_MINUTES], ids=["ahead", "behind"]
)
def test_a_host_that_is_wrong_goes_by_the_databases_time(
    server: Conn, wrong: timedelta
) -> None:
    clock = off_by(wrong)
    assert abs(clock() - datetime.now(UTC)) > timedelta(minutes=4), "not measured yet"
    clock.measure(server)
    row = server.execute("select clock_timestamp()").fetchone()
    assert row is not None
    assert abs(clock() - row[0]) < timedelta(seconds=5)
    assert abs(clock.skew - wrong) < timedelta(seconds=5)


def test_between_two_looks_the_steady_clock_carries_it_on(server: Conn) -> None:
    monotonic_now = Steady()
    clock = DatabaseClock(monotonic_now=monotonic_now)
    clock.measure(server)
    first = clock()
    monotonic_now.seconds += 90
    assert clock() - first == timedelta(seconds=90)


def test_a_slow_answer_moves_it_no_further_than_it_proves() -> None:
    monotonic_now = Steady()
    clock, noon = (
        DatabaseClock(monotonic_now=monotonic_now),
        datetime(2026, 3, 2, 12, tzinfo=UTC),
    )
    clock._learn(noon, asked=1000.0, answered=1000.0)
    monotonic_now.seconds = 1004.0
    clock._learn(noon + timedelta(seconds=1), asked=1000.0, answered=1004.0)
    assert clock() == noon + timedelta(seconds=4), "it agrees with what was told"
    clock._learn(noon + timedelta(minutes=1), asked=1004.0, answered=1004.0)
    assert clock() == noon + timedelta(minutes=1), "the database was set anew"


def test_a_worker_leaves_the_skew_where_people_can_see_it(database: str) -> None:
    with open_pool(database, name="test") as pool:
        operations = ProcessRecords(pool)
        with ClockWorker(database, off_by(FIVE_MINUTES), role="api", holder="here:1"):
            eventually(operations.clocks, said="a measurement")
            [told] = operations.clocks()
            assert (told.holder, told.role) == ("here:1", "api")
            assert told.skew_seconds == pytest.approx(300, abs=5)
        assert operations.clocks() == [], "who has ended has no clock"


def test_a_worker_waits_for_a_database_that_is_away(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OperationalError("connection refused")] * 2

    def away(url: str, *, name: str) -> Conn:
        if failures:
            raise failures.pop()
        return connect(url, name=name)

    monkeypatch.setattr("storage.process.database_clock.connect", away)
    monkeypatch.setattr("storage.process.database_clock.MEASURE_SECONDS", 0.01)
    clock = off_by(FIVE_MINUTES)
    with ClockWorker(database, clock, role="api", holder="here:1"):
        eventually(lambda: clock.skew > timedelta(minutes=4), said="a measurement")


ASKS_THE_HOST = {
    "storage/process/database_clock.py",
    "provider/vapi/client.py",  # Where nothing else is given.
    "provider/simulator/calls.py",  # It stands for another company's machines.
    "interfaces/asgi.py",  # Proofs of the provider's own time.
    "interfaces/cli/workbench.py",  # A person's command, which decides nothing by time.
    "interfaces/cli/read_model.py",
}


def test_nobody_else_asks_the_host_for_the_time() -> None:
    rooms = ("application", "domain", "interfaces", "projections", "provider")
    files = [
        file
        for room in (*rooms, "scheduler", "storage")
        for file in (ROOT / room).rglob("*.py")
    ]
    asking = {str(file.relative_to(ROOT)) for file in files if _asks(file)}
    assert asking <= ASKS_THE_HOST


def _asks(file: Path) -> bool:
    """Tell whether a file calls datetime.now or time.time."""
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("datetime", "now"), ("time", "time")}
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
    )
