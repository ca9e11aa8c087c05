"""The worst case of a retry policy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns.retry_policy import (
    GENTLE,
    ONCE,
    PATIENT,
    URGENT,
    RetryPolicy,
    RetryRule,
)
from domain.outcomes import CallOutcome
from domain.retry_timetable import Opening, worst_case

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def always(at: datetime, _calls: tuple[datetime, ...]) -> datetime:
    return at


def from_nine_to_five(at: datetime, _calls: tuple[datetime, ...]) -> datetime:
    """Open on each day from 9 to 17 UTC."""
    if at.hour < 9:
        return at.replace(hour=9, minute=0)
    return at if at.hour < 17 else (at + 24 * HOUR).replace(hour=9, minute=0)


def busy(**fields: int) -> RetryPolicy:
    limits = {"attempts": 4, "per_day": 5, "min_gap_minutes": 1}
    rule = RetryRule((CallOutcome.BUSY,), 3, (60, 120))
    return RetryPolicy(**{**limits, "expires_after_days": 7, **fields}, rules=(rule,))


def offsets(policy: RetryPolicy, opening: Opening = always) -> list[float]:
    """Return the hours from the first call to each one."""
    calls = worst_case(policy, NOON, ("UTC",), opening)
    return [(call - calls[0]) / HOUR for call in calls]


def test_each_gap_of_a_rule_passes_and_the_last_one_repeats() -> None:
    assert offsets(busy()) == [0, 1, 3, 5]


def test_calls_per_day_put_a_call_off() -> None:
    assert offsets(busy(per_day=2)) == [0, 1, 24, 26]


def test_a_call_outside_the_hours_waits_for_the_next_opening() -> None:
    assert offsets(busy(), from_nine_to_five) == [0, 1, 3, 21]


def test_calls_after_the_policy_expired_are_left_out() -> None:
    def weekly(at: datetime, calls: tuple[datetime, ...]) -> datetime:
        return at + timedelta(days=3) if calls else at

    assert offsets(busy(expires_after_days=4), weekly) == [0, 73]


def test_nothing_follows_a_call_that_may_never_be_made() -> None:
    assert worst_case(busy(), NOON, ("UTC",), lambda _at, _calls: None) == ()


def test_another_part_of_the_day_is_waited_for() -> None:
    rule = RetryRule((CallOutcome.NO_ANSWER,), 1, (60,), other_time_of_day=True)
    policy = RetryPolicy(2, 2, 1, 7, (rule,))
    assert offsets(policy) == [0, 4]


RULES = st.tuples(
    st.lists(st.sampled_from([60, 300, 1_440, 1_800]), min_size=1, max_size=2),
    st.integers(1, 3),
)


@given(
    rules=st.lists(RULES, min_size=1, max_size=3),
    attempts=st.integers(2, 4),
    per_day=st.integers(1, 3),
    start=st.integers(0, 24 * 60),
)
def test_each_call_is_the_latest_over_all_orders_of_outcomes(
    rules: list[tuple[list[int], int]], attempts: int, per_day: int, start: int
) -> None:
    names = (CallOutcome.BUSY, CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL)
    policy = RetryPolicy(
        attempts=attempts,
        per_day=per_day,
        min_gap_minutes=30,
        expires_after_days=5,
        rules=tuple(
            RetryRule((name,), most, tuple(gaps))
            for name, (gaps, most) in zip(names, rules, strict=False)
        ),
    )
    first = NOON + timedelta(minutes=start)
    latest: dict[int, datetime] = {}
    for calls in timetables(policy, [from_nine_to_five(first, ())], []):
        place, at = len(calls) - 1, calls[-1]
        latest[place] = max(latest.get(place, at), at)
    wanted = tuple(latest[place] for place in sorted(latest))
    assert worst_case(policy, first, ("UTC",), from_nine_to_five) == wanted


def timetables(
    policy: RetryPolicy, calls: list[datetime], after: list[int]
) -> Iterator[list[datetime]]:
    """Yield the calls up to each one, for every order of the rules that apply."""
    yield calls
    if len(calls) == policy.attempts:
        return
    for number, rule in enumerate(policy.rules):
        retries = after.count(number)
        if retries == rule.attempts:
            continue
        gap = rule.gaps_minutes[min(retries, len(rule.gaps_minutes) - 1)]
        due = calls[-1] + timedelta(minutes=gap)
        if len(calls) >= policy.per_day:
            due = max(due, calls[-policy.per_day] + 24 * HOUR)
        at = from_nine_to_five(due, ())
        if at < calls[0] + policy.expires_after:
            yield from timetables(policy, [*calls, at], [*after, number])


def test_a_call_that_was_put_off_moves_the_calls_after_it() -> None:
    """After the longest gap, two calls in 24 hours leave no room for a short one."""
    short = RetryRule((CallOutcome.BUSY,), 1, (60,))
    late = RetryRule((CallOutcome.NO_ANSWER,), 2, (60, 1_500))
    assert offsets(RetryPolicy(4, 2, 1, 7, (short, late))) == [0, 1, 26, 49]


def test_only_the_rule_that_wants_it_waits_for_another_part_of_the_day() -> None:
    waiting = RetryRule((CallOutcome.NO_ANSWER,), 1, (60,), other_time_of_day=True)
    other = RetryRule((CallOutcome.BUSY,), 1, (30,))
    assert offsets(RetryPolicy(3, 5, 1, 7, (waiting, other))) == [0, 4, 4.5]


@pytest.mark.parametrize("preset", [ONCE, GENTLE, PATIENT, URGENT])
@given(start=st.integers(0, 7 * 24 * 60))
def test_presets_keep_their_limits_at_any_start(
    preset: RetryPolicy, start: int
) -> None:
    first = NOON + timedelta(minutes=start)
    calls = worst_case(preset, first, ("America/New_York",), from_nine_to_five)
    assert len(calls) <= preset.attempts
    assert all(9 <= call.hour < 17 for call in calls)
    for place, call in enumerate(calls[1:], 1):
        assert call - calls[place - 1] >= preset.min_gap
        assert call - calls[0] < preset.expires_after
        if place >= preset.per_day:
            assert call - calls[place - preset.per_day] >= timedelta(days=1)
