"""Reconciliation finds and hangs up second calls for one of ours."""

from datetime import timedelta

import pytest

from application.ports import (
    CallOrder,
)
from domain.values import CampaignState
from provider.vapi.messages.reading import read_message
from tests.scheduler.watch import Watch
from tests.wiring import Services


@pytest.fixture
def watch(services: Services) -> Watch:
    return Watch(services)


# --- Two at the provider ------------------------------------------------------------


def test_a_second_provider_call_is_hung_up_and_stops_all_dialling(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    watch.clock.pass_(seconds=1)
    services.provider.show(order, "p2")
    watch.look(2)
    assert services.topics(call_id)[-1] == "duplicate_detected"
    assert services.provider.hang_ups == ["p2"]
    assert services.load_call(call_id).provider_call_id == "p1"
    assert services.load_campaign(order.campaign_id).state is CampaignState.PAUSED
    assert services.snapshot().duplicates_open


def test_of_two_calls_found_for_one_of_ours_the_older_is_bound(
    watch: Watch, services: Services
) -> None:
    order = watch.unknown()
    services.provider.show(order, "newer", services.now() + timedelta(seconds=2))
    services.provider.show(order, "older", services.now() + timedelta(seconds=1))
    watch.look()
    assert services.load_call(order.call_id).provider_call_id == "older"
    assert services.provider.hang_ups == ["newer"]


def test_a_resumed_campaign_is_not_paused_again_for_the_same_second_call(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    watch.placed(order)
    services.provider.show(order, "p2", services.now() + timedelta(seconds=1))
    watch.look()
    services.settings.allow_requests_again(by="ann")
    services.campaigns.resume(order.campaign_id, by="ann")
    watch.look(2)
    assert services.load_campaign(order.campaign_id).may_dial


def named_by_webhook(
    services: Services, order: CallOrder, provider_call_id: str
) -> None:
    """Store a webhook about our call under another provider call id."""
    message = {
        "type": "status-update",
        "status": "ringing",
        "timestamp": 1,
        "call": {
            "id": provider_call_id,
            "assistantOverrides": {
                "metadata": {"autolynx_call_id": str(order.call_id)}
            },
        },
    }
    services.calls.record_message(read_message({"message": message}))
    services.settle()


def test_one_webhook_with_another_id_stops_only_its_own_campaign(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    named_by_webhook(services, order, "forged")
    watch.look()
    assert services.topics(call_id)[-2] == "duplicate_suspected"
    assert services.load_campaign(order.campaign_id).state is CampaignState.PAUSED
    seen = services.snapshot()
    assert not seen.duplicates_open
    [suspicion] = seen.suspected
    assert suspicion.campaign_id == order.campaign_id
    assert services.provider.hang_ups == []


def test_a_suspicion_that_the_provider_confirms_stops_all_dialling(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    services.provider.show(order, "p2", services.now() + timedelta(seconds=1))
    services.provider.unlisted.add("p2")
    named_by_webhook(services, order, "p2")
    watch.look()
    assert "duplicate_detected" in services.topics(call_id)
    assert services.provider.hang_ups == ["p2"]
    seen = services.snapshot()
    assert (seen.duplicates_open, seen.suspected) == (True, ())


def test_a_suspicion_that_the_provider_denies_is_dismissed_after_the_quarantine(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    named_by_webhook(services, order, "forged")
    watch.look(2)
    assert services.snapshot().suspected
    watch.clock.pass_(seconds=watch.reconcile.quarantine().total_seconds())
    watch.look(2)
    assert "duplicate_dismissed" in services.topics(call_id)
    seen = services.snapshot()
    assert (seen.duplicates_open, seen.suspected) == (False, ())


def test_a_suspicion_stays_while_the_provider_does_not_answer(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    watch.placed(order)
    named_by_webhook(services, order, "forged")
    services.provider.down = True
    watch.clock.pass_(seconds=watch.reconcile.quarantine().total_seconds())
    watch.look(3)
    assert services.snapshot().suspected
