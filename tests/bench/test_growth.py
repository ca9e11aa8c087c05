"""Curves say whether a cost grows faster than its data."""

import re
from pathlib import Path

import pytest

from bench.growth.curves import Curve, Subject, as_table
from bench.growth.plot import plot


@pytest.mark.parametrize(
    ("costs", "exponent", "too_fast"),
    [
        ((5.0, 5.0, 5.0), 0, False),
        ((1.0, 10.0, 100.0), 1, False),
        ((1.0, 100.0, 10_000.0), 2, True),
    ],
)
def test_the_exponent_compares_the_smallest_and_the_largest_size(
    costs: tuple[float, ...], exponent: float, *, too_fast: bool
) -> None:
    points = list(zip((10, 100, 1_000), costs, strict=True))
    curve = Curve("one", "ms", points=points)
    assert curve.exponent == pytest.approx(exponent)
    assert curve.grows_too_fast is too_fast


def subject() -> Subject:
    found = Subject("events", "events in the log")
    for size in (10, 100, 1_000):
        found.add(size, "append", "ms", 2.0)
        found.add(size, "rebuild", "s", size**2)
    return found


def test_the_table_names_a_cost_that_grows_faster_than_its_data() -> None:
    append, rebuild = as_table([subject()]).splitlines()[2:]
    assert "| append, ms | 2 | 2 | 2 | 0.00 |  |" in append
    assert rebuild.endswith("| 2.00 | grows faster than its data |")


def test_the_same_curves_are_drawn_as_the_same_file(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.svg", "two.svg")]
    for file in files:
        plot(subject(), file)
    first, second = (file.read_text() for file in files)
    assert first == second
    assert re.search(r"<!-- append -->", first)
    assert re.search(r"<!-- events in the log -->", first)
