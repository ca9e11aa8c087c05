"""Rate of single-event appends from eight threads; baseline: the library's recorder."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.postgres import PostgresFactory
from eventsourcing.utils import Environment

from bench.support.figures import Figure, medians
from bench.support.installation import Server
from storage.database import open_pool
from storage.log.recorder import EventRecorder

THREADS, EVENTS = 8, 4_000
STATE = b"x" * 300


def measure(server: Server) -> Iterator[Figure]:
    """Measure appends per second of our recorder and of the library's."""
    with (
        server.database() as url,
        open_pool(url, name="bench", min_size=THREADS) as pool,
        server.empty_database() as other,
    ):
        library = PostgresFactory(Environment("bench", library_settings(other)))
        try:
            value, baseline = medians(
                partial(_rate, EventRecorder(pool)),
                partial(_rate, library.application_recorder()),
            )
        finally:
            library.close()
    yield Figure(
        name="append",
        value=value,
        unit="events/s",
        baseline=baseline,
        target=3,
        details=f"{EVENTS:,} events, one per append, {THREADS} threads;"
        " the library's own recorder",
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


def _rate(recorder: ApplicationRecorder) -> float:
    def append(_: int) -> None:
        recorder.insert_events([StoredEvent(uuid4(), 1, "bench.fact", STATE)])

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(append, range(THREADS * 20)))
        start = perf_counter()
        list(threads.map(append, range(EVENTS)))
        return EVENTS / (perf_counter() - start)
