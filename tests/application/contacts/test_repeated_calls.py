"""Planned calls that are made again: they were deferred, or nothing rang in them."""

from collections.abc import Callable
from uuid import UUID

import pytest

from application.campaigns.campaigns import CampaignChange
from application.contacts.contact_calls import history_with
from application.ports import Origin
from domain.calls.deferrals import DeferralReason
from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy
from domain.contacts.contact_events import FinishReason
from domain.contacts.contact_history import PlanKind
from domain.values import call_id_of
from tests.application.contacts.campaign_line import BUSY, HUMAN, POLICY, Line
from tests.application.contacts.test_faults_that_rang import fail_before_ringing
from tests.application.contacts.test_planned_callbacks import (
    TOMORROW,
    ask_for_callback,
)
from tests.scheduler.leading import Passes
from tests.wiring import BY, Services


@pytest.fixture
def line(services: Services) -> Line:
    return Line(services)


# --- What a repetition counts as ------------------------------------------------------


def test_a_callback_that_is_repeated_after_a_fault_uses_no_attempt(
    services: Services,
) -> None:
    line = Line(services, CallingTerms(retry_policy=POLICY))
    ask_for_callback(line, first := line.place(), TOMORROW)
    line.end(first, **HUMAN)
    line.later(days=1)
    fail_before_ringing(line)
    line.later(hours=1)
    repeated = services.load_call(line.call(**BUSY))
    history = history_with(services.app, repeated)
    assert (repeated.attempt, repeated.plan) == (3, PlanKind.CALLBACK)
    assert (history.attempts, history.callbacks, history.faults) == (1, 1, 1)


def test_a_retry_that_is_repeated_after_a_fault_counts_once(line: Line) -> None:
    line.call(**BUSY)
    line.later(minutes=30)
    fail_before_ringing(line)
    line.later(hours=1)
    repeated = line.services.load_call(line.call(**BUSY))
    history = history_with(line.services.app, repeated)
    assert repeated.plan is PlanKind.RETRY
    assert (history.attempts, history.retried) == (2, ("BUSY",))


def test_a_call_that_a_member_wants_remains_one_after_a_fault(
    line: Line,
) -> None:
    line.call(**HUMAN)
    line.services.planned_calls.call_again(
        line.contact_id, line.campaign_id, not_before=None, by=BY
    )
    fail_before_ringing(line)
    line.later(hours=1)
    assert line.services.load_call(line.place()).plan is PlanKind.RETURNED


# --- A policy that changes meanwhile --------------------------------------------------


def defer(line: Line) -> UUID:
    """Claim the contact, and defer its call."""
    [call_id] = line.services.claim(line.campaign_id)
    line.services.calls.defer(
        call_id, reason=DeferralReason.NOT_NOW, until=line.services.now()
    )
    return call_id


SETBACKS = pytest.mark.parametrize("setback", [defer, fail_before_ringing])


def change_policy(line: Line, policy: RetryPolicy | None) -> None:
    change = CampaignChange(terms={"retry_policy": policy})
    line.services.campaigns.change(line.campaign_id, change, by=BY)


def retry_with_a_setback(line: Line, setback: Callable[[Line], UUID]) -> UUID:
    """Plan a retry whose call is not made at first."""
    line.call(**BUSY)
    line.later(minutes=30)
    call_id = setback(line)
    line.later(hours=1)
    return call_id


@SETBACKS
def test_a_retry_that_was_not_made_yet_is_not_made_beyond_the_new_policy(
    line: Line, setback: Callable[[Line], UUID]
) -> None:
    retry_with_a_setback(line, setback)
    change_policy(line, None)
    Passes(line.services).run()
    Passes(line.services).run()
    assert line.services.provider.orders == []
    assert line.contact.finished is FinishReason.NO_RULE
    row = line.services.board(line.campaign_id)
    assert (row.pending, row.queued, row.ended + row.canceled) == (0, 0, 1)


@SETBACKS
def test_a_retry_that_was_not_made_yet_is_made_if_the_new_policy_allows_it(
    line: Line, setback: Callable[[Line], UUID]
) -> None:
    retry_with_a_setback(line, setback)
    change_policy(line, RetryPolicy(2, 5, 60, 7, POLICY.rules))
    Passes(line.services).run()
    [order] = line.services.provider.orders
    assert line.services.load_call(order.call_id).plan is PlanKind.RETRY


def test_a_call_at_the_provider_is_adopted_whatever_the_new_policy_allows(
    line: Line,
) -> None:
    retry_with_a_setback(line, fail_before_ringing)
    change_policy(line, None)
    adopted = call_id_of(line.contact_id, 3)
    origin = Origin(line.campaign_id, line.contact_id, 3)
    assert line.services.claims.adopt(adopted, origin)
