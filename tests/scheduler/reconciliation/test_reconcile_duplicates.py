"""Reconciliation finds and hangs up second calls for one of ours."""

from datetime import timedelta

import pytest

from application.ports import (
    CallOrder,
)
from domain.values import CampaignState
from provider.vapi.reading import read_message
from tests.scheduler.watch import Watch
from tests.wiring import House


@pytest.fixture
def watch(house: House) -> Watch:
    return Watch(house)


# --- Two at the provider ------------------------------------------------------------


def test_a_second_provider_call_is_hung_up_and_stops_all_dialling(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    watch.clock.pass_(seconds=1)
    house.provider.show(order, "p2")
    watch.look(2)
    assert house.topics(call_id)[-1] == "duplicate_detected"
    assert house.provider.hang_ups == ["p2"]
    assert house.load_call(call_id).provider_call_id == "p1"
    assert house.load_campaign(order.campaign_id).state is CampaignState.PAUSED
    assert house.snapshot().duplicates_open


def test_of_two_calls_found_for_one_of_ours_the_older_is_bound(
    watch: Watch, house: House
) -> None:
    order = watch.unknown()
    house.provider.show(order, "newer", house.now() + timedelta(seconds=2))
    house.provider.show(order, "older", house.now() + timedelta(seconds=1))
    watch.look()
    assert house.load_call(order.call_id).provider_call_id == "older"
    assert house.provider.hang_ups == ["newer"]


def test_a_resumed_campaign_is_not_paused_again_for_the_same_second_call(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    watch.placed(order)
    house.provider.show(order, "p2", house.now() + timedelta(seconds=1))
    watch.look()
    house.settings.allow_requests_again(by="ann")
    house.campaigns.resume(order.campaign_id, by="ann")
    watch.look(2)
    assert house.load_campaign(order.campaign_id).may_dial


def named_by_webhook(house: House, order: CallOrder, provider_call_id: str) -> None:
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
    house.calls.record_message(read_message({"message": message}))
    house.settle()


def test_one_webhook_with_another_id_stops_only_its_own_campaign(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    named_by_webhook(house, order, "forged")
    watch.look()
    assert house.topics(call_id)[-2] == "duplicate_suspected"
    assert house.load_campaign(order.campaign_id).state is CampaignState.PAUSED
    seen = house.snapshot()
    assert not seen.duplicates_open
    [suspicion] = seen.suspected
    assert suspicion.campaign_id == order.campaign_id
    assert house.provider.hang_ups == []


def test_a_suspicion_that_the_provider_confirms_stops_all_dialling(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    house.provider.show(order, "p2", house.now() + timedelta(seconds=1))
    house.provider.unlisted.add("p2")
    named_by_webhook(house, order, "p2")
    watch.look()
    assert "duplicate_detected" in house.topics(call_id)
    assert house.provider.hang_ups == ["p2"]
    seen = house.snapshot()
    assert (seen.duplicates_open, seen.suspected) == (True, ())


def test_a_suspicion_that_the_provider_denies_is_dismissed_after_the_quarantine(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    named_by_webhook(house, order, "forged")
    watch.look(2)
    assert house.snapshot().suspected
    watch.clock.pass_(seconds=watch.reconcile.quarantine().total_seconds())
    watch.look(2)
    assert "duplicate_dismissed" in house.topics(call_id)
    seen = house.snapshot()
    assert (seen.duplicates_open, seen.suspected) == (False, ())


def test_a_suspicion_stays_while_the_provider_does_not_answer(
    watch: Watch, house: House
) -> None:
    order = watch.requested()
    watch.placed(order)
    named_by_webhook(house, order, "forged")
    house.provider.down = True
    watch.clock.pass_(seconds=watch.reconcile.quarantine().total_seconds())
    watch.look(3)
    assert house.snapshot().suspected
