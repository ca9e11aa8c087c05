from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.pace import (
    AHEAD_SECONDS,
    HALVING_SECONDS,
    LONGEST_BACK_OFF_SECONDS,
    RECOVERY_SECONDS,
    SLOWEST,
    Pace,
)

LINE, OTHER = "line", "other"
ALMOST_ONE = 0.999999


def always(value: float) -> Callable[[], float]:
    return lambda: value


def spacing(pace: Pace, line: str, now: float) -> float:
    """Return the seconds between the next two turns of a line."""
    first = pace.take_turn(line, now)
    return pace.take_turn(line, now) - first


@given(st.floats(0.01, 1000), st.integers(2, 30))
def test_turns_are_evenly_spaced_over_all_lines(rate: float, count: int) -> None:
    pace = Pace(rate, always(0))
    lines = [LINE, OTHER]
    turns = [pace.take_turn(lines[n % 2], 100.0) for n in range(count)]
    assert turns[0] == 100.0
    gaps = [later - earlier for earlier, later in pairwise(turns)]
    assert gaps == pytest.approx([1 / rate] * (count - 1))


def test_idle_time_does_not_allow_a_burst() -> None:
    pace = Pace(2, always(0))
    pace.take_turn(LINE, 0)
    assert [pace.take_turn(LINE, 60), pace.take_turn(LINE, 60)] == [60, 60.5]


@given(st.floats(0.01, 1000), st.integers(0, 200))
def test_allowed_calls_can_be_started_in_time(rate: float, taken: int) -> None:
    pace = Pace(rate, always(0))
    for _ in range(min(taken, int(rate * 2))):
        pace.take_turn(LINE, 0)
    allowed = pace.allowed(0)
    turns = [pace.take_turn(LINE, 0) for _ in range(allowed)]
    assert all(turn <= AHEAD_SECONDS + 1e-6 for turn in turns)
    assert pace.take_turn(LINE, 0) >= AHEAD_SECONDS - 1e-6


def test_a_new_pace_applies_from_the_next_turn() -> None:
    pace = Pace(1, always(0))
    pace.set_full(10)
    assert spacing(pace, LINE, 0) == pytest.approx(0.1)


def test_a_faster_pace_shortens_the_current_wait() -> None:
    pace = Pace(0.01, always(0))
    pace.take_turn(LINE, 0)
    pace.set_full(10)
    assert pace.allowed(1) == 21
    assert pace.take_turn(LINE, 1) == 1
    pace.set_full(0.1)
    assert pace.take_turn(LINE, 1) == 11


# --- A line that refuses ------------------------------------------------------------


def test_a_refusal_halves_the_pace_of_its_line_only() -> None:
    pace = Pace(8, always(0))
    pace.take_turn(OTHER, 0)
    pace.take_turn(LINE, 0)
    pace.refused(LINE, 0.0, None)
    assert spacing(pace, LINE, 1) == pytest.approx(1 / 4)
    assert spacing(pace, OTHER, 10) == pytest.approx(1 / 8)
    assert list(pace.allowed_on_slow_lines(1)) == [LINE]


def test_many_refusals_at_once_halve_only_once_a_second() -> None:
    pace = Pace(8, always(0))
    for _ in range(20):
        pace.refused(LINE, 0.0, None)
    assert spacing(pace, LINE, 0) == pytest.approx(1 / 4)
    pace.refused(LINE, HALVING_SECONDS, None)
    assert spacing(pace, LINE, HALVING_SECONDS) == pytest.approx(1 / 2)


def test_a_line_is_never_slower_than_its_floor() -> None:
    pace = Pace(8, always(0))
    for second in range(60):
        pace.refused(LINE, float(second), None)
    assert spacing(pace, LINE, 59) == pytest.approx(1 / SLOWEST)


def test_a_configured_pace_below_the_floor_is_not_raised() -> None:
    pace = Pace(0.05, always(0))
    pace.refused(LINE, 0.0, None)
    assert spacing(pace, LINE, 0) == pytest.approx(20)


def test_a_line_recovers_by_doubling_without_refusals() -> None:
    pace = Pace(8, always(0))
    for second in range(2):
        pace.refused(LINE, float(second), None)  # 8 to 4 to 2
    assert spacing(pace, LINE, 1) == pytest.approx(1 / 2)
    assert spacing(pace, LINE, 1.001 + RECOVERY_SECONDS) == pytest.approx(1 / 4)
    late = 1.001 + 2 * RECOVERY_SECONDS
    assert spacing(pace, LINE, late) == pytest.approx(1 / 8)
    assert pace.allowed_on_slow_lines(late) == {}


@given(st.integers(1, 20))
def test_the_back_off_is_jittered_fully_up_to_a_doubling_bound(refusals: int) -> None:
    bound = min(2 ** (refusals - 1), LONGEST_BACK_OFF_SECONDS)
    for dice, expected in ((0.0, 0.0), (ALMOST_ONE, bound)):
        pace = Pace(1, always(dice))
        for _ in range(refusals):
            waits = pace.refused(LINE, 0.0, None)
        assert waits == pytest.approx(expected, rel=1e-4)


def test_a_success_resets_the_back_off() -> None:
    pace = Pace(1, always(ALMOST_ONE))
    for _ in range(5):
        pace.refused(LINE, 0.0, None)
    pace.accepted(LINE)
    assert pace.refused(LINE, 1.0, None) == pytest.approx(1, rel=1e-4)


def test_a_wait_named_by_the_provider_is_observed() -> None:
    pace = Pace(1, always(0.5))
    assert pace.refused(LINE, 0.0, 17.0) == 17.0


def test_a_requested_wait_holds_the_whole_line_but_no_other() -> None:
    pace = Pace(10, always(0))
    pace.accepted(LINE)
    assert pace.refused(LINE, 100.0, 30.0) == 30.0
    assert pace.is_held(LINE, 129.9)
    assert not pace.is_held(LINE, 130.0)
    assert not pace.is_held(OTHER, 100.0)
    assert pace.allowed_on_slow_lines(120.0) == {LINE: 0}
    assert pace.take_turn(LINE, 101.0) == 130.0


def test_a_shorter_wait_does_not_end_a_longer_one() -> None:
    pace = Pace(10, always(0))
    pace.refused(LINE, 100.0, 30.0)
    pace.refused(LINE, 101.0, 1.0)
    pace.accepted(LINE)
    assert pace.is_held(LINE, 129.0)
