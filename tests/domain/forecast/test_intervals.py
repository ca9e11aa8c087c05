"""Intervals, their scores, and their correction by past errors."""

from random import Random

import pytest

from domain.forecast.quantities import LEVELS, Intervals, widening

UNIFORM = Intervals(tuple(LEVELS))
"""The quantiles of the uniform distribution from 0 to 1."""


def test_the_score_of_a_uniform_forecast_is_that_of_the_textbook() -> None:
    # The CRPS of the uniform distribution on [0, 1] for y is 1/3 - y + y^2.
    assert UNIFORM.crps(0.5) == pytest.approx(1 / 12, abs=0.01)
    assert UNIFORM.crps(0.0) == pytest.approx(1 / 3, abs=0.02)


def test_the_score_of_a_single_value_is_its_distance() -> None:
    point = Intervals((7.0,) * len(LEVELS))
    assert point.crps(10.0) == pytest.approx(3.0)


def test_a_forecast_that_may_never_happen_has_no_score() -> None:
    open_ended = Intervals((*[1.0] * 18, None))
    assert open_ended.crps(1.0) is None
    assert open_ended.contains(5.0) is False
    assert Intervals((*[1.0] * 10, *[None] * 9)).contains(5.0)


def test_intervals_are_stretched_around_the_median_but_not_below_the_least() -> None:
    wide = UNIFORM.widened(2.0, 0.2)
    assert (wide.p10, wide.p50, wide.p90) == pytest.approx((0.2, 0.5, 1.3))
    assert wide.widened_by == 2.0


def test_the_first_widening_would_have_covered_four_of_five_past_results() -> None:
    misses = [n / 10 for n in range(1, 21)]
    factor = widening(misses)
    assert sum(miss <= factor for miss in misses) / len(misses) == pytest.approx(
        0.8, abs=0.051
    )


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.5])
def test_the_widening_covers_four_of_five_results_although_the_errors_change(
    scale: float,
) -> None:
    dice = Random(3)
    misses = [abs(dice.gauss(0, 1)) for _ in range(20)]
    inside = 0
    for _ in range(200):
        miss = abs(dice.gauss(0, scale))
        inside += miss <= widening(misses)
        misses.append(miss)
    assert inside / 200 == pytest.approx(0.8, abs=0.05)


def test_nothing_is_corrected_before_twenty_campaigns() -> None:
    assert widening([9.0] * 19) == 1.0
    assert widening([2.0] * 20) == 2.0


def test_a_miss_is_measured_in_widths_before_the_correction() -> None:
    assert UNIFORM.miss(0.9) == pytest.approx(1.0)
    assert UNIFORM.widened(2.0, -9).miss(0.9) == pytest.approx(1.0)
