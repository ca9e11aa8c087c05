"""Rebuild of all read tables; baseline: the library's ProjectionRunner.

Both use the same event handlers.
"""

import resource
from collections.abc import Iterator
from functools import partial
from itertools import batched
from time import perf_counter
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.application import Application
from eventsourcing.persistence import Mapper, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner

from bench.append import library_settings
from bench.support.event_history import CAMPAIGN, call, history, opening, store
from bench.support.figures import Figure, medians
from bench.support.installation import Server, utc_now
from projections.engine.as_of import campaign_as_of
from projections.engine.rebuild import rebuild
from projections.engine.row_writer import Writer
from projections.engine.runner import catch_up
from projections.engine.schema import HANDLERS, create_read_model, use_read_model
from projections.engine.verify import verify
from projections.tables.row_operations import fold, writes
from storage.database import connect, open_pool
from storage.log.mapper import TypedMapper

CONTACTS, CALLS = 50_000, 60_000
SAMPLE_CONTACTS, SAMPLE_CALLS = 500, 500


def measure(server: Server) -> Iterator[Figure]:
    """Measure rebuild and verification in events/s, and an as-of query in s."""
    with server.database() as url:
        with open_pool(url, name="bench") as pool:
            events = store(pool, history(CONTACTS, CALLS))
        with connect(url, name="bench") as conn:
            catch_up(conn)
            conn.execute("vacuum analyze")
        value, baseline = medians(
            partial(_rebuilt, url), partial(_library, server), rounds=3
        )
        size = f"{events:,} events of {CONTACTS:,} contacts and {CALLS:,} calls"
        yield Figure(
            name="rebuild",
            value=value,
            unit="events/s",
            baseline=baseline,
            target=8,
            details=f"{size}; the library's ProjectionRunner, one event a transaction",
        )
        yield from _audited(url, size)


def _rebuilt(url: str) -> float:
    start = perf_counter()
    events = rebuild(url).events
    return events / (perf_counter() - start)


def _audited(url: str, size: str) -> Iterator[Figure]:
    start = perf_counter()
    with connect(url, name="bench") as conn:
        use_read_model(conn)
        row = campaign_as_of(conn, CAMPAIGN)
    taken = perf_counter() - start
    assert row is not None
    assert (row.ended, row.pending) == (CONTACTS, 0)
    yield Figure(name="as-of query", value=taken, unit="s", target=1.0, details=size)
    before, start = _peak(), perf_counter()
    verified = verify(url, now=utc_now)
    rate = verified.up_to / (perf_counter() - start)
    yield Figure(name="audit verify", value=rate, unit="events/s", details=size)
    more = _peak() - before
    yield Figure(
        name="audit verify, additional memory",
        value=more,
        unit="MiB",
        target=150,
        details=size,
    )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- Baseline: the library -----------------------------------------------------------


class LibraryApp(Application[UUID]):
    """The library's application over the same events."""

    name = "autolynx"

    def construct_mapper(self) -> Mapper[UUID]:
        """Return our mapper, so that both decode events in the same way."""
        return TypedMapper()


class View(PostgresTrackingRecorder):
    """Writes the handlers' rows for one event together with its position."""

    writer: Writer

    def apply(self, event: Any, tracking: Tracking) -> None:
        """Store the rows and the position in one transaction."""
        position = tracking.notification_id
        operations = (
            operation for handler in HANDLERS for operation in handler(event, position)
        )
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            self.writer._conn = cursor.connection  # noqa: SLF001 - the rows belong to the library's transaction
            self.writer.write(writes(fold(operations)))


class ReadTables(Projection[View]):
    """The library's projection, which calls our handlers for each event."""

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Apply one event."""
        self.view.apply(domain_event, tracking)


def _library(server: Server) -> float:
    """Return events/s for a smaller campaign: the rate does not depend on the size."""
    with server.empty_database() as url:
        environment = {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            **library_settings(url),
        }
        first, last = _sample(environment)
        with psycopg.connect(url, autocommit=True) as conn:
            create_read_model(conn)
            name = conn.info.dbname
            conn.execute(f"alter database {name} set search_path = read, public")
            use_read_model(conn)
            View.writer = Writer(conn)
            runner = ProjectionRunner(
                application_class=LibraryApp,
                projection_class=ReadTables,
                view_class=View,
                env=environment,
            )
            with runner:
                runner.wait(first, timeout=60)
                start = perf_counter()
                runner.wait(last, timeout=60)
                return (last - first) / (perf_counter() - start)


def _sample(environment: dict[str, str]) -> tuple[int, int]:
    """Store a small history; return the positions before its calls and of the last."""
    app, mapper = LibraryApp(environment), TypedMapper()
    first = opening(SAMPLE_CONTACTS)
    calls = [event for n in range(SAMPLE_CALLS) for event in call(n, 1)]
    for some in batched([*first, *calls], 50):
        app.recorder.insert_events([mapper.to_stored_event(event) for event in some])
    app.close()
    return len(first), len(first) + len(calls)
