"""The forecast quantities, their intervals, and how good intervals were.

Events contain these values, so this module does not load numpy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import ceil, exp

LEVELS = tuple(level / 20 for level in range(1, 20))
"""The probabilities of the quantiles that are stored: 5, 10, ... 95 %."""

P10, P50, P90 = 1, 9, 17
"""Indexes of the 10th, 50th and 90th percentile."""

CALIBRATED_FROM = 20
"""Scored campaigns before intervals are corrected and coverage is shown."""

COVERED, STEP = 0.8, 0.2
"""Share of results that intervals should contain; how fast their widening follows."""

WIDEST, NARROWEST = 5.0, 0.5
"""Bounds of the factor by which intervals are widened."""


class Quantity(StrEnum):
    """What is forecast of a campaign. FINISH is in seconds, SPEND in US dollars."""

    FINISH = "FINISH"
    CALLS = "CALLS"
    ANSWERED = "ANSWERED"
    HUMAN = "HUMAN"
    GOALS = "GOALS"
    SPEND = "SPEND"


@dataclass(frozen=True, slots=True)
class HourForecast:
    """Calls and spend (US dollars) of the hour that begins at `begins`."""

    begins: datetime
    calls: float
    spend: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """Quantiles at `LEVELS`; None where it may never happen.

    `widened_by` is the factor by which they were widened around the median.
    """

    quantiles: tuple[float | None, ...]
    widened_by: float = 1.0

    @property
    def p10(self) -> float | None:
        """The 10th percentile."""
        return self.quantiles[P10]

    @property
    def p50(self) -> float | None:
        """The median."""
        return self.quantiles[P50]

    @property
    def p90(self) -> float | None:
        """The 90th percentile."""
        return self.quantiles[P90]

    def widened(self, factor: float, least: float) -> "Intervals":
        """Return the intervals stretched around the median, not below `least`."""
        middle = self.p50
        if middle is None:
            return self
        stretched = tuple(
            None if one is None else max(middle + factor * (one - middle), least)
            for one in self.quantiles
        )
        return Intervals(stretched, self.widened_by * factor)

    def contains(self, value: float) -> bool:
        """Return whether the 80 % interval contains the value."""
        low, high = self.p10, self.p90
        return low is not None and low <= value and (high is None or value <= high)

    def crps(self, value: float) -> float | None:
        """Return the continuous ranked probability score; less is better.

        It is the mean quantile loss over the levels, times two; None if a quantile is
        missing. See Gneiting and Raftery 2007, section 4.2.
        """
        total = 0.0
        for level, quantile in zip(LEVELS, self.quantiles, strict=True):
            if quantile is None:
                return None
            below = value < quantile
            total += (quantile - value) * (below - level)
        return 2 * total / len(LEVELS)

    def miss(self, value: float) -> float | None:
        """Return the distance from the median in half widths of the unwidened interval.

        None if the interval has no end or no width on that side.
        """
        low, middle, high = self.p10, self.p50, self.p90
        if low is None or middle is None or high is None:
            return None
        half = (high - middle if value >= middle else middle - low) / self.widened_by
        if half <= 0:
            return 0.0 if value == middle else None
        return abs(value - middle) / half


def widening(misses: Sequence[float]) -> float:
    """Return the factor for the next interval, from past misses, oldest first.

    It begins with the conformal quantile of the first `CALIBRATED_FROM` misses, for
    which 80 % of those results would have been inside; with fewer misses it is 1.
    Every later result moves it: up if it was outside, down by a quarter of that if it
    was inside. So four of five results are inside in the long run, also when the errors
    become smaller because the model has learned more. See Gibbs and Candes, "Adaptive
    Conformal Inference Under Distribution Shift", 2021.
    """
    if len(misses) < CALIBRATED_FROM:
        return 1.0
    first, later = sorted(misses[:CALIBRATED_FROM]), misses[CALIBRATED_FROM:]
    index = min(ceil(COVERED * (len(first) + 1)), len(first)) - 1
    factor = min(max(first[index], NARROWEST), WIDEST)
    for miss in later:
        factor *= exp(STEP * ((miss > factor) - (1 - COVERED)))
        factor = min(max(factor, NARROWEST), WIDEST)
    return factor
