"""Planned retries under schedulers that take over from one another."""

from datetime import timedelta

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy, RetryRule
from domain.outcomes import CallOutcome
from provider.vapi.messages.reading import read_message
from tests.application.calls.messages import report
from tests.scheduler.leading import Passes
from tests.wiring import NOON, Clock, Services

POLICY = RetryPolicy(3, 5, 1, 7, (RetryRule((CallOutcome.BUSY,), 2, (30,)),))


def be_busy(services: Services, number: int) -> None:
    """Report the call of an order as busy."""
    order = services.provider.orders[number]
    provider_call_id = services.load_call(order.call_id).provider_call_id
    body = report(order.call_id, endedReason="customer-busy", startedAt=None, cost=0)
    body["message"]["call"]["id"] = provider_call_id
    services.calls.record_message(read_message(body))


def wait(services: Services, minutes: float) -> None:
    assert isinstance(services.now, Clock)
    services.now.pass_(minutes=minutes)


def test_a_scheduler_that_takes_over_before_the_retry_is_due_makes_one_call(
    services: Services,
) -> None:
    campaign_id = services.campaign(1, terms=CallingTerms(POLICY))
    Passes(services).run()
    be_busy(services, 0)
    Passes(services).run()  # The first one died after the plan was stored.
    assert len(services.provider.orders) == 1
    wait(services, 30)
    Passes(services).run()
    Passes(services).run()
    assert [order.attempt for order in services.provider.orders] == [1, 2]
    assert services.board(campaign_id).queued == 1


def test_a_campaign_is_completed_after_its_last_retry_only(services: Services) -> None:
    campaign_id = services.campaign(1, terms=CallingTerms(POLICY))
    for number in range(3):
        Passes(services).run()
        be_busy(services, number)
        Passes(services).run()
        state = services.load_campaign(campaign_id).state
        assert (state == "COMPLETED") == (number == 2)
        wait(services, 30)
    row = services.board(campaign_id)
    assert (row.ended, row.pending, row.contacts) == (1, 0, 1)


def test_a_campaign_whose_end_has_come_withholds_its_retries_and_completes(
    services: Services,
) -> None:
    terms = CallingTerms(POLICY, ends_at=NOON + timedelta(minutes=40))
    campaign_id = services.campaign(1, terms=terms)
    Passes(services).run()
    be_busy(services, 0)
    wait(services, 45)
    Passes(services).run()
    Passes(services).run()
    row = services.board(campaign_id)
    assert (row.state, row.canceled, row.pending) == ("COMPLETED", 1, 0)
    assert len(services.provider.orders) == 1
