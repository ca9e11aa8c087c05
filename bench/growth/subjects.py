"""Measures operations at 1, 10 and 100 times the data."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent

from application.app import AutoLynx
from application.suppression_lists.service import ListTerms, SuppressionListService
from bench.export import BOARD
from bench.growth.curves import Subject, best
from bench.support.event_history import CAMPAIGN, history, store
from bench.support.finished_contacts import fill_finished
from bench.support.installation import Server, context, utc_now
from bench.support.number_list import NumberList
from domain.calls.recording_url import RecordingUrls
from domain.gate.permit import Granted, Permit
from projections.campaigns import campaign_board
from projections.contacts import contact_log, contact_results
from projections.dial_snapshot import snapshot
from projections.engine.as_of import campaign_as_of
from projections.engine.rebuild import rebuild
from projections.engine.runner import catch_up
from projections.engine.schema import use_read_model
from projections.engine.verify import verify
from projections.exports.results import csv_of
from storage.database import Conn, connect, open_pool
from storage.log.recorder import EventRecorder, EventStoreFactory
from storage.suppression.blocks import BlockStore
from tests.many_campaigns import create_campaigns

TIMES, APPENDS, LOOK_UPS = 5, 200, 300
NOW = datetime(2026, 6, 10, 20, tzinfo=UTC)
MAY_BE_CALLED = Granted(Permit((), (), "", "", (), (), ()))


def events(server: Server, sizes: list[int]) -> Subject:
    """Measure appends, rebuild, verification and an as-of query by events."""
    subject = Subject("events", "events in the log")
    for size in sizes:
        calls = max(size // 6, 1)
        with server.database() as url:
            with open_pool(url, name="growth") as pool:
                stored = store(pool, history(calls, calls))
                with connect(url, name="growth") as conn:
                    catch_up(conn)
                    conn.execute("vacuum analyze")
                append = best(partial(_append, EventRecorder(pool)), TIMES)
            add = partial(subject.add, stored)
            add("append of one event", "ms", append)
            add("rebuild", "s", _timed(partial(rebuild, url)))
            verification = partial(verify, url, now=utc_now)
            add("audit verify", "s", _timed(verification))
            with connect(url, name="growth") as conn:
                use_read_model(conn)
                as_of = partial(_timed, partial(campaign_as_of, conn, CAMPAIGN))
                add("campaign as of a time", "s", best(as_of, TIMES))
    return subject


def contacts(server: Server, sizes: list[int]) -> Subject:
    """Measure the queries of a campaign and its export by its contacts."""
    subject, campaign = Subject("contacts", "contacts of a campaign"), uuid4()
    for size in sizes:
        with server.database() as url:
            with open_pool(url, name="growth") as pool:
                store(pool, history(1, 1))
            with connect(url, name="growth") as conn:
                catch_up(conn)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(BOARD.format(campaign=campaign).encode())
            fill_finished(url, campaign, size)
            with connect(url, name="growth") as conn:
                use_read_model(conn)
                for name, work in _of_campaign(conn, campaign):
                    value = 1000 * best(partial(_timed, work), TIMES)
                    subject.add(size, name, "ms", value)
    return subject


def campaigns(server: Server, sizes: list[int]) -> Subject:
    """Measure the list of campaigns and the scheduler's snapshot by campaigns."""
    subject = Subject("campaigns", "campaigns")
    for size in sizes:
        with server.database() as url:
            with open_pool(url, name="growth") as pool:
                app = AutoLynx(EventStoreFactory(pool))
                create_campaigns(app, size, newest_at=NOW)
                app.close()
            with connect(url, name="growth") as conn:
                catch_up(conn)
                conn.execute("vacuum analyze")
                use_read_model(conn)
                listed = partial(campaign_board.page, conn, first=50)
                read = partial(snapshot, conn, NOW, 10, lambda *_: MAY_BE_CALLED)
                for name, work in (
                    ("first page of campaigns", listed),
                    ("scheduler's snapshot", read),
                ):
                    value = 1000 * best(partial(_timed, work), TIMES)
                    subject.add(size, name, "ms", value)
    return subject


def lists(server: Server, sizes: list[int]) -> Subject:
    """Measure the reception of a suppression list and look-ups by its numbers."""
    subject = Subject("lists", "numbers of a suppression list")
    for size in sizes:
        with server.database() as url, open_pool(url, name="growth") as pool:
            app, blocks = AutoLynx(EventStoreFactory(pool)), BlockStore(pool)
            service = SuppressionListService(app, context(), blocks)
            listed = NumberList(size)
            terms = ListTerms("Registry", NOW.date(), max_age_days=3_650)
            start = perf_counter()
            version, _ = service.receive(terms, listed.lines(), by="bench")
            took = perf_counter() - start
            subject.add(size, "reception", "s", took)
            numbers = listed.others(LOOK_UPS)
            look_up = partial(_look_ups, blocks, version.version_id, numbers)
            subject.add(size, "look-up of a number", "ms", best(look_up, TIMES))
            app.close()
    return subject


SUBJECTS: dict[str, tuple[Callable[[Server, list[int]], Subject], int]] = {
    "events": (events, 2_000),
    "contacts": (contacts, 1_000),
    "campaigns": (campaigns, 10),
    "lists": (lists, 100_000),
}
"""The measurement of each subject, and its smallest size."""


def _timed(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def _append(recorder: EventRecorder) -> float:
    """Return the milliseconds of one append, over several."""
    start = perf_counter()
    for _ in range(APPENDS):
        recorder.insert_events([StoredEvent(uuid4(), 1, "bench.fact", b"x" * 300)])
    return 1000 * (perf_counter() - start) / APPENDS


def _of_campaign(
    conn: Conn, campaign: UUID
) -> Iterator[tuple[str, Callable[[], object]]]:
    page = partial(contact_log.page, conn, campaign, first=50)
    yield "progress", partial(campaign_board.progress, conn, campaign)
    yield "first page of contacts", page
    yield "search for a name", partial(page, search="Person 7")
    yield "results", partial(contact_results.funnel, conn, campaign)
    yield "export", lambda: [*csv_of(conn, campaign, RecordingUrls())]


def _look_ups(blocks: BlockStore, version: UUID, numbers: list[str]) -> float:
    """Return the milliseconds of one look-up, over several."""
    start = perf_counter()
    for number in numbers:
        blocks.look_up([version], number)
    return 1000 * (perf_counter() - start) / len(numbers)
