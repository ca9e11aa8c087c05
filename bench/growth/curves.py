"""Curves: what an operation costs at several sizes of its data."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import log

TOLERANCE = 1.15
"""An exponent up to this counts as proportional: sorting and indexes add a little."""


@dataclass(slots=True)
class Curve:
    """The cost of one operation in `unit`, by the size of its data."""

    name: str
    unit: str
    points: list[tuple[int, float]] = field(default_factory=list)

    @property
    def exponent(self) -> float:
        """The exponent of the growth from the smallest to the largest size.

        0: the cost does not depend on the size; 1: it is proportional to it.
        """
        (small, first), (large, last) = self.points[0], self.points[-1]
        if first <= 0 or last <= 0 or small == large:
            return 0.0
        return log(last / first) / log(large / small)

    @property
    def grows_too_fast(self) -> bool:
        """Whether the cost grows faster than the data."""
        return self.exponent > TOLERANCE


@dataclass(slots=True)
class Subject:
    """Curves over the size of one kind of data, such as events in the log."""

    key: str
    title: str
    curves: dict[str, Curve] = field(default_factory=dict)

    def add(self, size: int, name: str, unit: str, value: float) -> None:
        """Add a point to the curve with this name."""
        curve = self.curves.setdefault(name, Curve(name, unit))
        curve.points.append((size, value))


def best(work: Callable[[], float], times: int) -> float:
    """Return the lowest of several measurements: other programs only add to it."""
    return min(work() for _ in range(times))


def as_table(subjects: Iterable[Subject]) -> str:
    """Return a Markdown table with a row for each curve."""
    lines = [
        "| data | operation | small | medium | large | exponent | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for subject in subjects:
        for curve in subject.curves.values():
            values = " | ".join(f"{value:.3g}" for _, value in curve.points)
            note = "grows faster than its data" if curve.grows_too_fast else ""
            what = f"{curve.name}, {curve.unit}"
            lines.append(
                f"| {subject.title} | {what} | {values} | {curve.exponent:.2f} |"
                f" {note} |"
            )
    return "\n".join(lines)
