"""Decisions and heartbeats are stored, and the latest is read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from storage.database import connect, open_pool
from storage.process.decisions import Decision, ProcessRecords, Reason, beat

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def records(database: str) -> Iterator[ProcessRecords]:
    with open_pool(database, name="test") as pool:
        yield ProcessRecords(pool)


def test_the_latest_decision_of_a_campaign_is_read(
    records: ProcessRecords,
) -> None:
    waits = Reason("DAILY_BUDGET_SPENT", "On after midnight UTC.", 3, until=AT)
    full = Reason("CAP_FULL", "All 8 calls are live.", 4)
    first = Decision(uuid4(), AT, room=2, placed=1, reasons=(waits, full))
    other = Decision(uuid4(), AT, room=0, placed=0, reasons=())
    records.write_decisions([first, other])
    assert records.decision(first.campaign_id) == first
    later = Decision(first.campaign_id, AT, room=8, placed=8, reasons=())
    records.write_decisions([later])
    ids = [first.campaign_id, other.campaign_id, uuid4()]
    assert records.decisions(ids) == {ids[0]: later, ids[1]: other}


def test_no_decisions_write_nothing(records: ProcessRecords) -> None:
    records.write_decisions([])
    assert records.decision(uuid4()) is None


def test_the_latest_heartbeat_of_a_role_is_read(
    records: ProcessRecords, database: str
) -> None:
    assert records.heartbeat("scheduler") is None
    with connect(database, name="test") as conn:
        beat(conn, "scheduler", "a:1")
        beat(conn, "scheduler", "b:2")
        pid = conn.info.backend_pid
    found = records.heartbeat("scheduler")
    assert found is not None
    assert (found.holder, found.backend_pid) == ("b:2", pid)
    assert 0 <= found.age_seconds < 60
