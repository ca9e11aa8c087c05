"""Comparisons of goal rates that may be looked at after each contact."""

from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from domain.campaigns.arm_statistics import (
    ERROR_RATE,
    MIXTURE_WIDTH,
    POWER,
    Difference,
    Sample,
    difference,
    smallest_difference,
)

CONTACTS = 1_000
REPETITIONS = 500

SAMPLES = st.integers(1, 5_000).flatmap(
    lambda finished: st.builds(Sample, st.just(finished), st.integers(0, finished))
)

type Counts = NDArray[np.int64]
"""Finished contacts or goals of both arms after each contact [R, contacts, 2]."""


def looks(
    seed: int,
    repetitions: int,
    contacts: int,
    rates: tuple[float, float],
    share: float = 0.5,
) -> tuple[Counts, Counts]:
    """Draw repeated campaigns; return what is finished at each look, and the goals."""
    random = np.random.default_rng(seed)
    other = random.random((repetitions, contacts)) < share
    goal = random.random(other.shape) < np.where(other, rates[1], rates[0])
    arms = np.stack([~other, other], 2)
    return np.cumsum(arms, 1), np.cumsum(arms & goal[..., None], 1)


def alarms(
    rates: tuple[float, float],
    share: float = 0.5,
    *,
    contacts: int = CONTACTS,
    repetitions: int = REPETITIONS,
) -> float:
    """Return the share of campaigns in which a difference is found at any look.

    The product's own comparison decides, at the look with the greatest evidence. To
    find that look fast, the evidence is computed here for all looks at once.
    """
    finished, goals = looks(1, repetitions, contacts, rates, share)
    evidence = log_ratios(finished, goals)
    strongest = evidence.argmax(1)
    found = 0
    for number, look in enumerate(strongest):
        judged = compared(finished[number, look], goals[number, look])
        assert judged is not None
        expected = min(1.0, exp(-evidence[number, look]))
        assert judged.p_value == pytest.approx(expected)
        found += judged.p_value < ERROR_RATE
    return found / repetitions


def compared(finished: Counts, goals: Counts) -> Difference | None:
    """Compare two arms as the product does; both arguments are [2]."""
    samples = [
        Sample(int(n), int(reached)) for n, reached in zip(finished, goals, strict=True)
    ]
    return difference(samples[0], samples[1])


def log_ratios(finished: Counts, goals: Counts) -> NDArray[np.float64]:
    """Return the logarithm of the likelihood ratio at each look [R, contacts].

    It is -inf while an arm has no finished contact. The formula is that of Johari et
    al. (2022), written down independently of the product's code.
    """
    variance, distance = variances(finished, goals), distances(finished, goals)
    total, mixture = variance + MIXTURE_WIDTH**2, MIXTURE_WIDTH**2
    found = np.log(variance / total) / 2
    found += mixture * distance**2 / (2 * variance * total)
    return np.asarray(np.where((finished > 0).all(2), found, -np.inf))


def distances(finished: Counts, goals: Counts) -> NDArray[np.float64]:
    """Return the second arm's goal rate minus the first one's at each look."""
    rates = goals / np.maximum(finished, 1)
    return np.asarray(rates[..., 1] - rates[..., 0])


def variances(finished: Counts, goals: Counts) -> NDArray[np.float64]:
    """Return the variance of the difference of both rates at each look."""
    n = np.maximum(finished, 1)
    rate = (goals + 0.5) / (n + 1)
    pooled = (goals.sum(2) + 0.5) / (n.sum(2) + 1)
    different = (rate * (1 - rate) / n).sum(2)
    equal = pooled * (1 - pooled) * (1 / n).sum(2)
    return np.asarray(np.maximum(different, equal))


@pytest.mark.parametrize(("rate", "share"), [(0.1, 0.5), (0.1, 0.1), (0.3, 0.9)])
def test_equal_arms_watched_after_each_contact_are_told_apart_in_five_percent_at_most(
    rate: float, share: float
) -> None:
    assert alarms((rate, rate), share) <= ERROR_RATE


def test_the_evidence_of_all_looks_is_that_of_the_product() -> None:
    finished, goals = looks(2, 40, CONTACTS, (0.1, 0.2), 0.3)
    evidence = log_ratios(finished, goals)
    for look in (0, 1, 2, 5, 17, 60, 200, 999):
        for number in range(40):
            judged = compared(finished[number, look], goals[number, look])
            if judged is None:
                assert evidence[number, look] == -np.inf
            else:
                expected = min(1.0, exp(-evidence[number, look]))
                assert judged.p_value == pytest.approx(expected)


def test_a_fixed_test_watched_after_each_contact_finds_differences_that_are_not() -> (
    None
):
    """The textbook z-test of two proportions at 5 %, from 20 contacts an arm on."""
    finished, goals = looks(3, REPETITIONS, CONTACTS, (0.1, 0.1))
    n = np.maximum(finished, 1)
    pooled = goals.sum(2) / n.sum(2)
    variance = pooled * (1 - pooled) * (1 / n).sum(2)
    differs = np.abs(distances(finished, goals)) > 1.96 * np.sqrt(variance)
    rejected = differs & (variance > 0) & (finished.min(2) >= 20)
    assert rejected.any(1).mean() > 0.25


def test_the_interval_contains_the_true_difference_at_all_looks() -> None:
    """The product judges the look whose interval is the farthest from the truth."""
    rates, truth = (0.1, 0.18), 0.08
    finished, goals = looks(4, REPETITIONS, CONTACTS, rates)
    variance = variances(finished, goals)
    total, mixture = variance + MIXTURE_WIDTH**2, MIXTURE_WIDTH**2
    needed = np.log(1 / ERROR_RATE) + np.log(total / variance) / 2
    width = np.sqrt(2 * variance * total / mixture * needed)
    off = np.abs(distances(finished, goals) - truth) / width
    missed = 0
    for number, look in enumerate(np.where(finished.min(2) > 0, off, 0).argmax(1)):
        judged = compared(finished[number, look], goals[number, look])
        assert judged is not None
        is_missed = not judged.low <= truth <= judged.high
        assert is_missed == bool(off[number, look] > 1)
        missed += is_missed
    assert missed / REPETITIONS <= ERROR_RATE


def test_a_real_difference_is_found_long_before_the_list_ends() -> None:
    assert alarms((0.1, 0.25), repetitions=100) >= 0.95


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
    rates = (rate, rate + rise)
    shown = alarms(rates, contacts=contacts, repetitions=200)
    assert POWER - 0.05 <= shown <= 0.95


def test_half_of_the_smallest_difference_is_rarely_shown() -> None:
    rise = smallest_difference(1_000, 50, 50, 0.1)
    assert rise is not None
    rates = (0.1, 0.1 + rise / 2)
    assert alarms(rates, repetitions=200) < 0.5


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
