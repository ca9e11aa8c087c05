"""Compares goal rates of arms so that the result may be looked at any time.

A fixed test at the level 5 % that is looked at again and again rejects equal arms far
more often than in 5 % of cases. The mixture sequential probability ratio test (mSPRT)
does not: Johari, Koomen, Pekelis, Walsh, "Always Valid Inference: Continuous Monitoring
of A/B Tests", Operations Research 70(3), 2022; the mixture goes back to Robbins,
"Statistical Methods Related to the Law of the Iterated Logarithm", 1970.
"""

from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist

ERROR_RATE = 0.05
"""Probability that equal arms are ever found to differ, over all looks and arms."""

MIXTURE_WIDTH = 0.05
"""Standard deviation of the differences for which the test is built.

Differences of about this size are found the earliest; others are found later. A
campaign of 500 to 5,000 contacts can show differences of this size.
"""

POWER = 0.8
"""Probability with which the smallest difference is found, if it exists."""

_PRIOR = 0.5
"""Goals and failures added for the variance of a rate, which must not be 0."""

_STEPS = 60
"""Halvings of an interval of rates: more than the digits of a float."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An arm's finished contacts, and those among them that reached the goal."""

    finished: int
    goals: int

    @property
    def rate(self) -> float | None:
        """The share of goals; None without a finished contact."""
        return self.goals / self.finished if self.finished else None


@dataclass(frozen=True, slots=True)
class Difference:
    """An arm's goal rate minus that of the first arm, with an always-valid interval.

    The interval from `low` to `high` excludes 0 if and only if `p_value` is below
    ERROR_RATE.
    """

    low: float
    high: float
    p_value: float


def difference(first: Sample, other: Sample, *, arms: int = 2) -> Difference | None:
    """Compare an arm with the first one; None while one has no finished contact.

    With the difference d of the rates, its variance V, the mixture N(0, t^2) with
    t = MIXTURE_WIDTH, and the error rate a:

        likelihood ratio  L = sqrt(V / (V + t^2)) exp(t^2 d^2 / (2 V (V + t^2)))
        p-value           min(1, 1 / L)
        interval          d +- sqrt(2 V (V + t^2) / t^2
                                    (ln(1 / a) + ln((V + t^2) / V) / 2))

    which is the mSPRT of Johari et al. (2022) for normal data. V is estimated by the
    larger of two values, that for different rates and that for equal ones: in a small
    arm either of them alone can be far too low. With several `arms`, each of the
    arms - 1 comparisons gets an equal part of the error rate (Bonferroni), and its
    p-value is multiplied accordingly.
    """
    if not first.finished or not other.finished:
        return None
    comparisons = arms - 1
    distance = other.goals / other.finished - first.goals / first.finished
    variance = _variance((first.goals, first.finished), (other.goals, other.finished))
    width = _half_width(variance, ERROR_RATE / comparisons)
    total, mixed = variance + MIXTURE_WIDTH**2, MIXTURE_WIDTH**2
    log_ratio = log(variance / total) / 2 + mixed * distance**2 / (2 * variance * total)
    p_value = min(1.0, comparisons * exp(min(0.0, -log_ratio)))
    return Difference(max(-1.0, distance - width), min(1.0, distance + width), p_value)


def _half_width(variance: float, error_rate: float) -> float:
    """Return half the length of the always-valid interval of a difference."""
    total, mixed = variance + MIXTURE_WIDTH**2, MIXTURE_WIDTH**2
    needed = log(1 / error_rate) + log(total / variance) / 2
    return sqrt(2 * variance * total / mixed * needed)


def smallest_difference(
    contacts: int, first_share: int, share: int, goal_rate: float, *, arms: int = 2
) -> float | None:
    """Return the smallest rise of the goal rate that a list of contacts can show.

    That is the rise that the test finds with the probability POWER by the time all
    contacts are finished: half the interval's length plus the normal quantile of POWER
    times the standard deviation. The shares are in percent, `goal_rate` is that of the
    first arm, from 0 to 1. None if the list cannot even show a rise to 100 percent.
    """
    first, other = contacts * first_share / 100, contacts * share / 100
    if min(first, other) < 1:
        return None
    error_rate = ERROR_RATE / (arms - 1)
    quantile = NormalDist().inv_cdf(POWER)

    def is_found(rise: float) -> bool:
        variance = _variance(
            (goal_rate * first, first), ((goal_rate + rise) * other, other)
        )
        return rise >= _half_width(variance, error_rate) + quantile * sqrt(variance)

    low, high = 0.0, 1 - goal_rate
    if not is_found(high):
        return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_found(middle) else (middle, high)
    return high


def _variance(*arms: tuple[float, float]) -> float:
    """Return the variance of the difference of rates of two arms (goals, contacts)."""
    goals, contacts = (sum(numbers) for numbers in zip(*arms, strict=True))
    different = sum(_of_one(*arm) / arm[1] for arm in arms)
    equal = _of_one(goals, contacts) * sum(1 / size for _, size in arms)
    return max(different, equal)


def _of_one(goals: float, contacts: float) -> float:
    """Return the variance of whether one contact reaches the goal."""
    rate = (goals + _PRIOR) / (contacts + 2 * _PRIOR)
    return rate * (1 - rate)
