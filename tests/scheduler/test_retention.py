from datetime import timedelta
from uuid import UUID

import pytest

from projections.calls.message_retention import MessageRetention
from projections.deliveries.queue import remove_old
from provider.vapi.messages.reading import read_message
from scheduler.maintenance.retention import Retention, RetentionWorker
from tests.application.contacts.erasing import called, problems, report
from tests.support import eventually
from tests.wiring import Clock, Services


@pytest.fixture
def call_id(services: Services) -> UUID:
    """A call that was reported at noon."""
    call_id = called(services, services.campaign(1))
    services.calls.record_message(read_message(report(call_id)))
    services.settle()
    return call_id


def retention(services: Services, clock: Clock) -> Retention:
    def remove(days: int) -> int:
        with services.writing.connection() as conn:
            return remove_old(conn, days)

    messages = MessageRetention(services.writing)
    return Retention(messages, services.settings.values, clock, remove)


def test_messages_are_kept_for_the_configured_days(
    services: Services, call_id: UUID
) -> None:
    clock = Clock()
    clock.pass_(days=31)
    assert retention(services, clock).run_once() == 0
    services.set(retention_days=31)
    assert retention(services, clock).run_once() == 0
    clock.pass_(seconds=1)
    assert retention(services, clock).run_once() == 1
    assert services.vault.messages_of(call_id) == []
    assert retention(services, clock).run_once() == 0
    assert problems(services) == [], "what was removed is accounted for"


def test_the_worker_empties_messages_periodically(
    services: Services, call_id: UUID
) -> None:
    services.set(retention_days=1)
    clock = Clock()
    clock.time += timedelta(days=2)
    worker = RetentionWorker(retention(services, clock))
    worker.start()
    try:
        eventually(lambda: services.vault.messages_of(call_id) == [])
    finally:
        worker.stop()


def test_deliveries_of_webhooks_are_kept_no_longer_than_other_messages(
    services: Services,
) -> None:
    removed: list[int] = []
    messages = MessageRetention(services.writing)

    def remove(days: int) -> int:
        removed.append(days)
        return 0

    def run() -> None:
        Retention(messages, services.settings.values, services.now, remove).run_once()

    for retention_days in (None, 365, 7):
        services.set(retention_days=retention_days)
        run()
    assert removed == [30, 30, 7]
