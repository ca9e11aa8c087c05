"""The scheduler's process: the leader dials, the other processes are standbys."""

import logging
import os
import random
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from threading import Event, Thread
from typing import Any

from psycopg import InterfaceError, OperationalError

from application.configuration import Configuration, FirstSettings
from application.errors import StoreUnavailable
from application.process.gc_tuning import collect_in_background, enable_after_loading
from application.process.logs import configure_logs
from projections.composition import (
    Components,
    configured_fields,
)
from projections.connections import (
    open_feed,
    open_log,
    open_pools,
)
from projections.deliveries.queue import open_queue_pool, remove_old
from projections.engine.change_feed import ReadModelFeed
from projections.engine.schema import outdated_message
from projections.start_up import CannotStart, prepare_database
from provider.vapi.client import VapiProvider
from provider.vapi.messages.reading import read_message
from provider.vapi.settings import vapi_settings
from scheduler.alerts.alert_mail import AlertMail, mail_server
from scheduler.alerts.alerts import Alerts, AlertWorker, Post, post_json
from scheduler.composition import dependencies
from scheduler.deliveries.sending import Sender
from scheduler.deliveries.worker import (
    RETRY_GAPS,
    Deliveries,
    DeliveryWorker,
    Send,
)
from scheduler.dependencies import SchedulerDependencies
from scheduler.dispatch import Dispatch
from scheduler.loop import SILENT_TICKS, Scheduler
from scheduler.maintenance.forecasts import Forecasts, ForecastWorker
from scheduler.maintenance.retention import Retention, RetentionWorker
from scheduler.maintenance.upgrade import count_earlier_calls
from scheduler.metrics import SchedulerMetrics, served
from scheduler.pace import Pace
from storage.database import Conn, Pool
from storage.process.alert_outbox import MAILED, AlertOutbox
from storage.process.database_clock import ClockWorker, DatabaseClock
from storage.process.leadership import Leadership, LeadershipLost, Term
from storage.process.rehearsal_database import drop_leftover

ROLE = "scheduler"
TERM_OVER = (LeadershipLost, StoreUnavailable, OperationalError, InterfaceError)
NO_KEY = "no API key is configured: set AUTOLYNX_VAPI_API_KEY."

log = logging.getLogger(ROLE)


def main() -> int:
    """Run the scheduler; return the exit code.

    0 after SIGTERM or SIGINT; 1 if the database cannot be migrated; 2 without a
    database URL.
    """
    enable_after_loading()
    collect_in_background()
    configuration = Configuration()
    configure_logs(configuration.log_level, configuration.log_format)
    try:
        url = prepare_database(configuration, name=ROLE)
    except CannotStart as refusal:
        return refusal.print()
    _serve(Process(configuration, url))
    return 0


@dataclass(frozen=True)
class Process:
    """The objects that are kept over all terms of leadership."""

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
                except TERM_OVER as error:
                    log.warning("the term is over: %s", error)


def _wait_for_tables(process: Process, term: Term) -> None:
    """Wait while the projector rebuilds read tables of another version."""
    logged = None
    while not process.stop.is_set() and (found := outdated_message(term.connection)):
        if found != logged:
            log.warning("nothing is dialled: found %s", found)
        logged = found
        term.record_progress()
        process.stop.wait(1.0)


def _lead(process: Process, term: Term) -> None:
    configuration, url = process.configuration, process.url
    process.clock.measure(term.connection)
    if drop_leftover(url):
        log.warning("dropped the database of a rehearsal that was interrupted")
    with ExitStack() as opened:
        feed = opened.enter_context(open_feed(url))
        built = _components(process, feed, opened, name=ROLE, size=16)
        built.installation_key.prepare()
        _log_ineffective_variables(built)
        if not count_earlier_calls(built, term, process.stop):
            return
        deps = _dependencies(process, built)
        scheduler = Scheduler(deps)
        opened.callback(feed.subscribe(lambda *_: scheduler.wake()))
        post = partial(post_json, any_address=configuration.alert_any_address)
        _start_alerts(process, feed, deps, opened, post)
        _start_retention(process, feed, opened)
        _start_deliveries(process, feed, opened)
        _start_forecasts(process, feed, opened)
        opened.callback(deps.dispatch.stop)
        opened.enter_context(_stopping(scheduler, process.stop))
        scheduler.lead(term)
        deps.dispatch.stop()
        deps.adoption.end()


def _log_ineffective_variables(built: Components) -> None:
    """Log each environment variable that a stored setting overrides."""
    for one in FirstSettings().ineffective(built.settings.stored()):
        log.warning(
            "%s=%s has no effect: the stored setting %s=%s applies",
            one.variable,
            one.configured,
            one.setting,
            one.stored,
        )


