"""Calls that ended by a fault, of which a later report proves that they rang."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from application.contacts.contact_calls import callback_limits
from domain.calls.reports import OutcomeBasis, OutcomeFinding, Report, ReportGrade
from domain.campaigns.campaign_terms import CallingTerms
from domain.contacts.contact_events import FinishReason
from domain.outcomes import (
    CallOutcome,
    ReportedOutcome,
)
from domain.values import Refusal, RefusalKind
from tests.application.contacts.campaign_line import BUSY, HUMAN, POLICY, Line
from tests.application.contacts.test_planned_callbacks import ask_for_callback
from tests.wiring import BY, NOON, Services


@pytest.fixture
def line(services: Services) -> Line:
    return Line(services)


REFUSED = Refusal(RefusalKind.PLATFORM, None, "rule")


def found(outcome: CallOutcome) -> OutcomeFinding:
    return OutcomeFinding(ReportedOutcome(outcome, "rule"), OutcomeBasis.DECISIVE)


def fail_before_ringing(line: Line) -> UUID:
    """End a call by a fault of the platform, so that the contact is called again."""
    call_id = line.place()

    def command(call: Any, at: datetime) -> None:
        outcome = found(CallOutcome.NOT_STARTED)
        call.end(
            reason="fault",
            ended_at=at,
            at=at,
            by=BY,
            evidence=None,
            refusal=REFUSED,
            outcome=outcome,
        )

    line.services.calls._unit.run(call_id, command)
    assert line.progress() == {"pending": 1}
    return call_id


def prove_ringing(line: Line, call_id: UUID) -> None:
    full_report = Report(
        grade=ReportGrade.DELIVERED,
        reason="voicemail",
        cost=Decimal(1),
        outcome=found(CallOutcome.VOICEMAIL),
    )

    def command(call: Any, at: datetime) -> None:
        call.report(full_report, at=at, by=BY, evidence=None)

    line.services.calls._unit.run(call_id, command)


def policy_of(attempts: int) -> CallingTerms:
    return CallingTerms(retry_policy=replace(POLICY, attempts=attempts))


def test_a_call_that_rang_after_all_is_not_repeated_beyond_the_budget(
    services: Services,
) -> None:
    line = Line(services, policy_of(1))
    prove_ringing(line, fail_before_ringing(line))
    line.later(hours=1)
    assert (line.progress(), line.due()) == ({"ended": 1}, 0)
    assert line.contact.finished is FinishReason.ATTEMPTS_USED


def test_a_call_that_rang_after_all_is_repeated_within_the_budget(line: Line) -> None:
    prove_ringing(line, fail_before_ringing(line))
    line.later(hours=1)
    assert (line.progress(), line.due()) == ({"pending": 1}, 1)


def test_a_retry_beyond_the_budget_is_withdrawn_once_a_fault_proves_to_have_rung(
    services: Services,
) -> None:
    line = Line(services, policy_of(2))
    first = fail_before_ringing(line)
    line.later(hours=1)
    line.call(**BUSY)
    assert line.contact.planned is not None
    prove_ringing(line, first)
    line.later(hours=1)
    assert (line.progress(), line.due()) == ({"ended": 1}, 0)
    assert line.contact.finished is FinishReason.ATTEMPTS_USED


def test_the_next_plan_counts_a_fault_that_has_proved_to_have_rung(
    services: Services,
) -> None:
    line = Line(services, policy_of(2))
    first = fail_before_ringing(line)
    line.later(hours=1)
    second = line.place()
    prove_ringing(line, first)
    assert line.progress() == {"queued": 1}
    line.end(second, **BUSY)
    assert line.progress() == {"ended": 1}
    assert line.services.topics(line.contact_id) == []


def test_a_claim_counts_a_fault_that_has_proved_to_have_rung(
    services: Services,
) -> None:
    """The second call is a fault as well, so no plan precedes the third claim."""
    line = Line(services, policy_of(3))
    first = fail_before_ringing(line)
    line.later(hours=1)
    fail_before_ringing(line)
    prove_ringing(line, first)
    line.later(hours=1)
    history = services.load_call(line.place()).history
    assert history is not None
    assert (history.attempts, history.faults) == (1, 1)


def test_a_returned_contact_counts_a_fault_that_has_proved_to_have_rung(
    services: Services,
) -> None:
    line = Line(services, policy_of(2))
    first = fail_before_ringing(line)
    line.later(hours=1)
    line.call(**HUMAN)
    prove_ringing(line, first)
    services.planned_calls.call_again(
        line.contact_id, line.campaign_id, not_before=None, by=BY
    )
    plan = line.contact.planned
    assert plan is not None
    assert (plan.history.attempts, plan.history.faults) == (2, 0)


def test_a_returned_contact_counts_calls_that_carry_no_history(
    services: Services,
) -> None:
    """Without retries a claim carries no history, since no report decides anything."""
    line = Line(services, CallingTerms())
    line.call(**BUSY)
    for _ in range(2):
        services.planned_calls.call_again(
            line.contact_id, line.campaign_id, not_before=None, by=BY
        )
        line.call(**BUSY)
    services.planned_calls.call_again(
        line.contact_id, line.campaign_id, not_before=None, by=BY
    )
    plan = line.contact.planned
    assert plan is not None
    assert plan.history.attempts == 3


def test_no_third_callback_is_made_once_a_fault_proves_to_have_been_one(
    services: Services,
) -> None:
    """The first callback counted as a fault in which nothing rang, and was repeated."""
    line = Line(services, CallingTerms(callback_output="callback_at"))
    ask_for_callback(line, first := line.place(), NOON + timedelta(hours=1))
    line.end(first, **HUMAN)
    line.later(hours=1)
    callback = fail_before_ringing(line)
    line.later(hours=1)
    again = line.place()
    ask_for_callback(line, again, NOON + timedelta(hours=3))
    prove_ringing(line, callback)
    line.end(again, **HUMAN)
    line.later(hours=3)
    assert (line.due(), line.progress()) == (0, {"ended": 1})
    call = services.load_call(again)
    campaign = services.load_campaign(line.campaign_id)
    limits = callback_limits(services.app, call, campaign, (), services.now())
    assert limits.callbacks_left == 0
