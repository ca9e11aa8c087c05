"""Group commit: concurrent appends share a transaction."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from application.errors import StoreUnavailable
from application.vault import TextRow
from storage.database import Pool, open_pool
from storage.log import group_commit
from storage.log.group_commit import CommitQueue, QueuedAppend
from storage.log.recorder import EventRecorder
from storage.vault.tables import Vault
from tests.support import eventually

TIMEOUT = 20.0


class Refusal(Exception):
    pass


@dataclass
class Store:
    """Returns positions; the append "first" waits until the test sets `gate`."""

    gate: threading.Event = field(default_factory=threading.Event)
    refuses_groups: bool = False
    groups: list[list[str]] = field(default_factory=list)
    alone: list[tuple[str, bool]] = field(default_factory=list)
    positions: Iterator[int] = field(default_factory=lambda: count(1))

    def send(self, group: list[QueuedAppend[str]]) -> list[Sequence[int]]:
        self.groups.append([queued.append for queued in group])
        if self.refuses_groups:
            group[0].in_doubt = True
            raise Refusal
        return [[next(self.positions)] for _ in group]

    def store(self, queued: QueuedAppend[str]) -> Sequence[int]:
        self.alone.append((queued.append, queued.in_doubt))
        if queued.append == "first":
            assert self.gate.wait(TIMEOUT)
        if queued.append == "bad":
            raise Refusal
        return [next(self.positions)]


@dataclass
class Callers:
    queue: CommitQueue[str]
    threads: ThreadPoolExecutor
    waiting: int = 0

    def append(
        self, name: str, stream: UUID | None = None, seconds: float = TIMEOUT
    ) -> Future[Sequence[int]]:
        streams = frozenset({stream or uuid4()})
        return self.threads.submit(self.queue.store, name, streams, seconds)

    def append_behind(
        self, name: str, stream: UUID | None = None
    ) -> Future[Sequence[int]]:
        """Return when the append waits in the queue."""
        self.waiting += 1
        answer = self.append(name, stream)
        eventually(lambda: len(self.queue._waiting) == self.waiting)
        return answer


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def callers(store: Store) -> Iterator[Callers]:
    with ThreadPoolExecutor(16) as threads:
        callers = Callers(CommitQueue(store.send, store.store), threads)
        yield callers
        store.gate.set()


def begin(callers: Callers, store: Store) -> Future[Sequence[int]]:
    first = callers.append("first")
    eventually(lambda: bool(store.alone))
    return first


def test_a_single_append_is_stored_alone_at_once(
    callers: Callers, store: Store
) -> None:
    assert callers.append("a").result(TIMEOUT) == [1]
    assert callers.append("b").result(TIMEOUT) == [2]
    assert (store.groups, [name for name, _ in store.alone]) == ([], ["a", "b"])


def test_waiting_appends_are_stored_as_one_group_in_their_order(
    callers: Callers, store: Store
) -> None:
    first = begin(callers, store)
    others = [callers.append_behind(name) for name in "abc"]
    store.gate.set()

    assert first.result(TIMEOUT) == [1]
    assert [other.result(TIMEOUT) for other in others] == [[2], [3], [4]]
    assert store.groups == [["a", "b", "c"]]


def test_a_group_contains_one_append_of_each_stream(
    callers: Callers, store: Store
) -> None:
    stream = uuid4()
    begin(callers, store)
    others = [
        callers.append_behind("a", stream),
        callers.append_behind("b", stream),
        callers.append_behind("c"),
    ]
    store.gate.set()

    assert [other.result(TIMEOUT) for other in others] == [[2], [4], [3]]
    assert store.groups == [["a", "c"]]
    assert store.alone[-1] == ("b", False)


def test_the_appends_of_a_failed_group_are_stored_one_by_one(
    callers: Callers, store: Store
) -> None:
    store.refuses_groups = True
    begin(callers, store)
    others = {name: callers.append_behind(name) for name in ("a", "bad", "c")}
    store.gate.set()

    with pytest.raises(Refusal):
        others["bad"].result(TIMEOUT)
    assert others["a"].result(TIMEOUT)
    assert others["c"].result(TIMEOUT)
    assert ("a", True) in store.alone, "it may have been stored"
    assert ("c", False) in store.alone


def test_the_leader_waits_for_callers_whose_append_was_just_stored(
    callers: Callers, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "WAIT_SHARE", float("inf"))
    monkeypatch.setattr(group_commit, "LONGEST_WAIT_SECONDS", TIMEOUT)
    first = begin(callers, store)
    others = [callers.append_behind(name) for name in "ab"]
    store.gate.set()
    first.result(TIMEOUT)
    again = callers.append("first, again")

    assert [other.result(TIMEOUT) for other in (*others, again)] == [[2], [3], [4]]
    assert store.groups == [["a", "b", "first, again"]]


def test_an_append_leaves_the_queue_after_its_time_limit(
    callers: Callers, store: Store
) -> None:
    begin(callers, store)
    with pytest.raises(StoreUnavailable):
        callers.append("late", seconds=0.05).result(TIMEOUT)
    store.gate.set()
    assert callers.append("next").result(TIMEOUT)
    assert "late" not in {name for name, _ in store.alone}


def test_a_failure_of_the_leader_does_not_stop_the_queue(
    callers: Callers, store: Store
) -> None:
    with pytest.raises(Refusal):
        callers.append("bad").result(TIMEOUT)
    assert callers.append("a").result(TIMEOUT) == [1]


# --- On the event store ---------------------------------------------------------------


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    with open_pool(database, name="test") as pool:
        yield pool


def test_concurrent_appends_each_get_their_own_positions(
    pool: Pool,
) -> None:
    recorder = EventRecorder(pool)
    groups = grouped(recorder)
    streams = [uuid4() for _ in range(12)]

    def save(stream: UUID) -> list[tuple[int, UUID]]:
        answered: list[tuple[int, UUID]] = []
        for version in range(1, 11):
            events = [StoredEvent(stream, version, "t", str(version).encode())]
            words = TextRow(uuid4(), stream, "w", salt=b"s" * 32)
            positions = recorder.insert_events(events, vault=[words])
            answered += [(position, stream) for position in positions]
            assert Vault(pool).words(words.id) == "w"
        return answered

    with ThreadPoolExecutor(len(streams)) as threads:
        answered = sorted(one for found in threads.map(save, streams) for one in found)

    stored = recorder.select_notifications(None, 1000)
    assert answered == [(one.id, one.originator_id) for one in stored]
    assert max(groups) > 1


def test_a_conflict_is_raised_only_for_the_append_that_has_it(pool: Pool) -> None:
    recorder = EventRecorder(pool)
    groups = grouped(recorder)
    taken = uuid4()
    recorder.insert_events([StoredEvent(taken, 1, "t", b"")])

    def save(number: int) -> bool:
        stream = taken if number % 10 == 0 else uuid4()
        try:
            recorder.insert_events([StoredEvent(stream, 1, "t", b"")])
        except IntegrityError:
            return False
        return True

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(save, range(100)))

    assert answers == [number % 10 != 0 for number in range(100)]
    assert recorder.max_notification_id() is not None
    assert len(recorder.select_notifications(None, 1000)) == 91
    assert max(groups) > 1


def grouped(recorder: EventRecorder) -> list[int]:
    """Return a list to which the size of each group is added."""
    sizes: list[int] = [0]
    send = recorder._queue._store_group

    def noted(group: list[QueuedAppend[object]]) -> list[Sequence[int]]:
        sizes.append(len(group))
        return send(group)  # type: ignore[arg-type]  # the recorder's own appends

    recorder._queue._store_group = noted  # type: ignore[assignment]  # a wrapper
    return sizes
