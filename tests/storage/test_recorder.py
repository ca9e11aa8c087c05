"""Appends are atomic, ordered and idempotent, even if the answer is lost."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import (
    InfrastructureFactory,
    IntegrityError,
    StoredEvent,
)
from eventsourcing.utils import Environment

from application.errors import StoreUnavailable, StreamMoved
from application.vault import MessageRow, TextRow, VaultRow
from storage.database import Pool, RetryPolicy, connect, open_pool
from storage.log.append import BULK_ROWS
from storage.log.recorder import EventRecorder, EventStoreFactory
from storage.vault.tables import Vault
from tests.child_process import join
from tests.storage.proxy import Fault, Proxy, proxy_to
from tests.support import eventually

SALT = b"s" * 32


class Thing(Aggregate):
    TOPIC = "recorder_test.thing"

    class Created(Aggregate.Created):
        TOPIC = "recorder_test.thing.created"
        name: str

    class Renamed(Aggregate.Event):
        TOPIC = "recorder_test.thing.renamed"
        name: str

    @event(Created)
    def __init__(self, name: str) -> None:
        self.name = name

    @event(Renamed)
    def rename(self, name: str) -> None:
        self.name = name


class Things(Application[UUID]):
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        super().__init__()

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        return EventStoreFactory(self._pool)


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    with open_pool(database, name="test") as pool:
        yield pool


@pytest.fixture
def recorder(pool: Pool) -> EventRecorder:
    return EventRecorder(pool)


@pytest.fixture
def proxy(database: str) -> Iterator[Proxy]:
    with proxy_to(database) as proxy:
        yield proxy


@pytest.fixture
def far_pool(proxy: Proxy) -> Iterator[Pool]:
    """A pool of one connection, through the proxy."""
    with open_pool(proxy.url, name="far", max_size=1) as pool:
        pool.wait()
        yield pool


def stored(stream: UUID, *versions: int, state: bytes = b"{}") -> list[StoredEvent]:
    return [StoredEvent(stream, version, "topic", state) for version in versions]


def words(text: str = "a text") -> TextRow:
    return TextRow(uuid4(), uuid4(), text, salt=SALT)


def message() -> MessageRow:
    return MessageRow(uuid4(), uuid4(), uuid4(), {"a": 1}, None, None, salt=SALT)


def in_background[T](work: Callable[[], T]) -> Future[T]:
    """Run in a daemon thread, which cannot block the end of the test run."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - the waiting thread raises it
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def append_is_awaited(pool: Pool) -> bool:
    with pool.connection() as connection:
        waiting = connection.execute(
            "select 1 from pg_locks where locktype = 'advisory' and not granted"
        )
        return waiting.fetchone() is not None


def test_saved_events_are_read_again(pool: Pool) -> None:
    things = Things(pool)
    thing = Thing("a")
    thing.rename("b")

    recordings = things.save(thing)

    again: Thing = things.repository.get(thing.id)
    assert (again.name, again.version) == ("b", 2)
    assert [recording.notification.id for recording in recordings] == [1, 2]


def test_an_append_without_events_stores_nothing(recorder: EventRecorder) -> None:
    assert recorder.insert_events([], tracking=None) == []
    assert recorder.max_notification_id() is None


def test_a_stream_is_read_in_part_and_backwards(recorder: EventRecorder) -> None:
    stream = uuid4()
    recorder.insert_events(stored(stream, 1, 2, 3, 4))

    def versions(**bounds: Any) -> list[int]:
        found = recorder.select_events(stream, **bounds)
        return [one.originator_version for one in found]

    assert versions(gt=1, lte=3) == [2, 3]
    assert versions(desc=True, limit=1) == [4]
    assert versions(lte=0) == []


def test_notifications_are_selected_by_position_and_topic(
    recorder: EventRecorder,
) -> None:
    stream = uuid4()
    recorder.insert_events([StoredEvent(stream, n, f"t{n % 2}", b"") for n in (1, 2)])
    recorder.insert_events([StoredEvent(stream, n, f"t{n % 2}", b"") for n in (3, 4)])

    def positions(*args: Any, **kwargs: Any) -> list[int]:
        return [one.id for one in recorder.select_notifications(*args, **kwargs)]

    assert positions(None, 10) == [1, 2, 3, 4]
    assert positions(2, 10, 3) == [2, 3]
    assert positions(2, 1, inclusive_of_start=False) == [3]
    assert positions(1, 10, topics=["t0"]) == [2, 4]
    assert recorder.max_notification_id() == 4


