"""The scheduler's process: one leads and dials, the others wait to take over."""

import logging
import os
import random
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import Event, Thread
from typing import Any
from uuid import uuid4

from psycopg import InterfaceError, OperationalError

from application.app import AutoLynx
from application.calls.call_service import CallService
from application.calls.claims import ClaimService
from application.campaigns import CampaignService
from application.configuration import Configuration, FirstSettings
from application.errors import Failure, StoreUnavailable
from application.event_context import EventContext
from application.gc_tuning import collect_in_background, enable_after_loading
from application.logs import configure_logs
from application.settings import SettingsService
from domain.dial_view import Snapshot
from domain.recording_url import RecordingUrls
from projections import campaign_board
from projections.dial_snapshot import snapshot
from projections.engine.change_feed import ReadModelFeed
from projections.engine.schema import create_read_model, open_read_pool, outdated_words
from projections.lookups import Lookups
from provider.vapi.client import VapiProvider, vapi_settings
from provider.vapi.reading import read_message
from scheduler.adopt import Adoption
from scheduler.alerts import Alerts, AlertWorker, Post, post_json
from scheduler.dispatch import Dispatch
from scheduler.loop import SILENT_TICKS, Parts, Scheduler
from scheduler.metrics import SchedulerMetrics, served
from scheduler.pace import Pace
from scheduler.reconcile import Reconcile
from scheduler.retention import Retention, RetentionWorker
from storage.database import Conn, Pool, connect, open_pool
from storage.log.recorder import EventStoreFactory
from storage.migrate import migrate
from storage.process.alert_outbox import Outbox
from storage.process.database_clock import ClockWorker, DatabaseClock
from storage.process.decisions import Operations
from storage.process.leadership import Leadership, LeadershipLost, Term
from storage.process.timeline_guard import LastLed
from storage.vault.erasure import ErasureStore
from storage.vault.tables import Vault

ROLE = "scheduler"
AWAY = (LeadershipLost, StoreUnavailable, OperationalError, InterfaceError)
NO_KEY = "no API key is configured: set AUTOLYNX_VAPI_API_KEY."

log = logging.getLogger(ROLE)


def main() -> int:
    """Run until SIGTERM or SIGINT; 2 where the configuration lacks a database."""
    enable_after_loading()
    collect_in_background()
    configuration = Configuration()
    configure_logs(configuration.log_level, configuration.log_format)
    if configuration.database_url is None:
        print("AUTOLYNX_DATABASE_URL is not set.", file=sys.stderr)  # noqa: T201 - a person reads it
        return 2
    try:
        migrate(configuration.database_url)
    except Failure as failure:
        print(failure, file=sys.stderr)  # noqa: T201 - whoever supervises reads it
        return 1
    with connect(configuration.database_url, name=ROLE) as connection:
        create_read_model(connection)
    _serve(Process(configuration, configuration.database_url))
    return 0


@dataclass(frozen=True)
class Process:
    """What outlives a term."""

    configuration: Configuration
    url: str
    stop: Event = field(default_factory=Event)
    clock: DatabaseClock = field(default_factory=DatabaseClock)
    metrics: SchedulerMetrics = field(default_factory=SchedulerMetrics)


def _serve(process: Process) -> None:
    holder = f"{socket.gethostname()}:{os.getpid()}"
    leadership = Leadership(process.url, role=ROLE, holder=holder)
    silent_after = SILENT_TICKS * FirstSettings().values().tick_seconds
    host, port = process.configuration.host, process.configuration.metrics_port
    with (
        _on_signals(process.stop.set),
        served(process.metrics, host, port),
        ClockWorker(process.url, process.clock, role=ROLE, holder=holder),
    ):
        while not process.stop.is_set():
            with leadership.term(process.stop, silent_after=silent_after) as term:
                if term is None:
                    return
                try:
                    _wait_for_tables(process, term)
                    _lead(process, term)
                except AWAY as error:
                    log.warning("the term is over: %s", error)


def _wait_for_tables(process: Process, term: Term) -> None:
    """Wait while the projector makes anew what another version made."""
    told = None
    while not process.stop.is_set() and (said := outdated_words(term.connection)):
        if said != told:
            log.warning("nothing is dialled: the read tables were %s", said)
        told = said
        term.go_on()
        process.stop.wait(1.0)


def _lead(process: Process, term: Term) -> None:
    configuration, url = process.configuration, process.url
    process.clock.measure(term.connection)
    with ExitStack() as opened:
        feed = ReadModelFeed(url)
        feed.start()
        opened.callback(feed.stop)
        parts = _parts(process, feed, opened)
        scheduler = Scheduler(parts)
        opened.callback(feed.subscribe(lambda *_: scheduler.wake()))
        post = partial(post_json, any_address=configuration.alert_any_address)
        _start_alerts(url, feed, parts, opened, post)
        _start_retention(url, parts, opened)
        opened.callback(parts.dispatch.stop)
        opened.enter_context(_stopping(scheduler, process.stop))
        scheduler.lead(term)
        parts.dispatch.stop()
        parts.adoption.end()


