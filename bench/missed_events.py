"""Events that a reader of the log misses while several processes write."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from time import monotonic
from uuid import uuid4

import psycopg
from eventsourcing.persistence import StoredEvent

from bench.support.figures import Figure
from bench.support.installation import Server
from storage.database import open_pool
from storage.log.recorder import EventRecorder

PROCESSES, THREADS, EVENTS = 4, 4, 20_000
UNSAFE_EVENTS = 4_000
UNSAFE = b"""
insert into autolynx_events (originator_id, originator_version, topic, state)
values (%s, 1, 'bench', '') """
SECONDS = 300.0


def measure(server: Server) -> Iterator[Figure]:
    """Count missed events; inserts without the lock show that misses are detected."""
    for name, events, target in (
        ("missed events", EVENTS, 0.0),
        ("missed events without the lock", UNSAFE_EVENTS, None),
    ):
        with server.database() as url:
            missed = _missed(url, events, safe=target is not None)
        assert target is not None or missed, "no misses without the lock"
        yield Figure(
            name=name,
            value=missed,
            unit="events",
            target=target,
            details=f"{events:,} events, {PROCESSES} processes write, one reads",
        )


def _missed(url: str, events: int, *, safe: bool) -> int:
    context = get_context("spawn")
    each = events // PROCESSES
    writers = [
        context.Process(target=write if safe else write_unsafely, args=(url, each))
        for _ in range(PROCESSES)
    ]
    for writer in writers:
        writer.start()
    with open_pool(url, name="bench") as pool:
        seen = _followed(EventRecorder(pool), writers)
    for writer in writers:
        writer.join()
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from autolynx_events").fetchone()
    assert row is not None
    assert row[0] == events, row
    return events - seen


def _followed(recorder: EventRecorder, writers: Sequence[BaseProcess]) -> int:
    """Read the log until all writers have ended; return the number of events read."""
    last, seen, until = 0, 0, monotonic() + SECONDS
    while monotonic() < until:
        running = any(writer.is_alive() for writer in writers)
        page = recorder.select_notifications(last, 500, inclusive_of_start=False)
        if page:
            last, seen = page[-1].id, seen + len(page)
        elif not running:
            return seen
    raise TimeoutError(f"the writers did not end within {SECONDS:.0f} s")


def write(url: str, events: int) -> None:
    """Append events from several threads of this process."""
    with open_pool(url, name="writer") as pool, ThreadPoolExecutor(THREADS) as threads:
        recorder = EventRecorder(pool)

        def append(_: int) -> None:
            recorder.insert_events([StoredEvent(uuid4(), 1, "bench", b"{}")])

        list(threads.map(append, range(events)))


def write_unsafely(url: str, events: int) -> None:
    """Insert without the append lock: commits may be out of order of positions."""
    with psycopg.connect(url) as connection:
        for _ in range(events):
            connection.execute(UNSAFE, (uuid4(),))
            connection.commit()
