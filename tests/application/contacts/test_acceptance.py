"""The acceptance list of retries and callbacks, and the tests that prove each item.

| item | tests |
| --- | --- |
| each of the 604 reasons has an outcome | `provider/test_outcomes.py`: `test_the_table_has_every_reason_of_the_sdk`, `test_every_reason_gives_an_outcome_by_itself` |
| an unknown reason raises an alert | `domain/test_settings.py`: `test_an_unknown_ended_reason_is_reported_once` |
| three attempts are exactly three calls, in any order of outcomes | `test_three_attempts_are_three_calls_in_any_order_of_outcomes` here |
| two faults before ringing, then a person: one call counts | `test_faults_before_ringing_do_not_count_for_the_frequency_caps` here |
| a crash between plan and due time leads to one call | `faults/retries/test_retry_steps.py`: `test_a_fault_between_the_plan_and_the_retry_leads_to_one_more_call` |
| an opt-out in a late report withdraws a planned retry | `application/calls/test_output_rules.py`: `test_a_late_opt_out_withdraws_the_planned_retry_and_suppresses_once` |
| a retry that is due at the end of the calling hours waits for the next day | `test_a_retry_due_when_calling_hours_end_is_made_the_next_day` here |
| "tomorrow at three" from area code 928 asks for the time zone | `test_a_callback_to_area_code_928_asks_for_the_time_zone` here |
| a callback due in a pause is late, and not made outside the hours | `test_a_callback_due_in_a_pause_is_late_and_not_made_outside_the_hours` here |
| a changed policy applies to planned retries, within its total | `test_planned_calls.py`: `test_a_longer_gap_plans_the_retry_again`, `test_a_smaller_budget_finishes_the_contact` |
| one voicemail message, whatever crashes or is repeated | `application/calls/test_voicemail.py`; the row "voicemail" of the random faults |
"""  # noqa: E501 - the rows of a table

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy, RetryRule
from domain.numbers.number import Number, number_id_of
from domain.outcomes import CallOutcome
from domain.settings import RulesMode
from domain.values import CallStatus, WaitingCode
from tests.application.calls.test_call_gate import at, change, deferral, request
from tests.application.calls.tool_messages import answer, tool_calls
from tests.application.contacts.campaign_line import BUSY, HUMAN, Line
from tests.application.contacts.test_faults_that_rang import fail_before_ringing
from tests.application.contacts.test_planned_callbacks import ask_for_callback
from tests.wiring import BY, Services

POLICY = RetryPolicy(
    attempts=3,
    per_day=5,
    min_gap_minutes=1,
    expires_after_days=7,
    rules=(
        RetryRule((CallOutcome.BUSY,), 3, (30,)),
        RetryRule((CallOutcome.NO_ANSWER,), 3, (30,)),
        RetryRule((CallOutcome.VOICEMAIL,), 3, (30,)),
    ),
)
TERMS = CallingTerms(POLICY)
ENDS: dict[str, dict[str, Any]] = {
    "busy": BUSY,
    "no answer": BUSY | {"endedReason": "customer-did-not-answer"},
    "voicemail": {"endedReason": "voicemail"},
}
NEW_YORK, ORLANDO, ARIZONA = "+12125550143", "+14075550143", "+19285550143"


@pytest.fixture
def enforced(services: Services) -> Services:
    """An installation whose calling rules are enforced."""
    change(services, calling_rules=RulesMode.ENFORCED)
    return services


def line_to(services: Services, phone: str, terms: CallingTerms = TERMS) -> Line:
    line = Line(services, terms)
    line.campaign_id = services.campaign((phone,), terms=terms)
    return line


def test_three_attempts_are_three_calls_in_any_order_of_outcomes(
    services: Services,
) -> None:
    orders = sorted({*permutations(("busy", "busy", "no answer", "voicemail"))})
    for order in orders:
        line, calls = Line(services, TERMS), 0
        for name in order:
            if line.due():
                line.call(**ENDS[name])
                calls += 1
            line.later(hours=1)
        assert calls == POLICY.attempts, order
        assert (line.progress(), line.due()) == ({"ended": 1}, 0)


