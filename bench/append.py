"""Rate of single-event appends from eight threads.

Baselines: the library's recorder, and the least that a group commit needs.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.postgres import PostgresFactory
from eventsourcing.utils import Environment

from bench.support.bare_writer import bare_writer
from bench.support.figures import Figure, medians
from bench.support.installation import Server
from storage.database import open_pool
from storage.log.recorder import EventRecorder

THREADS, EVENTS = 8, 4_000
STATE = b"x" * 300

type Append = Callable[[UUID, str, bytes], None]


def measure(server: Server) -> Iterator[Figure]:
    """Measure appends per second of our recorder and of the library's."""
    with (
        server.database() as url,
        open_pool(url, name="bench", min_size=THREADS) as pool,
        server.empty_database() as other,
    ):
        library = PostgresFactory(Environment("bench", library_settings(other)))
        known = inserting(library.application_recorder())
        try:
            with bare_writer(other) as bare:
                value, library_rate, limit = medians(
                    partial(append_rate, inserting(EventRecorder(pool)), EVENTS),
                    partial(append_rate, known, EVENTS),
                    partial(append_rate, bare.append, EVENTS),
                )
        finally:
            library.close()
    details = f"{EVENTS:,} events, one per append, {THREADS} threads"
    for name, baseline, target, what in (
        ("append", library_rate, 3.0, "the library's own recorder"),
        ("append, of the limit", limit, 0.9, "a bare writer with group commit"),
    ):
        yield Figure(
            name=name,
            value=value,
            unit="events/s",
            baseline=baseline,
            target=target,
            details=f"{details}; {what}",
        )


def library_settings(url: str) -> dict[str, str]:
    """Return the library's environment variables for a database URL."""
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query)["host"][0]
    return {
        "POSTGRES_DBNAME": parts.path.strip("/"),
        "POSTGRES_HOST": host,
        "POSTGRES_PORT": str(parts.port or 5432),
        "POSTGRES_USER": parts.username or "",
        "POSTGRES_PASSWORD": parts.password or "",
        "POSTGRES_POOL_SIZE": str(THREADS),
    }


def inserting(recorder: ApplicationRecorder) -> Append:
    """Return a function that appends one event to a new stream of the recorder."""

    def append(originator_id: UUID, topic: str, state: bytes) -> None:
        recorder.insert_events([StoredEvent(originator_id, 1, topic, state)])

    return append


def append_rate(append: Append, events: int) -> float:
    """Append events from THREADS threads; return how many a second."""

    def append_one(_: int) -> None:
        append(uuid4(), "bench.fact", STATE)

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(append_one, range(THREADS * 20)))
        start = perf_counter()
        list(threads.map(append_one, range(events)))
        return events / (perf_counter() - start)
