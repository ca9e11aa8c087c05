"""Prometheus metrics of this process and of the whole system."""

from collections import Counter as Counts
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from time import perf_counter

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from psycopg import Error
from psycopg_pool import PoolTimeout
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from application.errors import StoreUnavailable
from domain.dial_view import Phase
from domain.settings import SettingsValues
from domain.values import CampaignState
from projections.deliveries.delivery_gauges import STATES
from projections.monitoring.gauges import Gauges, gauges
from storage.database import Pool

SCRAPE_SECONDS = 3.0
UNAVAILABLE = (Error, PoolTimeout, StoreUnavailable)
KNOWN_MESSAGES = frozenset(
    {
        "status-update",
        "end-of-call-report",
        "hang",
        "speech-update",
        "transcript",
        "conversation-update",
        "tool-calls",
        "assistant-request",
        "user-interrupted",
        "model-output",
        "transfer-destination-request",
        "transfer-update",
        "phone-call-control",
    }
)
"""Other types are counted as `other`, so that senders cannot create labels."""

QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ACTIVE = ("queued", "ringing", "in_progress")


class ApiMetrics:
    """Metrics of this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._webhooks = Counter(
            "autolynx_webhooks",
            "Webhook messages of the provider, by type and result.",
            ["type", "result"],
            registry=self.registry,
        )
        self._webhook_seconds = Histogram(
            "autolynx_webhook_duration_seconds",
            "Seconds from a message's arrival to its response.",
            buckets=QUICK,
            registry=self.registry,
        )
        self._requests = Counter(
            "autolynx_http_requests",
            "Requests by method, route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "autolynx_http_request_duration_seconds",
            "Seconds from a request's arrival to the end of its response.",
            ["route"],
            buckets=QUICK,
            registry=self.registry,
        )
        self.sockets = Gauge(
            "autolynx_websocket_connections", "Open WebSockets.", registry=self.registry
        )
        self.subscriptions = Gauge(
            "autolynx_subscriptions",
            "Open subscriptions to changes of campaigns.",
            registry=self.registry,
        )
        # The library checks the labels at each look-up, so a series is looked up once.
        self._messages_of = cache(self._webhooks.labels)
        self._requests_of = cache(self._requests.labels)
        self._seconds_of = cache(self._request_seconds.labels)

    def webhook(self, type_: str | None, result: str, seconds: float) -> None:
        """Count a message; `type_` is None if it was not parsed."""
        known = type_ if type_ in KNOWN_MESSAGES else "other"
        self._messages_of("unread" if type_ is None else known, result).inc()
        self._webhook_seconds.observe(seconds)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an HTTP request of this process."""
        self._requests_of(method, route, str(status)).inc()
        self._seconds_of(route).observe(seconds)


class SystemCollector(Collector):
    """Metrics of the system, read from the database; the same in every process."""

    def __init__(
        self, pool: Pool, now: Callable[[], datetime], first: SettingsValues
    ) -> None:
        self._pool, self._now, self._first = pool, now, first

    def collect(self) -> Iterator[Metric]:
        """Query the database; yield only its state if it does not answer."""
        try:
            with self._pool.connection(timeout=SCRAPE_SECONDS) as conn:
                found = gauges(conn, self._now(), self._first)
        except UNAVAILABLE:
            yield _gauge("autolynx_database_up", "Whether the database answers.", 0)
            return
        yield _gauge("autolynx_database_up", "Whether the database answers.", 1)
        yield from _of_work(found)
        yield from _of_health(found)
        yield from _of_deliveries(found)

    def describe(self) -> Iterator[Metric]:
        """Describe nothing, so that registering does not query the database."""
        return iter(())


def _of_work(found: Gauges) -> Iterator[Metric]:
    states = {state.value.lower(): 0 for state in CampaignState} | found.campaigns
    yield _by("autolynx_campaigns", "Campaigns by state.", "state", states)
    yield _by("autolynx_contacts", "Contacts by status.", "status", found.contacts)
    phases = {phase.value: 0 for phase in Phase} | found.open_calls
    yield _by("autolynx_open_calls", "Open calls by phase.", "phase", phases)
    active = sum(found.contacts[name] for name in ACTIVE)
    yield _gauge("autolynx_active_calls", "Calls that use a slot.", active)
    yield _gauge("autolynx_call_slots", "The global cap.", found.global_cap)
    share = active / found.global_cap
    yield _gauge("autolynx_slot_utilisation_ratio", "Slots in use, 0 to 1.", share)
    yield _by(
        "autolynx_waiting_contacts",
        "Contacts that wait, by the scheduler's reason.",
        "reason",
        found.waiting,
    )


def _of_health(found: Gauges) -> Iterator[Metric]:
    spent = float(found.spent_today)
    yield _gauge(
        "autolynx_spend_today_dollars", "Cost of the calls of this UTC day.", spent
    )
    if found.daily_budget is not None:
        budget = float(found.daily_budget)
        yield _gauge("autolynx_daily_budget_dollars", "Limit per UTC day.", budget)
    yield _gauge(
        "autolynx_projection_lag_seconds",
        "Age of the oldest event that the read model lacks.",
        found.lag,
    )
    yield _gauge(
        "autolynx_log_position",
        "Position of the last event in the read model.",
        found.position,
    )
    if found.tick_age is not None:
        text = "Seconds since the scheduler's last heartbeat."
        yield _gauge("autolynx_scheduler_tick_age_seconds", text, found.tick_age)
    yield _gauge(
        "autolynx_alerts_waiting", "Alerts to be posted.", found.alerts_waiting
    )


def _of_deliveries(found: Gauges) -> Iterator[Metric]:
    """Yield the gauges of outgoing webhooks; at most 100 endpoints exist."""
    states = dict.fromkeys(STATES, 0) | Counts(one.state for one in found.endpoints)
    yield _by("autolynx_endpoints", "Webhook endpoints by state.", "state", states)
    yield _by(
        "autolynx_deliveries_waiting",
        "Deliveries to be sent, also to a disabled endpoint.",
        "endpoint",
        {one.endpoint: one.waiting for one in found.endpoints},
    )
    yield _by(
        "autolynx_oldest_delivery_seconds",
        "Age of the oldest delivery that waits for an enabled endpoint.",
        "endpoint",
        {one.endpoint: one.oldest or 0 for one in found.endpoints if one.enabled},
    )
    yield _by(
        "autolynx_endpoint_failing_seconds",
        "Seconds since an enabled endpoint's first failure after its last success.",
        "endpoint",
        {one.endpoint: one.failing or 0 for one in found.endpoints if one.enabled},
    )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def metrics_routes(metrics: ApiMetrics, system: Collector) -> APIRouter:
    """Build the route that returns the metrics of process and system."""
    router = APIRouter()
    shared = CollectorRegistry()
    shared.register(system)

    @router.get("/metrics")
    def scrape() -> Response:
        text = generate_latest(metrics.registry) + generate_latest(shared)
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return router


class Measured:
    """Middleware that measures requests by route, not by path."""

    def __init__(self, app: ASGIApp, metrics: ApiMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request and measure its duration."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            with self._metrics.sockets.track_inprogress():
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, began = 500, perf_counter()

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            seconds = perf_counter() - began
            self._metrics.request(_method(scope), route, status, seconds)


def _method(scope: Scope) -> str:
    known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    return scope["method"] if scope["method"] in known else "other"
