"""Rebuilds and verifications in several processes: the same result as in one."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from psycopg import OperationalError

from projections.engine import rebuild as rebuilding
from projections.engine import verify as verifying
from projections.engine import worker_pool
from projections.engine.chain import Problem
from projections.engine.compare import differences
from projections.engine.prepared import Preparer
from projections.engine.ranges import ranges
from projections.engine.rebuild import rebuild
from projections.engine.row_writer import Packer
from projections.engine.runner import Batches, ProjectionStopped, catch_up
from projections.engine.schema import create_read_model
from projections.engine.verify import Verified, verify
from projections.engine.worker_pool import Job, Pool, WorkerLost, worker_count
from storage.database import connect
from storage.log.verification_state import VerificationState, write_verification
from tests.projections.engine.test_rebuild import against_a_rebuild, lived, schemas
from tests.projections.random_lives import whole_life
from tests.projections.store import Store
from tests.support import eventually
from tests.wiring import NOON

ROOT = Path(__file__).parents[3]
WORKERS, SMALL = 2, 9
OLD_TABLE = "select 'read.campaign_board'::regclass::oid::bigint"


@pytest.fixture(autouse=True)
def processes_for_short_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "WORTHWHILE", 1)
    for module in (rebuilding, verifying):
        monkeypatch.setattr(module, "REBUILD_BATCH", SMALL)
        monkeypatch.setattr(module, "FEW", SMALL - 1)


def verified(url: str, **options: Any) -> Verified:
    return verify(url, now=lambda: NOON, **options)


def indexes(store: Store, schema: str) -> set[str]:
    query = "select indexdef from pg_indexes where schemaname = %s"
    found = store.conn.execute(query.encode(), (schema,)).fetchall()
    return {row[0].replace(f"{schema}.", "") for row in found}


def test_tables_are_the_same_as_those_filled_in_one_process(store: Store) -> None:
    last = lived(store)
    store.conn.execute("update campaign_board set pending = pending + 7")
    received: list[tuple[int, int]] = []
    rebuilt = rebuild(
        store.url, workers=WORKERS, progress=lambda *done: received.append(done)
    )
    assert (rebuilt.position, rebuilt.events) == (last, last)
    assert against_a_rebuild(store) == []
    assert indexes(store, "read") == indexes(store, "again")
    assert schemas(store) == {"read"}
    assert received == sorted(received)
    assert received[-1] == (last, last)


def test_a_single_projection_is_rebuilt_by_processes(store: Store) -> None:
    lived(store)
    others = store.value("select 'read.contact_log'::regclass::oid::bigint")
    store.conn.execute("update spend_by_day set spend = 99")
    rebuild(store.url, name="spend", workers=WORKERS)
    assert against_a_rebuild(store) == []
    assert store.value("select 'read.contact_log'::regclass::oid::bigint") == others


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_batches_may_be_prepared_in_any_order(store: Store, seed: int) -> None:
    random = Random(seed)
    last = lived(store, seed)
    create_read_model(store.conn, "again")
    with connect(store.url, name="again") as conn:
        batches = Batches(conn, schema="again", notify=False)
        preparer = Preparer(conn, Packer(conn))
        parts = list(ranges(conn, 0, last, random.randint(1, 40)))
        random.shuffle(parts)
        prepared = [
            preparer.prepare(part.after, preparer.read(part.after, part.until, last)[0])
            for part in parts
        ]
        for one in sorted(prepared, key=lambda one: one.after):
            assert batches.apply_prepared(one, one.position) == len(one.digests)
    both = [
        store.value(
            f"select (position, head, latest_at)::text from {schema}"
            ".projection_position"
        )
        for schema in ("read", "again")
    ]
    assert both[0] == both[1]
    assert list(differences(store.conn, "read", "again", most=9)) == []


def test_a_batch_that_does_not_begin_at_the_checkpoint_is_not_written(
    store: Store,
) -> None:
    last = store.append(whole_life(Random(1)).events)
    batches, preparer = Batches(store.conn), Preparer(store.conn, Packer(store.conn))
    early = preparer.prepare(0, preparer.read(0, 5, last)[0])
    late = preparer.prepare(5, preparer.read(5, 9, last)[0])
    assert batches.apply_prepared(late, 9) == 9
    assert batches.apply_prepared(early, 5) == 0
    assert store.position() == 9
    catch_up(store.conn)
    assert against_a_rebuild(store) == []


def test_events_that_arrive_meanwhile_are_included(store: Store) -> None:
    events = whole_life(Random(4)).events
    some = len(events) // 2
    store.append(events[:some])
    catch_up(store.conn)
    added: list[int] = []

    def progress(done: int, _of: int) -> None:
        if done and not added:
            added.append(store.append(events[some:]))
            catch_up(store.conn)

    rebuilt = rebuild(store.url, workers=WORKERS, progress=progress)
    assert rebuilt.position == added[0] == store.position()
    assert against_a_rebuild(store) == []


@contextmanager
def kept_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Pool]]:
    """Keep the pools that a rebuild opens."""
    kept: list[Pool] = []
    opened = worker_pool.open_pool

    @contextmanager
    def open_and_keep(count: int, job: Job) -> Iterator[Pool]:
        with opened(count, job) as pool:
            kept.append(pool)
            yield pool

    for module in (rebuilding, verifying):
        monkeypatch.setattr(module, "open_pool", open_and_keep)
    yield kept


@pytest.mark.parametrize("work", [rebuild, verified])
def test_a_killed_worker_ends_the_work_and_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, work: Callable[..., object]
) -> None:
    last = lived(store)
    before = store.value(OLD_TABLE)
    with kept_pool(monkeypatch) as pools:

        def kill(_done: int, _of: int) -> None:
            for pool in pools:
                os.kill(pool._workers[0].process.pid, signal.SIGKILL)

        with pytest.raises(WorkerLost, match="ended with code -9"):
            work(store.url, workers=WORKERS, progress=kill)
    assert store.value(OLD_TABLE) == before
    assert rebuild(store.url, workers=WORKERS).events == last
    assert against_a_rebuild(store) == []


def test_workers_end_with_their_parent(store: Store) -> None:
    last = lived(store)
    code = (
        "import sys, projections.engine.rebuild as r\n"
        "import projections.engine.worker_pool as p\n"
        "r.REBUILD_BATCH, p.WORTHWHILE = 5, 1\n"
        "def progress(done, of):\n"
        "    if done > 9: print(done, flush=True); sys.stdin.read()\n"
        "r.rebuild(sys.argv[1], workers=2, progress=progress)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, store.url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline()
        assert connected_workers(store) == WORKERS
        os.kill(parent.pid, signal.SIGKILL)
    eventually(lambda: connected_workers(store) == 0, what="no worker")
    assert store.position() == last
    assert rebuild(store.url).events == last


def connected_workers(store: Store) -> int:
    query = (
        "select count(*) from pg_stat_activity"
        " where datname = current_database()"
        " and application_name = 'autolynx rebuild worker'"
    )
    return int(store.value(query))


@pytest.mark.parametrize(
    "change",
    [
        "'{}'",
        "replace(convert_from(state, 'utf8'), '\"cap\":', '\"cap\":9999999999')::bytea",
    ],
)
def test_an_event_that_cannot_be_projected_is_named(store: Store, change: str) -> None:
    lived(store)
    before = store.value(OLD_TABLE)
    position = store.value(
        f"update autolynx_events set state = {change} where notification_id ="
        " (select max(notification_id) from autolynx_events"
        " where topic = 'campaign.created') returning notification_id"
    )
    with pytest.raises(ProjectionStopped, match=r"campaign\.created") as stopped:
        rebuild(store.url, workers=WORKERS)
    assert stopped.value.position == position
    assert store.value(OLD_TABLE) == before
    found = problems(store, WORKERS)
    assert found == problems(store, 1)
    assert found[-1].position == position
    assert "cannot be projected" in found[-1].message


def problems(store: Store, workers: int) -> list[Problem]:
    found: list[Problem] = []
    result = verified(store.url, workers=workers, on_problem=found.append)
    assert result.problems == len(found)
    return found


CHANGES: dict[str, Callable[[Store, int], object]] = {
    "changed": lambda store, at: store.conn.execute(
        "update autolynx_events set state = state || ' ' where notification_id = %s",
        (at,),
    ),
    "removed": lambda store, at: store.conn.execute(
        "delete from autolynx_events where notification_id = %s", (at,)
    ),
    "inserted": lambda store, at: store.conn.execute(
        "delete from event_index where position = %s", (at,)
    ),
}


def test_changes_of_the_log_are_found_at_every_place_of_a_range(store: Store) -> None:
    last = lived(store)
    assert not [one for one in problems(store, WORKERS) if "vault" not in one.message]
    for kind, change in CHANGES.items():
        for at in PLACES[kind]:
            change(store, at)
    found = problems(store, WORKERS)
    assert found == problems(store, 1)
    for kind, places in PLACES.items():
        named = {one.position for one in found if f"was {kind}" in one.message}
        assert named >= places
    assert last > max(max(places) for places in PLACES.values())


PLACES = {
    "changed": {1, 2 * SMALL, 7 * SMALL + 1},
    "removed": {3 * SMALL, 4 * SMALL + 1, 5 * SMALL + 4},
    "inserted": {2, 6 * SMALL, 8 * SMALL + 1},
}
"""Positions of the changes: first, last and middle ones of ranges."""


def test_an_incremental_verification_checks_only_later_events(store: Store) -> None:
    events = whole_life(Random(4)).events
    some = store.append(events[: len(events) // 2])
    catch_up(store.conn)
    head = store.value("select head from projection_position")
    anchor = VerificationState(some, head, NOON, None, None)
    write_verification(store.conn, anchor)
    last = store.append(events[len(events) // 2 :])
    catch_up(store.conn)
    CHANGES["changed"](store, 3)
    CHANGES["changed"](store, some + SMALL)
    found: list[Problem] = []
    result = verified(
        store.url, incremental=True, workers=WORKERS, on_problem=found.append
    )
    assert (result.after, result.up_to) == (some, last)
    changed = [one.position for one in found if "was changed" in one.message]
    assert changed == [some + SMALL]


def test_the_number_of_processes_is_that_of_the_cores_unless_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_pool, "WORTHWHILE", 100)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(3)))
    assert worker_count(None, 100) == 3
    assert worker_count(5, 100) == 5
    assert worker_count(1, 100) == 1
    assert worker_count(5, 99) == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert worker_count(None, 100) == worker_pool.MOST_WORKERS


def test_a_worker_that_cannot_connect_fails_with_the_cause(store: Store) -> None:
    job = Job("postgresql://nobody@127.0.0.1:1/none", "test", "read")
    with (
        worker_pool.open_pool(1, job) as pool,
        pytest.raises(OperationalError, match=r"127\.0\.0\.1"),
    ):
        list(pool.results(ranges(store.conn, 0, 5, 1), lambda: None))