def _components(
    process: Process, feed: ReadModelFeed, opened: ExitStack, *, name: str, size: int
) -> Components:
    """Open connection pools of that name, and build the services over them."""
    configuration = process.configuration
    pools = opened.enter_context(open_pools(process.url, name=name, max_size=size))
    return Components(
        pools=pools,
        app=opened.enter_context(open_log(pools.writing)),
        read_model=feed,
        provider=VapiProvider(vapi_settings(configuration), now=process.clock),
        read_message=read_message,
        now=process.clock,
        **configured_fields(configuration),
        request_limit=timedelta(seconds=configuration.vapi_timeout_seconds),
    )


def _start_alerts(
    process: Process,
    feed: ReadModelFeed,
    deps: SchedulerDependencies,
    opened: ExitStack,
    post: Post,
) -> None:
    """Send alerts in a separate thread, over separate connections."""
    own = _components(process, feed, opened, name=f"{ROLE} alerts", size=2)
    server = mail_server(process.configuration)
    worker = AlertWorker(
        Alerts(
            reading=own.reading,
            outbox=AlertOutbox(own.writing),
            campaigns=deps.campaigns,
            settings=own.settings,
            first=own.first_settings,
            now=own.now,
            random=random.random,
            post=post,
            mail_outbox=AlertOutbox(own.writing, MAILED),
            mail=AlertMail(server, process.clock) if server else None,
        )
    )
    opened.callback(worker.stop)
    opened.callback(feed.subscribe(lambda *_: worker.wake()))
    worker.start()


def _start_retention(process: Process, feed: ReadModelFeed, opened: ExitStack) -> None:
    """Erase expired personal data in a separate thread."""
    own = _components(process, feed, opened, name=f"{ROLE} retention", size=2)
    worker = RetentionWorker(
        Retention(
            own.message_retention,
            own.settings.values,
            own.now,
            partial(_with_connection, own.writing, remove_old),
        )
    )
    opened.callback(worker.stop)
    worker.start()


def _start_forecasts(process: Process, feed: ReadModelFeed, opened: ExitStack) -> None:
    """Store forecasts in a separate thread."""
    own = _components(process, feed, opened, name=f"{ROLE} forecasts", size=2)
    worker = ForecastWorker(
        Forecasts(
            own.reading.connection,
            own.forecast_reader,
            own.forecasts,
            own.now,
            feed.wait_for,
        )
    )
    opened.callback(worker.stop)
    worker.start()


def _start_deliveries(process: Process, feed: ReadModelFeed, opened: ExitStack) -> None:
    """Send webhooks in a separate thread, over separate connections."""
    configuration, name = process.configuration, f"{ROLE} deliveries"
    own = _components(process, feed, opened, name=name, size=2)
    pool = opened.enter_context(open_queue_pool(process.url, name=f"{name} queue"))
    any_address = configuration.alert_any_address

    def sender() -> tuple[Send, Callable[[], Awaitable[None]]]:
        made = Sender(now=process.clock, any_address=any_address)
        return made.send, made.close

    worker = DeliveryWorker(
        Deliveries(
            pool=pool,
            give_up=own.webhook_endpoints.give_up,
            own_url=configuration.own_url,
            gaps=configuration.delivery_retry_seconds or RETRY_GAPS,
            count=process.metrics.delivered,
        ),
        sender,
    )
    worker.start()
    opened.callback(worker.stop)
    opened.callback(feed.subscribe(lambda *_: worker.wake()))


def _dependencies(process: Process, built: Components) -> SchedulerDependencies:
    configuration, metrics = process.configuration, process.metrics
    pace = Pace(built.first_settings.dials_per_second, random.random)
    dispatch = Dispatch(
        calls=built.calls,
        campaigns=built.campaigns,
        provider=built.provider,
        pace=pace,
        context=built.context,
        count=metrics.dialled,
    )
    return replace(
        dependencies(configuration, built, dispatch, pace, random.random),
        observe_turn=metrics.observe_turn,
        no_dialling_because=None if configuration.vapi_api_key else NO_KEY,
    )


def _with_connection[T, A](pool: Pool, act: Callable[[Conn, A], T], argument: A) -> T:
    with pool.connection() as conn:
        return act(conn, argument)


@contextmanager
def _stopping(scheduler: Scheduler, stop: Event) -> Iterator[None]:
    """Stop the scheduler when the process is to stop, from a separate thread."""
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