def test_several_streams_are_stored_together_or_not_at_all(
    recorder: EventRecorder,
) -> None:
    taken, fresh = uuid4(), uuid4()
    recorder.insert_events(stored(taken, 1))

    with pytest.raises(IntegrityError):
        recorder.insert_events([*stored(fresh, 1), *stored(taken, 1)])

    assert recorder.select_events(fresh) == []


@pytest.mark.parametrize("size", [1, BULK_ROWS + 1], ids=["little", "much"])
def test_vault_rows_are_rolled_back_with_their_event(
    pool: Pool, recorder: EventRecorder, size: int
) -> None:
    stream, row, other = uuid4(), words(), message()
    recorder.insert_events(stored(stream, 1))

    alternatives: list[list[VaultRow]] = [[row], [row, other]]
    for rows in alternatives:
        with pytest.raises(IntegrityError):
            recorder.insert_events(stored(stream, *range(1, size + 1)), vault=rows)

    assert Vault(pool).words(row.id) is None
    assert Vault(pool).message(other.id) is None


@pytest.mark.parametrize("size", [1, BULK_ROWS + 1], ids=["little", "much"])
@pytest.mark.parametrize("row", [words(), message()], ids=["text", "message"])
def test_an_event_is_rolled_back_with_its_vault_rows(
    recorder: EventRecorder, size: int, row: VaultRow
) -> None:
    stream = uuid4()
    recorder.insert_events(stored(uuid4(), 1), vault=[row])

    with pytest.raises(IntegrityError):
        recorder.insert_events(stored(stream, *range(1, size + 1)), vault=[row])

    assert recorder.select_events(stream) == []


def test_vault_rows_need_an_event(recorder: EventRecorder) -> None:
    with pytest.raises(ValueError, match="only with an event"):
        recorder.insert_events([], vault=[words()])


@pytest.mark.parametrize("size", [1, BULK_ROWS + 1], ids=["little", "much"])
def test_an_append_is_refused_if_a_stream_has_another_version(
    recorder: EventRecorder, size: int
) -> None:
    campaign, call = uuid4(), uuid4()
    recorder.insert_events(stored(campaign, 1, 2))
    events = stored(call, *range(1, size + 1))

    for version in (0, 1, 3):
        with pytest.raises(StreamMoved):
            recorder.insert_events(events, expect={campaign: version})
    assert recorder.select_events(call) == []

    positions = recorder.insert_events(events, expect={campaign: 2, uuid4(): 0})
    assert len(positions) == size


def test_an_append_is_refused_if_a_stream_changes_while_it_waits(
    database: str, pool: Pool, recorder: EventRecorder
) -> None:
    campaign, call = uuid4(), uuid4()
    recorder.insert_events(stored(campaign, 1))
    with connect(database, name="rival") as rival, rival.transaction():
        rival.execute("select autolynx_append_lock('{}', '{}')")
        save = in_background(
            lambda: recorder.insert_events(stored(call, 1), expect={campaign: 1})
        )
        eventually(lambda: append_is_awaited(pool), 20, "a waiting append")
        rival.execute(
            "insert into autolynx_events values (%s, 2, 'paused', '')", (campaign,)
        )

    with pytest.raises(StreamMoved):
        save.result(20)
    assert recorder.select_events(call) == []


def test_five_thousand_events_do_not_hang(recorder: EventRecorder) -> None:
    events = stored(uuid4(), *range(1, 5001), state=b"x" * 300)
    positions = in_background(lambda: recorder.insert_events(events)).result(60)
    assert positions == list(range(1, 5001))


def test_one_large_event_does_not_hang(recorder: EventRecorder) -> None:
    for size in (900_000, 5_000_000):
        stream = uuid4()
        events = stored(stream, 1, state=b"x" * size)
        in_background(lambda e=events: recorder.insert_events(e)).result(60)  # type: ignore[misc]  # mypy: a lambda's default has no type
        assert recorder.select_events(stream) == events


def test_a_reader_of_concurrent_writers_misses_nothing(
    database: str, recorder: EventRecorder
) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.storage.writer", database, "150", str(seed)]
        )
        for seed in range(4)
    ]
    seen: list[int] = []
    running = True
    while running:
        running = any(writer.poll() is None for writer in writers)
        last = seen[-1] if seen else 0
        page = recorder.select_notifications(last, 5000, inclusive_of_start=False)
        seen += [one.id for one in page]

    assert [writer.returncode for writer in writers] == [0] * 4
    assert seen == [one.id for one in recorder.select_notifications(None, 100_000)]
    assert len(seen) > 600


