"""Whether a reader that follows the log misses an event while many write."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from time import monotonic
from uuid import uuid4

import psycopg
from eventsourcing.persistence import StoredEvent

from bench.figures import Figure
from bench.site import Site
from storage.database import open_pool
from storage.log.recorder import EventRecorder

PROCESSES, THREADS, EVENTS = 4, 4, 20_000
UNSAFE_EVENTS = 4_000
UNSAFE = b"""
insert into autolynx_events (originator_id, originator_version, topic, state)
values (%s, 1, 'bench', '') """
SECONDS = 300.0


def measure(site: Site) -> Iterator[Figure]:
    """Count what is missed; the unsafe way shows that this can find it."""
    for name, events, wanted in (
        ("missed events", EVENTS, 0.0),
        ("missed events without the lock", UNSAFE_EVENTS, None),
    ):
        with site.database() as url:
            missed = _missed(url, events, safe=wanted is not None)
        assert wanted is not None or missed, "nothing is found where something is"
        yield Figure(
            name=name,
            value=missed,
            unit="events",
            wanted=wanted,
            of=f"of {events:,}, {PROCESSES} processes write, one reads",
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
    """Read on from the last position until nobody writes any more."""
    last, seen, until = 0, 0, monotonic() + SECONDS
    while monotonic() < until:
        running = any(writer.is_alive() for writer in writers)
        page = recorder.select_notifications(last, 500, inclusive_of_start=False)
        if page:
            last, seen = page[-1].id, seen + len(page)
        elif not running:
            return seen
    raise TimeoutError("the writers do not come to an end")


def write(url: str, events: int) -> None:
    """Append from several threads of this process."""

    with open_pool(url, name="writer") as pool, ThreadPoolExecutor(THREADS) as threads:
        recorder = EventRecorder(pool)

        def append(_: int) -> None:
            recorder.insert_events([StoredEvent(uuid4(), 1, "bench", b"{}")])

        list(threads.map(append, range(events)))


def write_unsafely(url: str, events: int) -> None:
    """Insert without the lock: the position is taken before the commit's turn."""
    with psycopg.connect(url) as connection:
        for _ in range(events):
            connection.execute(UNSAFE, (uuid4(),))
            connection.commit()
