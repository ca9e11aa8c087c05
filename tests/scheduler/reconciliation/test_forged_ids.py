"""A webhook names a foreign provider id before the id of our call is stored."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from application.ports import CallOrder
from domain.calls.call import Call
from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy, RetryRule
from domain.dial_view import Phase
from domain.outcomes import CallOutcome
from domain.values import CallStatus, CampaignState
from tests.application.calls.messages import record_message, report
from tests.scheduler.reconciliation.test_reconcile_duplicates import named_by_webhook
from tests.scheduler.watch import Watch
from tests.scheduler.watch import report as shown_report
from tests.wiring import Services

RETRIED = RetryPolicy(
    attempts=3,
    per_day=5,
    min_gap_minutes=1,
    expires_after_days=7,
    rules=(RetryRule((CallOutcome.BUSY,), 2, (1,)),),
)


@pytest.fixture
def watch(services: Services) -> Watch:
    return Watch(services)


def bound_to(services: Services, call_id: UUID) -> str | None:
    return services.load_call(call_id).provider_call_id


def suspected(services: Services) -> list[str]:
    return [one.other_provider_call_id for one in services.snapshot().suspected]


def test_the_id_of_the_providers_answer_replaces_the_forged_one(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    named_by_webhook(services, order, "forged")
    call_id = watch.placed(order)
    [rebound] = [
        event
        for event in services.app.events.get(call_id)
        if isinstance(event, Call.Rebound)
    ]
    assert (rebound.provider_call_id, rebound.provider_call_id_was) == ("p1", "forged")
    assert not rebound.ghost
    assert bound_to(services, call_id) == "p1"
    services.settle()
    assert services.lookups.by_provider_call_id("p1") == call_id
    assert services.lookups.by_provider_call_id("forged") is None


def test_the_campaign_is_paused_until_the_provider_denies_the_forged_id(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    named_by_webhook(services, order, "forged")
    watch.placed(order)
    watch.look(2)
    assert services.load_campaign(order.campaign_id).state is CampaignState.PAUSED
    assert suspected(services) == ["forged"]
    watch.clock.pass_(seconds=watch.reconcile.quarantine().total_seconds())
    watch.look(2)
    assert suspected(services) == []
    assert not services.snapshot().duplicates_open
    assert services.provider.hang_ups == []


def test_the_list_of_the_provider_replaces_a_forged_id_whose_answer_was_lost(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    named_by_webhook(services, order, "forged")
    services.provider.show(order, "p1")
    watch.look()
    assert bound_to(services, order.call_id) == "p1"
    assert suspected(services) == ["forged"]


def test_a_webhook_of_the_true_call_is_suspected_until_the_provider_shows_it(
    watch: Watch, services: Services
) -> None:
    """The list hides the true call; asked for its id, the provider shows it."""
    order = watch.requested()
    services.provider.show(order, "p1")
    services.provider.unlisted.add("p1")
    named_by_webhook(services, order, "forged")
    named_by_webhook(services, order, "p1")
    assert suspected(services) == ["p1"]
    watch.look()
    assert bound_to(services, order.call_id) == "p1"
    assert suspected(services) == ["forged"]
    assert not services.snapshot().duplicates_open


def test_two_true_calls_stop_all_dialling_although_a_webhook_named_the_first(
    watch: Watch, services: Services
) -> None:
    """The provider acted on a request twice, and its webhook came before its answer."""
    order = watch.requested()
    services.provider.show(order, "first")
    named_by_webhook(services, order, "first")
    watch.clock.pass_(seconds=1)
    call_id = watch.placed(order, "second")
    watch.look(2)
    assert "duplicate_detected" in services.topics(call_id)
    assert services.provider.hang_ups[:1] == ["second"]
    assert services.snapshot().duplicates_open


def test_an_id_that_the_provider_gave_is_never_replaced(
    watch: Watch, services: Services
) -> None:
    order = watch.requested()
    call_id = watch.placed(order)
    services.provider.show(order, "p2", services.now() + timedelta(seconds=1))
    services.provider.unlisted.add("p2")
    named_by_webhook(services, order, "p2")
    services.provider.hidden.add("p1")
    watch.look(2)
    assert bound_to(services, call_id) == "p1"
    assert "rebound" not in services.topics(call_id)


def forged_report(services: Services, order: CallOrder) -> None:
    """End our call by a complete report under a foreign id."""
    body = report(order.call_id, endedReason="customer-busy", startedAt=None, cost=0.0)
    body["message"]["call"]["id"] = "forged"
    record_message(services, body)
    services.settle()


def test_a_call_that_a_forged_report_ended_keeps_its_slot_until_it_is_over(
    watch: Watch, services: Services
) -> None:
    """The contact is not called again while the true call may be live."""
    campaign_id = services.campaign(1, terms=CallingTerms(RETRIED))
    [call_id] = services.claim(campaign_id)
    order = watch.request(call_id)
    forged_report(services, order)
    assert services.board(campaign_id).pending == 1
    watch.placed(order)
    services.settle()
    assert watch.phase(call_id) is Phase.GHOST
    services.campaigns.resume(campaign_id, by="ann")
    watch.clock.pass_(minutes=5)
    assert services.candidates(campaign_id) == ()
    services.provider.end("p1", shown_report(cost=Decimal(1), has_artifact=True))
    watch.look(2)
    assert watch.phase(call_id) is None
    assert watch.status(call_id) is CallStatus.ENDED
    assert len(services.candidates(campaign_id)) <= 1
