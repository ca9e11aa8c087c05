"""Targets of figures: for the ratio, for the value, for small values."""

import pytest

from bench.support.figures import Figure, as_table


@pytest.mark.parametrize(
    ("figure", "target", "is_met"),
    [
        (Figure(name="f", value=8, unit="x"), "", True),
        (Figure(name="f", value=8, unit="x", target=8), "<= 8", True),
        (Figure(name="f", value=9, unit="x", target=8), "<= 8", False),
        (Figure(name="f", value=8, unit="x", baseline=10, target=0.8), ">= 0.8", True),
        (Figure(name="f", value=7, unit="x", baseline=10, target=0.8), ">= 0.8", False),
        (Figure(name="f", value=7, unit="x", enough=7), ">= 7 x", True),
        (Figure(name="f", value=6, unit="x", enough=7), ">= 7 x", False),
    ],
)
def test_a_target_limits_the_value_or_the_ratio(
    figure: Figure, target: str, *, is_met: bool
) -> None:
    assert figure.meets_target is is_met
    cells = [cell.strip() for cell in as_table([figure]).splitlines()[-1].split("|")]
    assert cells[-3:-1] == [target, "" if is_met else "MISSED"]


@pytest.mark.parametrize(
    ("value", "is_met"), [(100, False), (150, True), (200, True), (40, False)]
)
def test_a_value_that_is_enough_needs_no_ratio(value: float, *, is_met: bool) -> None:
    figure = Figure(name="f", value=value, unit="x", baseline=5, target=40, enough=150)
    assert figure.meets_target is is_met


@pytest.mark.parametrize(("value", "is_met"), [(49, True), (51, False)])
def test_a_small_value_is_compared_with_its_baseline(
    value: float, *, is_met: bool
) -> None:
    figure = Figure(
        name="f",
        value=value,
        unit="ms",
        baseline=10,
        target=5,
        smaller_is_better=True,
    )
    assert figure.meets_target is is_met
    assert "<= 5 " in as_table([figure])
