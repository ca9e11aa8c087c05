"""Planned retries under schedulers that take over from one another."""

from datetime import timedelta

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy, RetryRule
from domain.outcomes import CallOutcome
from provider.vapi.reading import read_message
from tests.application.calls.messages import report
from tests.scheduler.leading import Passes
from tests.wiring import NOON, Clock, House

POLICY = RetryPolicy(3, 5, 1, 7, (RetryRule((CallOutcome.BUSY,), 2, (30,)),))


def be_busy(house: House, number: int) -> None:
    """Report the call of an order as busy."""
    order = house.provider.orders[number]
    provider_call_id = house.load_call(order.call_id).provider_call_id
    body = report(order.call_id, endedReason="customer-busy", startedAt=None, cost=0)
    body["message"]["call"]["id"] = provider_call_id
    house.calls.record_message(read_message(body))


def wait(house: House, minutes: float) -> None:
    assert isinstance(house.now, Clock)
    house.now.pass_(minutes=minutes)


def test_a_scheduler_that_takes_over_before_the_retry_is_due_makes_one_call(
    house: House,
) -> None:
    campaign_id = house.campaign(1, terms=CallingTerms(POLICY))
    Passes(house).run()
    be_busy(house, 0)
    Passes(house).run()  # The first one died after the plan was stored.
    assert len(house.provider.orders) == 1
    wait(house, 30)
    Passes(house).run()
    Passes(house).run()
    assert [order.attempt for order in house.provider.orders] == [1, 2]
    assert house.board(campaign_id).queued == 1


def test_a_campaign_is_completed_after_its_last_retry_only(house: House) -> None:
    campaign_id = house.campaign(1, terms=CallingTerms(POLICY))
    for number in range(3):
        Passes(house).run()
        be_busy(house, number)
        Passes(house).run()
        state = house.load_campaign(campaign_id).state
        assert (state == "COMPLETED") == (number == 2)
        wait(house, 30)
    row = house.board(campaign_id)
    assert (row.ended, row.pending, row.contacts) == (1, 0, 1)


def test_a_campaign_whose_end_has_come_withholds_its_retries_and_completes(
    house: House,
) -> None:
    terms = CallingTerms(POLICY, ends_at=NOON + timedelta(minutes=40))
    campaign_id = house.campaign(1, terms=terms)
    Passes(house).run()
    be_busy(house, 0)
    wait(house, 45)
    Passes(house).run()
    Passes(house).run()
    row = house.board(campaign_id)
    assert (row.state, row.canceled, row.pending) == ("COMPLETED", 1, 0)
    assert len(house.provider.orders) == 1