def test_an_append_notifies_its_last_position(
    database: str, recorder: EventRecorder
) -> None:
    with connect(database, name="ear") as ear:
        ear.execute("listen autolynx_events")
        recorder.insert_events(stored(uuid4(), 1, 2))
        recorder.insert_events(stored(uuid4(), *range(1, BULK_ROWS + 2)))
        heard = [one.payload for one in ear.notifies(timeout=20, stop_after=2)]
    assert heard == ["2", str(2 + BULK_ROWS + 1)]


@pytest.mark.parametrize(
    ("size", "request_bytes"),
    [(2, b""), (BULK_ROWS + 1, b"COMMIT")],
    ids=["little", "much"],
)
def test_an_append_whose_answer_was_lost_is_not_repeated(
    proxy: Proxy,
    far_pool: Pool,
    recorder: EventRecorder,
    size: int,
    request_bytes: bytes,
) -> None:
    stream, row = uuid4(), words()
    events = stored(stream, *range(1, size + 1), state=b"ours")
    proxy.arm(Fault.ANSWER_LOST, request_bytes)

    positions = EventRecorder(far_pool, RetryPolicy(20)).insert_events(
        events, vault=[row], expect={stream: 0}
    )

    assert proxy.faults == 1
    assert positions == [one.id for one in recorder.select_notifications(None, 1000)]
    assert recorder.select_events(stream) == events
    assert Vault(far_pool).words(row.id) == row.words


@pytest.mark.parametrize("theirs", [b"theirs", b"ours"], ids=["bytes", "number"])
def test_an_append_of_another_writer_is_not_taken_for_our_own(
    proxy: Proxy, far_pool: Pool, recorder: EventRecorder, theirs: bytes
) -> None:
    stream = uuid4()
    rival = stored(stream, 1, state=theirs)
    proxy.arm(Fault.REQUEST_LOST)
    policy = RetryPolicy(20, sleep=lambda _: _once(recorder, rival))

    with pytest.raises(IntegrityError):
        EventRecorder(far_pool, policy).insert_events(
            stored(stream, 1, 2, state=b"ours")
        )

    assert proxy.faults == 1
    assert recorder.select_events(stream) == rival


def _once(recorder: EventRecorder, events: Sequence[StoredEvent]) -> None:
    stream = events[0].originator_id
    if not recorder.select_events(stream):
        recorder.insert_events(events)


def test_a_conflict_in_the_first_try_is_with_another_writer(
    recorder: EventRecorder,
) -> None:
    events = stored(uuid4(), 1)
    recorder.insert_events(events)
    with pytest.raises(IntegrityError):
        recorder.insert_events(events)


def test_an_append_waits_no_longer_than_its_retry_policy(
    database: str, pool: Pool
) -> None:
    hasty, patient = (EventRecorder(pool, RetryPolicy(time)) for time in (0.3, 60))
    waits = Thread(target=patient.insert_events, args=[stored(uuid4(), 1)], daemon=True)
    with connect(database, name="hog") as hog, hog.transaction():
        hog.execute("select autolynx_append_lock('{}', '{}')")
        waits.start()
        with pytest.raises(StoreUnavailable):
            hasty.insert_events(stored(uuid4(), 1))
        with pytest.raises(StoreUnavailable):
            hasty.insert_events(stored(uuid4(), *range(1, BULK_ROWS + 2)))
        assert waits.is_alive(), "the waiting appends have the same time limit"
    join(waits)
    assert hasty.insert_events(stored(uuid4(), 1))


def test_an_append_does_not_wait_for_a_frozen_server(
    proxy: Proxy, far_pool: Pool
) -> None:
    hasty = EventRecorder(far_pool, RetryPolicy(0.3))
    proxy.arm(Fault.SILENT)
    with pytest.raises(StoreUnavailable):
        in_background(lambda: hasty.insert_events(stored(uuid4(), 1))).result(20)
    assert proxy.faults == 1


def test_an_unavailable_server_is_reported_as_such() -> None:
    url = "host=127.0.0.1 port=1 dbname=nowhere"
    with open_pool(url, name="nowhere") as pool, pytest.raises(StoreUnavailable):
        EventRecorder(pool, RetryPolicy(0.3)).insert_events(stored(uuid4(), 1))


def test_an_append_is_repeated_after_all_connections_were_lost(
    database: str, pool: Pool, recorder: EventRecorder
) -> None:
    pool.resize(4, 8)
    pool.wait()
    with connect(database, name="killer") as killer:
        killer.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'autolynx test'"
            " and datname = current_database()"
        )
    assert recorder.insert_events(stored(uuid4(), 1))


def test_the_recorder_offers_no_subscription(recorder: EventRecorder) -> None:
    with pytest.raises(NotImplementedError, match="select_notifications"):
        recorder.subscribe()
