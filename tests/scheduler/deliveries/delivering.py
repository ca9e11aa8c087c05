"""A delivery worker, endpoints at receivers of a test, and waiting for deliveries."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from scheduler.deliveries.sending import Sender
from scheduler.deliveries.worker import Deliveries, DeliveryWorker, Send
from storage.database import Pool
from tests.scheduler.deliveries.receiver import Received
from tests.support import eventually
from tests.webhooks import OWN_URL, add_endpoint, rows
from tests.wiring import Services, real_time

NOW = (0.0,)
"""Repetitions without a pause."""

LATER = (3_600.0,)


@contextmanager
def delivering(
    services: Services, pool: Pool, gaps: tuple[float, ...] = NOW, **fields: Any
) -> Iterator[DeliveryWorker]:
    """Run a worker; `fields` replace those of Deliveries."""
    give_up = services.webhook_endpoints.give_up
    deliveries = Deliveries(pool, give_up, OWN_URL, gaps, **fields)

    def sender() -> tuple[Send, Callable[[], Awaitable[None]]]:
        made = Sender(now=real_time, timeout=2.0)
        return made.send, made.close

    worker = DeliveryWorker(deliveries, sender)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def waiting(services: Services) -> int:
    query = "select count(*) from webhook_delivery where state = 'waiting'"
    return int(rows(services, query)[0][0])


def all_delivered(services: Services, worker: DeliveryWorker) -> None:
    """Wait until nothing waits any more."""
    services.settle()

    def nothing_waits() -> bool:
        worker.wake()
        return waiting(services) == 0

    eventually(nothing_waits, within=30, what="the end of all deliveries")


def endpoint_at(services: Services, received: Received, *types: str) -> UUID:
    endpoint_id, secret = add_endpoint(services, *types, url=received.url)
    received.secrets.append(secret)
    return endpoint_id
