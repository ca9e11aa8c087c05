"""Bounds and presets of retry policies, and the worst case that must fit."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

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
from domain.errors import Invalid
from domain.outcomes import CallOutcome

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