def test_faults_before_ringing_do_not_count_for_the_frequency_caps(
    services: Services,
) -> None:
    line = line_to(services, NEW_YORK)
    for _ in range(2):
        fail_before_ringing(line)
        line.later(hours=1)
    reached = line.call(**HUMAN)
    key = services.installation_key.of_number(NEW_YORK)
    number = services.app.load(Number, number_id_of(key))
    assert list(number.requested) == [reached]
    history = services.load_call(reached).history
    assert history is not None
    assert (history.attempts, history.faults) == (0, 2)


@pytest.mark.parametrize(
    ("phone", "hour"), [(ORLANDO, 19), (NEW_YORK, 20)], ids=["Florida", "New York"]
)
def test_a_retry_due_when_calling_hours_end_is_made_the_next_day(
    enforced: Services, phone: str, hour: int
) -> None:
    """It is due a minute before the end, when no call may begin any more."""
    local = datetime(2026, 3, 2, hour, 29, tzinfo=ZoneInfo("America/New_York"))
    at(enforced, local.astimezone(UTC))
    line = line_to(enforced, phone)
    line.call(**BUSY)
    line.later(minutes=30)
    [retry] = enforced.claim(line.campaign_id)
    assert not request(enforced, retry)
    opens = datetime(2026, 3, 3, 13, tzinfo=UTC)  # 8:00
    assert deferral(enforced, retry) == (WaitingCode.OUTSIDE_HOURS, opens)
    at(enforced, opens)
    assert enforced.claim(line.campaign_id) == [retry]
    assert request(enforced, retry)


def test_a_callback_to_area_code_928_asks_for_the_time_zone(services: Services) -> None:
    """Arizona has no daylight saving time, the Navajo Nation has."""
    line = line_to(services, ARIZONA)
    call_id = line.place()

    def ask(**zone: str) -> str:
        time = "2026-03-20T15:00"
        body = tool_calls(
            call_id, "schedule_callback", phone=ARIZONA, local_datetime=time, **zone
        )
        body["message"]["call"]["id"] = str(call_id)
        [result] = answer(services, body)
        return result

    assert "several time zones" in ask()
    assert services.load_call(call_id).callback_at is None
    assert "15:00 (America/Phoenix)" in ask(time_zone="America/Phoenix")
    agreed = datetime(2026, 3, 20, 22, tzinfo=UTC)
    assert services.load_call(call_id).callback_at == agreed


def test_a_callback_due_in_a_pause_is_late_and_not_made_outside_the_hours(
    enforced: Services,
) -> None:
    at(enforced, datetime(2026, 3, 2, 19, tzinfo=UTC))  # 14:00 in New York
    line = line_to(enforced, NEW_YORK)
    ask_for_callback(line, first := line.place(), enforced.now() + timedelta(hours=2))
    line.end(first, **HUMAN)
    enforced.campaigns.pause(line.campaign_id, by=BY)
    line.later(hours=8)
    assert late_callbacks(enforced, line.campaign_id) == 1
    enforced.campaigns.resume(line.campaign_id, by=BY)
    [callback] = enforced.claim(line.campaign_id)
    assert not request(enforced, callback)
    opens = datetime(2026, 3, 3, 13, tzinfo=UTC)
    assert deferral(enforced, callback) == (WaitingCode.OUTSIDE_HOURS, opens)
    at(enforced, opens)
    assert enforced.claim(line.campaign_id) == [callback]
    assert request(enforced, callback)
    assert enforced.load_call(callback).status is CallStatus.QUEUED


def late_callbacks(services: Services, campaign_id: UUID) -> int:
    views = services.snapshot().campaigns
    return next(one.late_callbacks for one in views if one.id == campaign_id)
