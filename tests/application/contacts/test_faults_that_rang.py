"""Calls that ended by a fault, of which a later report proves that they rang."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.calls.reports import OutcomeBasis, OutcomeFinding, Report, ReportGrade
from domain.campaigns.campaign_terms import CallingTerms
from domain.contacts.contact_events import FinishReason
from domain.outcomes import (
    CallOutcome,
    ReportedOutcome,
)
from domain.values import Refusal, RefusalKind
from tests.application.contacts.campaign_line import BUSY, POLICY, Line
from tests.wiring import BY, House


@pytest.fixture
def line(house: House) -> Line:
    return Line(house)


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

    line.house.calls._unit.run(call_id, command)
    assert line.progress() == {"pending": 1}
    return call_id


def prove_ringing(line: Line, call_id: UUID) -> None:
    told = Report(
        grade=ReportGrade.DELIVERED,
        reason="voicemail",
        cost=Decimal(1),
        outcome=found(CallOutcome.VOICEMAIL),
    )

    def command(call: Any, at: datetime) -> None:
        call.report(told, at=at, by=BY, evidence=None)

    line.house.calls._unit.run(call_id, command)


def policy_of(attempts: int) -> CallingTerms:
    return CallingTerms(retry_policy=replace(POLICY, attempts=attempts))


def test_a_call_that_rang_after_all_is_not_repeated_beyond_the_budget(
    house: House,
) -> None:
    line = Line(house, policy_of(1))
    prove_ringing(line, fail_before_ringing(line))
    line.later(hours=1)
    assert (line.progress(), line.due()) == ({"ended": 1}, 0)
    assert line.contact.finished is FinishReason.ATTEMPTS_USED


def test_a_call_that_rang_after_all_is_repeated_within_the_budget(line: Line) -> None:
    prove_ringing(line, fail_before_ringing(line))
    line.later(hours=1)
    assert (line.progress(), line.due()) == ({"pending": 1}, 1)


def test_a_retry_beyond_the_budget_is_withdrawn_once_a_fault_proves_to_have_rung(
    house: House,
) -> None:
    line = Line(house, policy_of(2))
    first = fail_before_ringing(line)
    line.later(hours=1)
    line.call(**BUSY)
    assert line.contact.planned is not None
    prove_ringing(line, first)
    line.later(hours=1)
    assert (line.progress(), line.due()) == ({"ended": 1}, 0)
    assert line.contact.finished is FinishReason.ATTEMPTS_USED


def test_the_next_plan_counts_a_fault_that_has_proved_to_have_rung(
    house: House,
) -> None:
    line = Line(house, policy_of(2))
    first = fail_before_ringing(line)
    line.later(hours=1)
    second = line.place()
    prove_ringing(line, first)
    assert line.progress() == {"queued": 1}
    line.end(second, **BUSY)
    assert line.progress() == {"ended": 1}
    assert line.house.topics(line.contact_id) == []
