"""The forecast of a campaign: intervals, the pace by hour, its limits, and advice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from domain.forecast.advice import advice
from domain.forecast.learning.learned import Learned
from domain.forecast.learning.prior import Floats
from domain.forecast.quantities import (
    LEVELS,
    HourForecast,
    Intervals,
    Quantity,
)
from domain.forecast.simulation.runs import Runs
from domain.forecast.simulation.simulation import simulate
from domain.forecast.situation import Situation
from domain.outcomes import Withheld
from domain.values import WaitingCode

DRAWS = 200
MOST_HOURS = 24 * 14
"""Hours of the series that a forecast shows at most."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """How a campaign will probably go, seen from `made_at`.

    `quantities` are totals, with what was made before; the finish is in seconds after
    `made_at`. `attempts_seen` is the number of finished calls that it is based on.
    `hours` is the pace of the median run, `limits` the share of the time that each
    reason limits the pace. `never` counts contacts that are never called.
    """

    made_at: datetime
    attempts_seen: int
    quantities: Mapping[Quantity, Intervals]
    hours: tuple[HourForecast, ...] = ()
    limits: Mapping[WaitingCode, float] = field(default_factory=dict)
    advice: tuple[str, ...] = ()
    never: Mapping[Withheld, int] = field(default_factory=dict)


def forecast(
    situation: Situation,
    learned: Learned,
    *,
    seed: int,
    wider_hours: Situation | None = None,
    widened: Mapping[Quantity, float] | None = None,
    day_effect: bool = True,
    advise: bool = True,
    draws: int = DRAWS,
) -> Forecast:
    """Simulate a situation, once for each draw, and summarise the results.

    `wider_hours` is the situation if calls were allowed at all hours that the calling
    rules allow; None if they are. `widened` are factors for the intervals, from the
    errors of past forecasts. Without `advise` no changes are simulated.
    """
    runs = simulate(situation, learned, draws, seed, day_effect=day_effect)
    found = _intervals(situation, runs)
    for quantity, factor in (widened or {}).items():
        floor = _made(situation, quantity)
        found[quantity] = found[quantity].widened(factor, floor)
    return Forecast(
        made_at=situation.now,
        attempts_seen=learned.attempts_seen,
        quantities=found,
        hours=_hours(situation, runs),
        limits=_shares(runs),
        advice=advice(situation, learned, seed, wider_hours) if advise else (),
        never=situation.never,
    )


def _intervals(situation: Situation, runs: Runs) -> dict[Quantity, Intervals]:
    finish = np.where(runs.unfinished, np.inf, runs.finish)
    made = {
        Quantity.FINISH: finish,
        Quantity.CALLS: runs.calls,
        Quantity.ANSWERED: runs.answered,
        Quantity.HUMAN: runs.human,
        Quantity.GOALS: runs.goals,
        Quantity.SPEND: runs.spend,
    }
    return {
        quantity: _quantiles(values + _made(situation, quantity))
        for quantity, values in made.items()
    }


def _quantiles(values: Floats) -> Intervals:
    found = np.quantile(values, LEVELS, method="nearest")
    return Intervals(tuple(float(q) if np.isfinite(q) else None for q in found))


def _made(situation: Situation, quantity: Quantity) -> float:
    made = situation.made
    before: dict[Quantity, int | Decimal] = {
        Quantity.CALLS: made.calls,
        Quantity.ANSWERED: made.answered,
        Quantity.HUMAN: made.human,
        Quantity.GOALS: made.goals,
        Quantity.SPEND: made.spend,
    }
    return float(before.get(quantity, 0))


def _hours(situation: Situation, runs: Runs) -> tuple[HourForecast, ...]:
    calls = np.median(runs.calls_by_hour, 0)
    spend = np.median(runs.spend_by_hour, 0)
    used = np.flatnonzero(runs.calls_by_hour.mean(0) > 0)
    last = min(int(used[-1]) + 1 if len(used) else 0, MOST_HOURS)
    return tuple(
        HourForecast(
            situation.now + timedelta(hours=hour),
            float(calls[hour]),
            round(float(spend[hour]), 4),
        )
        for hour in range(last)
    )


def _shares(runs: Runs) -> dict[WaitingCode, float]:
    total = max(runs.seconds, 1.0)
    return {
        code: round(seconds / total, 4)
        for code, seconds in sorted(runs.limits.items(), key=lambda one: -one[1])
    }
