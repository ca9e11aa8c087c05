"""Rebuilds of the read tables, which do not interrupt reading and writing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import pytest
from psycopg import sql

from domain.calls.recording_url import RecordingUrls
from domain.campaigns.campaign import Campaign
from projections.engine import prepared
from projections.engine.compare import differences
from projections.engine.rebuild import (
    NEXT,
    OLD,
    ChainDiffers,
    RebuildUnderWay,
    UnknownProjection,
    alone,
    rebuild,
)
from projections.engine.runner import Batches, Projector, catch_up
from projections.engine.schema import HANDLERS, create_read_model, open_read_pool
from projections.exports.results import csv_of
from projections.tables.checkpoint import one_snapshot, position_of
from projections.tables.row_operations import RowOperation, put
from storage.database import connect
from tests.projections.lives import Life
from tests.projections.random_lives import RandomSteps, whole_life
from tests.projections.store import Store
from tests.support import eventually
from tests.wiring import NOON, open_services

ROOT = Path(__file__).parents[2]


def lived(store: Store, seed: int = 1, steps: int = 150) -> int:
    """Store and project a random history; return the last position."""
    last = store.append(whole_life(Random(seed), steps).events)
    catch_up(store.conn)
    return last


def schemas(store: Store) -> set[str]:
    query = "select nspname from pg_namespace where nspname like 'read%'"
    return {row[0] for row in store.conn.execute(query.encode())}


def against_a_rebuild(store: Store) -> list[str]:
    """Compare the live tables with those computed in another schema."""
    store.conn.execute("drop schema if exists again cascade")
    with connect(store.url, name="again") as conn:
        create_read_model(conn, "again")
        catch_up(conn, schema="again", notify=False)
    return [str(one) for one in differences(store.conn, "read", "again", most=100)]


def test_rebuilt_tables_replace_the_live_ones(store: Store) -> None:
    last = lived(store)
    before = store.value("select 'read.campaign_board'::regclass::oid::bigint")
    received: list[tuple[int, int]] = []
    rebuilt = rebuild(store.url, progress=lambda *done: received.append(done))
    assert (rebuilt.position, rebuilt.events) == (last, last)
    assert store.value("select 'read.campaign_board'::regclass::oid::bigint") != before
    assert schemas(store) == {"read"}
    assert received[0] == (0, last)
    assert store.position() == last
    assert against_a_rebuild(store) == []


def test_a_cell_changed_by_hand_is_reported_and_corrected(store: Store) -> None:
    lived(store)
    store.conn.execute("update campaign_board set pending = pending + 7")
    campaigns = store.value("select count(*) from campaign_board")
    named = against_a_rebuild(store)
    assert len(named) == campaigns
    assert all("campaign_board" in name and "pending is" in name for name in named)
    rebuild(store.url)
    assert against_a_rebuild(store) == []


def test_additional_and_missing_rows_are_reported(store: Store) -> None:
    lived(store)
    gone = store.value(
        "delete from call_log where call_id = (select max(call_id::text)::uuid"
        " from call_log) returning call_id"
    )
    store.conn.execute("insert into batch_board values (gen_random_uuid(), 3, 4)")
    named = against_a_rebuild(store)
    assert f"call_log (call_id {gone}) is missing" in named
    assert any("exists, but no event created it" in name for name in named)


def test_a_handler_that_reads_the_clock_is_detected(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looks_at_the_clock(event: Any, _position: int) -> Iterator[RowOperation]:
        if isinstance(event, Campaign.Created):
            id_ = event.originator_id
            yield put("campaign_board", id_, created_at=datetime.now(UTC))

    monkeypatch.setattr(prepared, "HANDLERS", (*HANDLERS, looks_at_the_clock))
    lived(store)
    assert "created_at is" in against_a_rebuild(store)[0]


def test_a_single_projection_can_be_rebuilt(store: Store) -> None:
    lived(store)
    others = "select 'read.contact_log'::regclass::oid::bigint"
    before = store.value(others)
    store.conn.execute("update spend_by_day set spend = 99")
    store.conn.execute("delete from spend_alert")
    assert against_a_rebuild(store) != []
    rebuild(store.url, name="spend")
    assert against_a_rebuild(store) == []
    assert store.value(others) == before
    assert schemas(store) == {"read"}
    catch_up(store.conn)
    with pytest.raises(UnknownProjection, match="it is one of campaign_board"):
        rebuild(store.url, name="nobody")


@contextmanager
def projecting(store: Store) -> Iterator[None]:
    projector = Projector(store.url, batch=7, every=0.05)
    thread = Thread(target=projector.run)
    thread.start()
    try:
        yield
    finally:
        projector.stop()
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def reading(store: Store) -> Iterator[list[int]]:
    """Read snapshots with several statements in a thread; yield their positions."""
    positions: list[int] = []
    stopped = Event()

    def work() -> None:
        with open_read_pool(store.url, name="test") as pool:
            while not stopped.is_set():
                with pool.connection() as conn, one_snapshot(conn):
                    first = position_of(conn)
                    indexed = conn.execute("select count(*) from event_index")
                    assert indexed.fetchone() == (first,)
                positions.append(first)

    thread = Thread(target=work)
    thread.start()
    try:
        yield positions
    finally:
        stopped.set()
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def living(store: Store, life: Life) -> Iterator[None]:
    """Append further events in a thread."""
    stopped, going = Event(), RandomSteps(life)

    def work() -> None:
        while not stopped.is_set():
            known = len(life.events)
            going.go_on(5)
            if life.events[known:]:
                store.append(life.events[known:])

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(10)
        assert not thread.is_alive()


def goes_on_after(store: Store, position: int) -> None:
    eventually(lambda: store.position() > position)


def test_a_rebuild_runs_beside_writers_the_projector_and_readers(store: Store) -> None:
    life = whole_life(Random(5))
    last = store.append(life.events)
    with projecting(store), reading(store) as positions:
        eventually(lambda: store.position() == last)
        with living(store, life):
            for _ in range(3):
                goes_on_after(store, rebuild(store.url).position)
        eventually(lambda: positions[-1] == len(life.events))
    assert positions == sorted(positions), "a reader saw the past"
    assert against_a_rebuild(store) == []


def started(store: Store) -> "subprocess.Popen[bytes]":
    code = (
        "import sys, projections.engine.rebuild as r\n"
        "r.REBUILD_BATCH, r.FEW = 5, 0\n"
        "def progress(done, of):\n"
        "    if done > int(sys.argv[2]): print(done, flush=True); sys.stdin.read()\n"
        "r.rebuild(sys.argv[1], progress=progress)\n"
    )
    half = str(store.position() // 2)
    return subprocess.Popen(
        [sys.executable, "-c", code, store.url, half],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def test_a_killed_rebuild_leaves_the_live_tables_and_starts_again(
    store: Store,
) -> None:
    last = lived(store)
    for _ in range(3):
        with started(store) as process:
            assert process.stdout is not None
            assert int(process.stdout.readline()) > last // 2
            os.kill(process.pid, signal.SIGKILL)
        assert schemas(store) >= {"read", NEXT}
        assert store.position() == last
    assert rebuild(store.url).events == last
    assert schemas(store) == {"read"}
    assert against_a_rebuild(store) == []


def test_an_export_is_the_same_after_rebuilds_killed_during_a_campaign(
    store: Store,
) -> None:
    with open_services(store.url, projector=True) as services:
        id_ = services.campaign(6)
        for number in range(3):
            [call_id] = services.claim(id_)
            services.calls.request(call_id, dial_before=NOON + timedelta(seconds=5))
            with started(store) as process:
                assert process.stdout is not None
                process.stdout.readline()
                provider_id = f"p-{number}"
                services.calls.place(
                    call_id, provider_call_id=provider_id, placed_at=NOON
                )
                os.kill(process.pid, signal.SIGKILL)
        services.settle()
        before = b"".join(csv_of(store.conn, id_, RecordingUrls()))
        assert before.count(b"QUEUED") == 3
        assert before.count(b"PENDING") == 3
        rebuild(store.url)
        assert b"".join(csv_of(store.conn, id_, RecordingUrls())) == before
        assert against_a_rebuild(store) == []


def test_tables_of_a_killed_rebuild_are_dropped(store: Store) -> None:
    last = lived(store)
    for leftover in (NEXT, OLD):
        with connect(store.url, name="killed") as conn:
            create_read_model(conn, leftover)
            catch_up(conn, schema=leftover, notify=False)
    assert rebuild(store.url).events == last
    assert schemas(store) == {"read"}


def test_only_one_rebuild_runs_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.engine.rebuild.LOCK_SECONDS", 0.1)
    with (
        connect(store.url, name="other") as conn,
        alone(conn),
        pytest.raises(RebuildUnderWay),
    ):
        rebuild(store.url)
    rebuild(store.url)


def test_a_changed_event_prevents_the_swap_and_is_reported(store: Store) -> None:
    lived(store)
    store.conn.execute("update campaign_board set pending = 1234")
    position = store.value(
        "update autolynx_events set state ="
        " replace(convert_from(state, 'utf8'), 'ann@', 'bob@')::bytea"
        " where notification_id = (select max(notification_id) / 2"
        " from autolynx_events) returning notification_id"
    )
    with pytest.raises(ChainDiffers, match=f"Event {position} .*changed"):
        rebuild(store.url)
    assert store.value("select max(pending) from read.campaign_board") == 1234


@pytest.mark.parametrize("which", ["max", "min"])
def test_a_removed_event_prevents_the_swap(store: Store, which: str) -> None:
    lived(store)
    query = sql.SQL(
        "delete from autolynx_events where notification_id ="
        " (select {}(notification_id) from autolynx_events) returning notification_id"
    ).format(sql.SQL(which))
    row = store.conn.execute(query).fetchone()
    assert row is not None
    with pytest.raises(ChainDiffers, match=f"Event {row[0]} was removed"):
        rebuild(store.url)


def test_a_reader_with_several_statements_keeps_its_tables(store: Store) -> None:
    last = lived(store)
    paused = Event()

    def pause(_seconds: float) -> None:
        paused.set()
        release.wait(10)

    release = Event()
    with open_read_pool(store.url, name="test") as pool:
        with pool.connection() as conn, one_snapshot(conn):
            assert position_of(conn) == last
            thread = Thread(target=rebuild, args=(store.url,), kwargs={"pause": pause})
            thread.start()
            assert paused.wait(10), "the swap did not give way to the reader"
            assert position_of(conn) == last
        release.set()
        thread.join(10)
    assert not thread.is_alive()
    assert schemas(store) == {"read"}


def test_a_swap_with_too_many_new_events_is_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.engine.rebuild.REBUILD_BATCH", 10)
    monkeypatch.setattr("projections.engine.rebuild.FEW", 40)
    last = lived(store)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        monkeypatch.setattr("projections.engine.rebuild.REBUILD_BATCH", 2000)

    rebuilt = rebuild(store.url, pause=pause)
    assert len(pauses) == 1
    assert rebuilt.position == last
    assert against_a_rebuild(store) == []


def test_batches_stop_at_the_given_position(store: Store) -> None:
    last = store.append(whole_life(Random(2)).events)
    batches = Batches(store.conn)
    assert batches.apply(1000, 20).events == 20
    assert batches.apply(1000, 20).events == 0
    assert batches.apply(1000).events == last - 20
