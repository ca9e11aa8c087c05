from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from storage.database import connect, open_pool
from storage.process.decisions import Decision, ProcessRecords, Reason, beat

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def operations(database: str) -> Iterator[ProcessRecords]:
    with open_pool(database, name="test") as pool:
        yield ProcessRecords(pool)


def test_the_last_decision_of_a_campaign_is_read_as_it_was_written(
    operations: ProcessRecords,
) -> None:
    waits = Reason("DAILY_BUDGET_SPENT", "On after midnight UTC.", 3, until=AT)
    full = Reason("CAP_FULL", "All 8 calls are live.", 4)
    first = Decision(uuid4(), AT, room=2, placed=1, reasons=(waits, full))
    other = Decision(uuid4(), AT, room=0, placed=0, reasons=())
    operations.write_decisions([first, other])
    assert operations.decision(first.campaign_id) == first
    later = Decision(first.campaign_id, AT, room=8, placed=8, reasons=())
    operations.write_decisions([later])
    ids = [first.campaign_id, other.campaign_id, uuid4()]
    assert operations.decisions(ids) == {ids[0]: later, ids[1]: other}


def test_nothing_decided_writes_nothing(operations: ProcessRecords) -> None:
    operations.write_decisions([])
    assert operations.decision(uuid4()) is None


def test_a_heartbeat_is_the_role_s_latest(
    operations: ProcessRecords, database: str
) -> None:
    assert operations.heartbeat("scheduler") is None
    with connect(database, name="test") as conn:
        beat(conn, "scheduler", "a:1")
        beat(conn, "scheduler", "b:2")
        pid = conn.info.backend_pid
    found = operations.heartbeat("scheduler")
    assert found is not None
    assert (found.holder, found.backend_pid) == ("b:2", pid)
    assert 0 <= found.age_seconds < 60