def _start_alerts(
    url: str, feed: ReadModelFeed, parts: Parts, opened: ExitStack, post: Post
) -> None:
    """Look after alerts in a thread of its own, with connections of its own."""
    writing = opened.enter_context(open_pool(url, name=f"{ROLE} alerts", max_size=2))
    reading = opened.enter_context(
        open_read_pool(url, name=f"{ROLE} alerts", max_size=2)
    )
    app = AutoLynx(EventStoreFactory(writing))
    opened.callback(app.close)
    worker = AlertWorker(
        Alerts(
            reading=reading,
            outbox=Outbox(writing),
            campaigns=parts.campaigns,
            settings=SettingsService(
                app=app, context=parts.context, first=parts.first_settings
            ),
            first=parts.first_settings,
            now=parts.context.now,
            random=random.random,
            post=post,
        )
    )
    opened.callback(worker.stop)
    opened.callback(feed.subscribe(lambda *_: worker.wake()))
    worker.start()


def _start_retention(url: str, parts: Parts, opened: ExitStack) -> None:
    pool = opened.enter_context(open_pool(url, name=f"{ROLE} retention", max_size=2))
    app = AutoLynx(EventStoreFactory(pool))
    opened.callback(app.close)
    settings = SettingsService(
        app=app, context=parts.context, first=parts.first_settings
    )
    worker = RetentionWorker(
        Retention(ErasureStore(pool), settings.values, parts.context.now)
    )
    opened.callback(worker.stop)
    worker.start()


def _parts(process: Process, feed: ReadModelFeed, opened: ExitStack) -> Parts:
    configuration, url = process.configuration, process.url
    writing = opened.enter_context(open_pool(url, name=ROLE, max_size=16))
    reading = opened.enter_context(open_read_pool(url, name=ROLE, max_size=16))
    app = AutoLynx(EventStoreFactory(writing))
    opened.callback(app.close)
    context = EventContext(now=process.clock, new_id=uuid4, random_bytes=os.urandom)
    vault = Vault(writing)
    lookups = Lookups(reading, vault)
    provider = VapiProvider(vapi_settings(configuration), now=context.now)
    recordings = RecordingUrls(configuration.vapi_base_url)
    calls = CallService(
        app=app,
        context=context,
        vault=vault,
        contact_lookup=lookups,
        call_lookup=lookups,
        read_message=partial(read_message, recordings=recordings),
    )
    campaigns = CampaignService(
        app=app, context=context, calls=calls, call_lookup=lookups
    )
    claims = ClaimService(app, context)
    first = FirstSettings().values()
    pace = Pace(first.dials_per_second, random.random)
    dispatch = Dispatch(
        calls=calls,
        campaigns=campaigns,
        provider=provider,
        pace=pace,
        context=context,
        count=process.metrics.dialled,
    )
    every = timedelta(seconds=configuration.reconcile_seconds)
    ghost_grace = timedelta(seconds=configuration.ghost_grace_seconds)
    last_led = LastLed(writing)
    reconcile = Reconcile(
        calls=calls,
        provider=provider,
        is_under_way=dispatch.is_under_way,
        interval=every,
        time_out=timedelta(seconds=configuration.vapi_timeout_seconds),
        ghost_grace=ghost_grace,
        longest_queued=timedelta(seconds=configuration.longest_queued_seconds),
        largest_delay=last_led.list_delay(),
        keep_delay=last_led.keep_list_delay,
    )
    return Parts(
        read_snapshot=partial(_snapshot, reading, ghost_grace),
        claims=claims,
        campaigns=campaigns,
        dispatch=dispatch,
        reconcile=reconcile,
        adoption=Adoption(
            calls=calls,
            claims=claims,
            provider=provider,
            open_lines=partial(_asked, reading, campaign_board.open_lines),
            position=app.recorder.max_notification_id,
            last_led=last_led,
            now=context.now,
            quarantine=reconcile.quarantine,
        ),
        operations=Operations(writing),
        read_model=feed,
        pace=pace,
        context=context,
        first_settings=first,
        reconcile_every=every,
        random=random.random,
        turned=process.metrics.turned,
        bars_dialling=None if configuration.vapi_api_key else NO_KEY,
    )


def _snapshot(pool: Pool, grace: timedelta, now: datetime, most: int) -> Snapshot:
    with pool.connection() as conn:
        return snapshot(conn, now, most, grace)


def _asked[T](pool: Pool, query: Callable[[Conn], T]) -> T:
    with pool.connection() as conn:
        return query(conn)


@contextmanager
def _stopping(scheduler: Scheduler, stop: Event) -> Iterator[None]:
    """Pass the process's stop on to the scheduler, from a thread of its own."""
    over = Event()

    def watch() -> None:
        while not over.is_set() and not stop.wait(0.1):
            pass
        scheduler.stop()

    watcher = Thread(target=watch, name="stop", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


@contextmanager
def _on_signals(stop: Any) -> Iterator[None]:
    wanted = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: stop()) for number in wanted]
    try:
        yield
    finally:
        for number, handler in zip(wanted, before, strict=True):
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
