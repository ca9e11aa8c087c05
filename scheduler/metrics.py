"""Prometheus metrics of the leader: turns, requests by outcome, deliveries."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    start_http_server,
)

from application.ports import (
    Accepted,
    AccountRefused,
    ContactRefused,
    NeverLeft,
    NotNow,
    Outcome,
    RequestRefused,
    Unknown,
)

OUTCOMES = (
    Accepted,
    NeverLeft,
    NotNow,
    ContactRefused,
    AccountRefused,
    RequestRefused,
    Unknown,
)
BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class SchedulerMetrics:
    """The metrics of one process; the composition root creates them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._outcomes = Counter(
            "autolynx_dial_outcomes",
            "Requests to the provider to place a call, by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        for outcome in OUTCOMES:
            self._outcomes.labels(_name(outcome))
        self._turns = Histogram(
            "autolynx_scheduler_turn_duration_seconds",
            "Duration of one turn: provider check if due, hang-ups, filling slots.",
            buckets=BUCKETS,
            registry=self.registry,
        )

        self._deliveries = Counter(
            "autolynx_delivery_attempts",
            "Attempts to deliver a webhook, by endpoint and result.",
            ["endpoint", "result"],
            registry=self.registry,
        )

    def delivered(self, endpoint_id: UUID, *, is_delivered: bool) -> None:
        """Count one attempt to deliver a webhook."""
        result = "delivered" if is_delivered else "failed"
        self._deliveries.labels(str(endpoint_id), result).inc()

    def dialled(self, outcome: Outcome) -> None:
        """Count one request to the provider."""
        self._outcomes.labels(_name(type(outcome))).inc()

    def observe_turn(self, seconds: float) -> None:
        """Record the duration of one turn of the loop."""
        self._turns.observe(seconds)


def _name(outcome: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", outcome.__name__).lower()


@contextmanager
def served(metrics: SchedulerMetrics, host: str, port: int | None) -> Iterator[None]:
    """Serve the metrics on that port during the context; None serves nothing."""
    if port is None:
        yield
        return
    server, thread = start_http_server(port, host, metrics.registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
