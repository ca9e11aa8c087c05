"""What follows a finished call: given its history and result, exactly this step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy, RetryRule
from domain.contacts.contact_events import FinishReason
from domain.contacts.contact_history import (
    NO_HISTORY,
    ContactHistory,
    DayPart,
    PlanKind,
)
from domain.outcomes import CallOutcome, Disposition
from domain.planning.retries import (
    Callback,
    CallResult,
    Finish,
    NextStep,
    Retry,
    next_step,
)

NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)
"""Noon in New York."""
NEW_YORK = ("America/New_York",)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

POLICY = RetryPolicy(
    attempts=4,
    per_day=2,
    min_gap_minutes=20,
    expires_after_days=5,
    rules=(
        RetryRule((CallOutcome.BUSY,), 2, (10, 60)),
        RetryRule((CallOutcome.NO_ANSWER,), 3, (180,), other_time_of_day=True),
    ),
)
TERMS = CallingTerms(retry_policy=POLICY)


def called(
    *times: datetime, retried: tuple[CallOutcome, ...] = (), **own: Any
) -> ContactHistory:
    history = NO_HISTORY
    for time in times or (NOON,):
        history = history.with_call(at=time, zones=NEW_YORK, kind=None)
    return replace(history, retried=retried, **own)


def after(
    outcome: CallOutcome,
    history: ContactHistory | None = None,
    terms: CallingTerms = TERMS,
    at: datetime = NOON,
    **fields: Any,
) -> NextStep:
    result = CallResult(outcome, at, **fields)
    return next_step(terms, history or called(), result, at)


def due(step: NextStep) -> datetime:
    assert isinstance(step, Retry), step
    return step.due_at


def test_a_retry_is_due_after_the_gap_of_its_rule() -> None:
    second = called(NOON - HOUR, NOON, retried=(CallOutcome.BUSY,))
    terms = CallingTerms(replace(POLICY, per_day=5))
    assert due(after(CallOutcome.BUSY, second, terms)) == NOON + HOUR


def test_the_minimum_gap_prolongs_a_shorter_one() -> None:
    assert due(after(CallOutcome.BUSY)) == NOON + timedelta(minutes=20)


def test_the_calls_of_any_24_hours_are_limited() -> None:
    step = after(CallOutcome.BUSY, called(NOON - 3 * HOUR, NOON))
    assert due(step) == NOON - 3 * HOUR + DAY


def test_an_outcome_that_no_rule_names_is_the_end() -> None:
    assert after(CallOutcome.VOICEMAIL) == Finish(FinishReason.NO_RULE)
    assert after(CallOutcome.HUMAN) == Finish(FinishReason.ANSWERED)


def test_the_attempts_of_the_policy_are_shared_by_all_outcomes() -> None:
    four = called(*(NOON - n * DAY for n in range(3, -1, -1)))
    assert after(CallOutcome.BUSY, four) == Finish(FinishReason.ATTEMPTS_USED)


def test_a_rule_allows_only_its_own_retries() -> None:
    busy = called(NOON, retried=(CallOutcome.BUSY, CallOutcome.BUSY))
    assert after(CallOutcome.BUSY, busy) == Finish(FinishReason.RULE_USED_UP)
    assert isinstance(after(CallOutcome.NO_ANSWER, busy), Retry)


def test_a_retry_after_the_policy_has_expired_is_not_planned() -> None:
    old = called(NOON - 5 * DAY)
    assert after(CallOutcome.BUSY, old) == Finish(FinishReason.POLICY_EXPIRED)


def test_a_retry_after_the_end_of_the_campaign_is_not_planned() -> None:
    ends = replace(TERMS, ends_at=NOON + timedelta(minutes=10))
    step = after(CallOutcome.BUSY, terms=ends)
    assert step == Finish(FinishReason.CAMPAIGN_ENDS)


@pytest.mark.parametrize(
    ("disposition", "callback_at", "expected"),
    [
        (Disposition.OPTED_OUT, NOON + DAY, FinishReason.OPTED_OUT),
        (Disposition.GOAL_REACHED, None, FinishReason.GOAL_REACHED),
        (Disposition.WRONG_PERSON, None, FinishReason.WRONG_PERSON),
        (Disposition.GOAL_REACHED, NOON + DAY, None),
        (Disposition.WRONG_PERSON, NOON + DAY, None),
    ],
)
def test_dispositions_and_callbacks_have_an_order_of_precedence(
    disposition: Disposition,
    callback_at: datetime | None,
    expected: FinishReason | None,
) -> None:
    step = after(CallOutcome.BUSY, disposition=disposition, callback_at=callback_at)
    if expected is None:
        assert step == Callback(NOON + DAY, NOON + 2 * DAY)
    else:
        assert step == Finish(expected)


def test_a_third_callback_is_not_made() -> None:
    history = called(NOON, callbacks=2)
    step = after(CallOutcome.HUMAN, history, callback_at=NOON + HOUR)
    assert step == Finish(FinishReason.ANSWERED)


def test_a_callback_uses_no_attempt_and_no_gap() -> None:
    history = called(NOON).with_call(
        at=NOON + HOUR, zones=NEW_YORK, kind=PlanKind.CALLBACK
    )
    assert (history.attempts, history.callbacks) == (1, 1)
    step = after(CallOutcome.BUSY, callback_at=NOON + timedelta(minutes=1))
    assert step == Callback(
        NOON + timedelta(minutes=1), NOON + timedelta(minutes=1) + DAY
    )


def test_calls_of_which_nothing_rang_use_no_attempt() -> None:
    assert called(NOON).with_fault().with_fault().attempts == 1


def test_a_retry_at_another_time_of_day_waits_for_a_part_not_tried() -> None:
    """Called at noon, and free again at 15:00: the evening begins at 16:00."""
    assert due(after(CallOutcome.NO_ANSWER)) == NOON + 4 * HOUR


def test_a_retry_in_the_night_waits_for_the_morning() -> None:
    history = called(NOON, NOON + 5 * HOUR)
    terms = CallingTerms(replace(POLICY, per_day=5))
    step = after(CallOutcome.NO_ANSWER, history, terms, at=NOON + 5 * HOUR)
    assert due(step) == datetime(2026, 3, 3, 13, tzinfo=UTC)  # 8:00 in New York.


def test_a_contact_called_in_all_parts_of_the_day_is_called_after_the_gap() -> None:
    history = called(NOON, day_parts=tuple(DayPart))
    assert due(after(CallOutcome.NO_ANSWER, history)) == NOON + 3 * HOUR


def test_an_unknown_time_zone_has_no_parts_of_the_day() -> None:
    history = replace(called(NOON), zones=(), day_parts=())
    assert due(after(CallOutcome.NO_ANSWER, history)) == NOON + 3 * HOUR


def test_several_zones_need_a_part_that_is_new_in_all_of_them() -> None:
    zones = ("America/New_York", "America/Los_Angeles")
    history = replace(called(NOON), zones=zones)
    assert due(after(CallOutcome.NO_ANSWER, history)) == NOON + 7 * HOUR


# --- When a planned retry is due ------------------------------------------------------


def test_a_retry_that_the_present_policy_allows_is_made() -> None:
    at = NOON + HOUR
    result = CallResult(CallOutcome.BUSY, NOON)
    step = next_step(TERMS, called(), result, at)
    assert due(step) == at


def test_a_longer_gap_of_the_present_policy_is_measured_from_the_end() -> None:
    """The last call was requested at noon and ended ten minutes later."""
    terms = CallingTerms(replace(POLICY, min_gap_minutes=240))
    ended_at = NOON + timedelta(minutes=10)
    result = CallResult(CallOutcome.BUSY, ended_at)
    step = next_step(terms, called(), result, NOON + HOUR)
    assert due(step) == ended_at + 4 * HOUR


def test_a_smaller_budget_of_the_present_policy_ends_the_retries() -> None:
    terms = CallingTerms(replace(POLICY, attempts=1))
    step = next_step(terms, called(), CallResult(CallOutcome.BUSY, NOON), NOON + HOUR)
    assert step == Finish(FinishReason.ATTEMPTS_USED)
