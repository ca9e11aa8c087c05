"""Rebuild and verification of all read tables, beside the limits of both.

Baselines of the rebuild: the library's ProjectionRunner with the same event handlers,
and Postgres copying the finished rows. That of the verification: reading and hashing
the log.
"""

import os
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from itertools import batched
from time import perf_counter
from typing import Any
from uuid import UUID

import orjson
import psycopg
from eventsourcing.application import Application
from eventsourcing.persistence import Mapper, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg import sql

from bench.append import library_settings
from bench.support.event_history import CAMPAIGN, call, history, opening, store
from bench.support.figures import Figure, medians
from bench.support.installation import Server, utc_now
from bench.support.process_usage import tree_mebibytes
from projections.engine.as_of import campaign_as_of
from projections.engine.rebuild import rebuild
from projections.engine.row_writer import Writer
from projections.engine.runner import catch_up
from projections.engine.schema import (
    HANDLERS,
    TABLES,
    create_read_model,
    drop_schema,
    use_read_model,
)
from projections.engine.verify import verify
from projections.engine.worker_pool import worker_count
from projections.tables.definition import SCHEMA
from projections.tables.row_operations import fold, writes
from storage.database import connect, open_pool
from storage.log.mapper import TypedMapper

COUNTED = b"""
select counted, count(*), sum(spend) from event_index
where campaign_id = %s and (counted is not null or spend is not null)
group by counted
"""
CONTACTS, CALLS = 50_000, 60_000
SAMPLE_CONTACTS, SAMPLE_CALLS = 500, 500
COPIED = "copied"
LOG = b"""
select notification_id, originator_id, originator_version, topic, state
from autolynx_events order by notification_id
"""


def measure(server: Server) -> Iterator[Figure]:
    """Measure rebuild and verification in events/s, and an as-of query in s."""
    with server.database() as url:
        with open_pool(url, name="bench") as pool:
            events = store(pool, history(CONTACTS, CALLS))
        with connect(url, name="bench") as conn:
            catch_up(conn)
            conn.execute("vacuum analyze")
        value, baseline, limit = medians(
            partial(_rebuilt, url),
            partial(_library, server),
            partial(_rows_copied, url, events),
        )
        size = f"{events:,} events of {CONTACTS:,} contacts and {CALLS:,} calls"
        yield Figure(
            name="rebuild",
            value=value,
            unit="events/s",
            baseline=baseline,
            target=40,
            enough=15_000,
            details=f"{size}; the library's ProjectionRunner, one event a transaction",
        )
        yield Figure(
            name="rebuild, of the limit",
            value=value,
            unit="events/s",
            baseline=limit,
            details=f"{size}; Postgres copies the rows of all read tables",
        )
        yield from _audited(url, size)


def _rebuilt(url: str) -> float:
    start = perf_counter()
    events = rebuild(url).events
    return events / (perf_counter() - start)


def _rows_copied(url: str, events: int) -> float:
    """Copy all rows into new tables with the same indexes; return events per second."""
    with connect(url, name="bench") as conn:
        create_read_model(conn, COPIED)
        start = perf_counter()
        for table in TABLES:
            names = (sql.Identifier(schema, table.name) for schema in (COPIED, SCHEMA))
            statement = sql.SQL("insert into {} overriding system value table {}")
            conn.execute(statement.format(*names))
        rate = events / (perf_counter() - start)
        drop_schema(conn, COPIED)
    return rate


def _log_hashed(url: str) -> float:
    """Read the log and compute its hash chain; return events per second."""
    start, head, events = perf_counter(), b"", 0
    with (
        connect(url, name="bench") as conn,
        conn.transaction(),
        conn.cursor("log", binary=True) as cursor,
    ):
        cursor.itersize = 2_000
        for row in cursor.execute(LOG):
            digest = sha256(orjson.dumps((*map(str, row[:4]), row[4].decode())))
            head = sha256(head + digest.digest()).digest()
            events += 1
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
    yield Figure(
        name="as-of query, of the limit",
        value=taken,
        unit="s",
        baseline=_counted(url),
        smaller_is_better=True,
        details=f"{size}; bare SQL counts the campaign's events by their effect",
    )
    before, start = tree_mebibytes(os.getpid()), perf_counter()
    sizes = [before]
    verified = verify(
        url,
        now=utc_now,
        progress=lambda *_: sizes.append(tree_mebibytes(os.getpid())),
    )
    rate = verified.up_to / (perf_counter() - start)
    yield Figure(
        name="audit verify",
        value=rate,
        unit="events/s",
        baseline=_log_hashed(url),
        enough=15_000,
        details=f"{size}; reading the log and computing its chain of hashes",
    )
    workers = worker_count(None, verified.up_to)
    yield Figure(
        name="audit verify, additional memory",
        value=(max(sizes) - before) / workers,
        unit="MiB",
        target=150,
        details=f"{size}; for each of {workers} workers",
    )


def _counted(url: str) -> float:
    """Count the campaign's events by their effect on its counters; return seconds."""
    with connect(url, name="bench") as conn:
        use_read_model(conn)
        start = perf_counter()
        assert conn.execute(COUNTED, (CAMPAIGN,)).fetchall()
        return perf_counter() - start


# --- Baseline: the library -----------------------------------------------------------


class LibraryApp(Application[UUID]):
    """The library's application over the same events."""

    name = "library"

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
    with server.database() as url:
        environment = {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            **library_settings(url),
        }
        first, last = _sample(environment)
        with psycopg.connect(url, autocommit=True) as conn:
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
                runner.wait(first, timeout=600)
                start = perf_counter()
                runner.wait(last, timeout=600)
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
