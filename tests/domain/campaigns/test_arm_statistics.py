"""Comparisons of goal rates that may be looked at after each contact."""

from collections.abc import Callable, Iterator
from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns.arm_statistics import (
    ERROR_RATE,
    POWER,
    Sample,
    difference,
    smallest_difference,
)

CONTACTS = 1_000
REPETITIONS = 500

SAMPLES = st.integers(1, 5_000).flatmap(
    lambda finished: st.builds(Sample, st.just(finished), st.integers(0, finished))
)

type Test = Callable[[Sample, Sample], bool]


def looks(
    seed: int, contacts: int, rates: tuple[float, float], share: float = 0.5
) -> Iterator[tuple[Sample, Sample]]:
    """Yield both samples after each contact of a campaign."""
    random = Random(seed)
    finished, goals = [0, 0], [0, 0]
    for _ in range(contacts):
        arm = int(random.random() < share)
        finished[arm] += 1
        goals[arm] += random.random() < rates[arm]
        yield Sample(finished[0], goals[0]), Sample(finished[1], goals[1])


def always_valid(first: Sample, other: Sample) -> bool:
    found = difference(first, other)
    return found is not None and found.p_value < ERROR_RATE


def fixed(first: Sample, other: Sample) -> bool:
    """The textbook z-test of two proportions at the level 5 %, from 20 contacts on."""
    finished = first.finished + other.finished
    if min(first.finished, other.finished) < 20:
        return False
    pooled = (first.goals + other.goals) / finished
    variance = pooled * (1 - pooled) * (1 / first.finished + 1 / other.finished)
    distance = other.goals / other.finished - first.goals / first.finished
    return variance > 0 and abs(distance) > 1.96 * sqrt(variance)


def alarms(test: Test, rate: float, share: float) -> float:
    """The share of A/A tests in which a difference is found at any look."""
    found = sum(
        any(test(*look) for look in looks(seed, CONTACTS, (rate, rate), share))
        for seed in range(REPETITIONS)
    )
    return found / REPETITIONS


@pytest.mark.parametrize(("rate", "share"), [(0.1, 0.5), (0.1, 0.1), (0.3, 0.9)])
def test_equal_arms_watched_after_each_contact_are_told_apart_in_five_percent_at_most(
    rate: float, share: float
) -> None:
    assert alarms(always_valid, rate, share) <= ERROR_RATE


def test_a_fixed_test_watched_after_each_contact_finds_differences_that_are_not() -> (
    None
):
    assert alarms(fixed, 0.1, 0.5) > 0.25


def test_the_interval_contains_the_true_difference_at_all_looks() -> None:
    rates, missed = (0.1, 0.18), 0
    for seed in range(REPETITIONS):
        for first, other in looks(seed, CONTACTS, rates):
            found = difference(first, other)
            if found and not found.low <= rates[1] - rates[0] <= found.high:
                missed += 1
                break
    assert missed / REPETITIONS <= ERROR_RATE


def test_a_real_difference_is_found_long_before_the_list_ends() -> None:
    found = sum(
        any(always_valid(*look) for look in looks(seed, CONTACTS, (0.1, 0.25)))
        for seed in range(100)
    )
    assert found >= 95


@given(first=SAMPLES, other=SAMPLES, arms=st.integers(2, 4))
def test_the_interval_excludes_zero_exactly_if_the_p_value_is_small(
    first: Sample, other: Sample, arms: int
) -> None:
    found = difference(first, other, arms=arms)
    assert found is not None
    assert -1 <= found.low <= found.high <= 1
    assert 0 <= found.p_value <= 1
    excludes = found.low > 0 or found.high < 0
    if abs(found.p_value - ERROR_RATE) > 1e-9:
        assert excludes == (found.p_value < ERROR_RATE)


@given(first=SAMPLES, other=SAMPLES)
def test_the_comparison_does_not_depend_on_which_arm_is_first(
    first: Sample, other: Sample
) -> None:
    one, turned = difference(first, other), difference(other, first)
    assert one is not None
    assert turned is not None
    assert (one.low, one.high) == pytest.approx((-turned.high, -turned.low))
    assert one.p_value == pytest.approx(turned.p_value)


@given(first=SAMPLES, other=SAMPLES)
def test_more_arms_need_more_evidence(first: Sample, other: Sample) -> None:
    two, four = difference(first, other), difference(first, other, arms=4)
    assert two is not None
    assert four is not None
    assert four.low <= two.low
    assert two.high <= four.high
    assert four.p_value >= two.p_value


def test_nothing_is_said_while_an_arm_has_no_finished_contact() -> None:
    assert difference(Sample(0, 0), Sample(9, 3)) is None
    assert difference(Sample(9, 3), Sample(0, 0)) is None


def test_arms_without_a_single_goal_do_not_differ() -> None:
    found = difference(Sample(400, 0), Sample(400, 0))
    assert found is not None
    assert found.low < 0 < found.high
    assert found.p_value == 1


# --- Before the launch ----------------------------------------------------------------


@pytest.mark.parametrize(("contacts", "rate"), [(1_000, 0.1), (2_000, 0.3)])
def test_a_list_shows_the_smallest_difference_in_four_of_five_campaigns(
    contacts: int, rate: float
) -> None:
    rise = smallest_difference(contacts, 50, 50, rate)
    assert rise is not None
    shown = sum(
        any(always_valid(*look) for look in looks(seed, contacts, (rate, rate + rise)))
        for seed in range(200)
    )
    assert POWER - 0.05 <= shown / 200 <= 0.95


def test_half_of_the_smallest_difference_is_rarely_shown() -> None:
    rise = smallest_difference(1_000, 50, 50, 0.1)
    assert rise is not None
    rates = (0.1, 0.1 + rise / 2)
    shown = sum(
        any(always_valid(*look) for look in looks(seed, 1_000, rates))
        for seed in range(200)
    )
    assert shown / 200 < 0.5


@given(
    contacts=st.integers(200, 50_000),
    share=st.integers(5, 50),
    rate=st.floats(0.01, 0.5),
)
def test_a_longer_list_shows_smaller_differences(
    contacts: int, share: int, rate: float
) -> None:
    short = smallest_difference(contacts, 100 - share, share, rate)
    long = smallest_difference(4 * contacts, 100 - share, share, rate)
    if short is not None:
        assert long is not None
        assert 0 < long < short


@pytest.mark.parametrize("contacts", [0, 1, 2, 10])
def test_a_tiny_list_shows_no_difference(contacts: int) -> None:
    assert smallest_difference(contacts, 50, 50, 0.1) is None
