"""Bounds and presets of retry policies, and the worst case that must fit."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import (
    NEVER_RETRIED,
    ONCE,
    PATIENT,
    PRESETS,
    RetryPolicy,
    RetryRule,
    check_policy,
    latest_offsets,
)
from domain.contacts.contact_events import FinishReason
from domain.contacts.contact_history import NO_HISTORY, ContactHistory, PlanKind
from domain.errors import Invalid
from domain.outcomes import CallOutcome
from domain.planning.retries import CallResult, Finish, next_step

BUSY = RetryRule((CallOutcome.BUSY,), 3, (30, 60))
POLICY = RetryPolicy(
    attempts=4, per_day=5, min_gap_minutes=1, expires_after_days=7, rules=(BUSY,)
)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_is_in_bounds_and_fits(name: str) -> None:
    check_policy(PRESETS[name])


def test_the_presets_have_their_documented_limits() -> None:
    limits = {
        name: (each.attempts, each.per_day, each.min_gap_minutes)
        for name, each in PRESETS.items()
    }
    assert limits == {
        "once": (1, 1, 60),
        "gentle": (2, 1, 240),
        "patient": (4, 2, 120),
        "urgent": (3, 3, 60),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"attempts": 11},
        {"per_day": 0},
        {"per_day": 6},
        {"min_gap_minutes": 0},
        {"min_gap_minutes": 10_081},
        {"expires_after_days": 0},
        {"expires_after_days": 61},
    ],
    ids=str,
)
def test_a_limit_out_of_bounds_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        check_policy(replace(POLICY, **wrong))
    assert refusal.value.fields.keys() == {"retryPolicy"}


@pytest.mark.parametrize(
    "rule",
    [
        replace(BUSY, outcomes=()),
        replace(BUSY, outcomes=(CallOutcome.BUSY, CallOutcome.BUSY)),
        replace(BUSY, attempts=0),
        replace(BUSY, gaps_minutes=()),
        replace(BUSY, gaps_minutes=(0,)),
        *(replace(BUSY, outcomes=(outcome,)) for outcome in sorted(NEVER_RETRIED)),
    ],
    ids=str,
)
def test_a_wrong_rule_is_refused(rule: RetryRule) -> None:
    with pytest.raises(Invalid, match="rule 1"):
        check_policy(replace(POLICY, rules=(rule,)))


def test_two_rules_for_one_outcome_are_refused() -> None:
    with pytest.raises(Invalid, match="rule 2 names BUSY again"):
        check_policy(replace(POLICY, rules=(BUSY, BUSY)))


def test_the_worst_case_takes_the_longest_gaps_of_all_rules() -> None:
    slow = RetryRule((CallOutcome.VOICEMAIL,), 1, (600,))
    offsets = latest_offsets(replace(POLICY, rules=(BUSY, slow)))
    assert offsets == (0 * HOUR, 10 * HOUR, 10.5 * HOUR, 11.5 * HOUR)


def test_the_worst_case_observes_the_calls_per_day_and_the_minimum_gap() -> None:
    offsets = latest_offsets(replace(POLICY, per_day=2, min_gap_minutes=120))
    assert offsets == (0 * HOUR, 2 * HOUR, 24 * HOUR, 26 * HOUR)


def test_a_contact_called_once_has_one_call_in_its_timetable() -> None:
    assert latest_offsets(ONCE) == (timedelta(0),)


def test_a_policy_that_expires_before_its_last_call_is_refused() -> None:
    long = replace(BUSY, gaps_minutes=(60, 240, 1_440))
    check_policy(replace(POLICY, rules=(long,), expires_after_days=2))
    with pytest.raises(Invalid, match=r"call 4 could fall 1\.2 days after the first"):
        check_policy(replace(POLICY, rules=(long,), expires_after_days=1))


def test_patient_calls_at_most_four_times_in_a_week() -> None:
    offsets = latest_offsets(PATIENT)
    assert len(offsets) == PATIENT.attempts
    assert offsets[-1] < timedelta(days=7)


# --- The worst case of any policy -----------------------------------------------------

OUTCOMES = (CallOutcome.BUSY, CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL)
GAPS = st.lists(
    st.sampled_from([1, 30, 240, 600, 1_440, 2_000]), min_size=1, max_size=3
)


@st.composite
def policies(draw: st.DrawFn) -> RetryPolicy:
    """Draw a policy with one to three rules about one outcome each."""
    rules = tuple(
        RetryRule((outcome,), draw(st.integers(1, 4)), tuple(draw(GAPS)))
        for outcome in OUTCOMES[: draw(st.integers(1, 3))]
    )
    return RetryPolicy(
        attempts=draw(st.integers(1, 5)),
        per_day=draw(st.integers(1, 3)),
        min_gap_minutes=draw(st.sampled_from([1, 60, 1_000])),
        expires_after_days=draw(st.integers(1, 12)),
        rules=rules,
    )


def courses(policy: RetryPolicy, used: tuple[int, ...] = ()) -> Iterator[list[int]]:
    """Yield the rules that apply after each call, in every order that is allowed."""
    yield list(used)
    if len(used) + 1 < policy.attempts:
        for number, rule in enumerate(policy.rules):
            if used.count(number) < rule.attempts:
                yield from courses(policy, (*used, number))


def times_of(policy: RetryPolicy, course: list[int]) -> list[int]:
    """Return the minutes from the first call to each one, one call after the other."""
    times = [0]
    for place, number in enumerate(course):
        gaps = policy.rules[number].gaps_minutes
        gap = gaps[min(course[:place].count(number), len(gaps) - 1)]
        due = times[-1] + max(gap, policy.min_gap_minutes)
        if len(times) >= policy.per_day:
            due = max(due, times[-policy.per_day] + 24 * 60)
        times.append(due)
    return times


@given(policies())
def test_the_worst_case_is_the_latest_of_all_orders_of_outcomes(
    policy: RetryPolicy,
) -> None:
    latest: dict[int, int] = {}
    for course in courses(policy):
        for place, minutes in enumerate(times_of(policy, course)):
            latest[place] = max(latest.get(place, 0), minutes)
    wanted = tuple(timedelta(minutes=latest[place]) for place in sorted(latest))
    assert latest_offsets(policy) == wanted


@given(policies())
def test_retries_of_an_accepted_policy_never_expire_and_those_of_a_refused_one_may(
    policy: RetryPolicy,
) -> None:
    """The calls take no time here, and each retry is made when it is due."""
    try:
        check_policy(policy)
    except Invalid:
        assert any(expires(policy, course) for course in courses(policy))
    else:
        assert not any(expires(policy, course) for course in courses(policy))


def expires(policy: RetryPolicy, course: list[int]) -> bool:
    """Return whether a retry after these outcomes is not planned for lack of time."""
    at, kind, history = datetime(2026, 3, 2, 12, tzinfo=UTC), None, NO_HISTORY
    for number in course:
        history = _called(history, at, kind)
        outcome = OUTCOMES[number]
        step = next_step(CallingTerms(policy), history, CallResult(outcome, at), at)
        if isinstance(step, Finish):
            assert step.reason is FinishReason.POLICY_EXPIRED
            return True
        history, kind = history.with_retry(outcome), PlanKind.RETRY
        at = step.due_at
    return False


def _called(
    history: ContactHistory, at: datetime, kind: PlanKind | None
) -> ContactHistory:
    return history.with_call(at=at, zones=(), kind=kind)


def test_a_call_that_is_put_off_moves_the_calls_after_it() -> None:
    """Two calls in 24 hours: the third waits, and the gap of 25 hours follows that."""
    late = replace(BUSY, gaps_minutes=(60, 60, 1_500))
    policy = replace(POLICY, per_day=2, rules=(late,))
    assert latest_offsets(policy) == (0 * HOUR, 1 * HOUR, 24 * HOUR, 49 * HOUR)
    with pytest.raises(Invalid, match=r"call 4 could fall 2\.0 days after the first"):
        check_policy(replace(policy, expires_after_days=2))
