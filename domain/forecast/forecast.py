"""The forecast of a campaign: intervals, the pace by hour, its limits, and advice."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from domain.forecast.learned import Learned
from domain.forecast.parameters import draw_parameters
from domain.forecast.prior import Floats
from domain.forecast.quantities import (
    LEVELS,
    HourForecast,
    Intervals,
    Quantity,
)
from domain.forecast.runs import Runs
from domain.forecast.situation import Situation
from domain.forecast.small_campaigns import MOST_CONTACTS, run_contacts
from domain.forecast.strata import StrataSimulation
from domain.outcomes import Withheld
from domain.values import WaitingCode

DRAWS = 200
ADVICE_DRAWS = 60
MORE_SLOTS = 5
MOST_HOURS = 24 * 14
"""Hours of the series that a forecast shows at most."""

WORTH_MENTIONING = 0.05
"""An effect smaller than this share of the remaining time is not advised."""


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
    alternatives: Mapping[str, Situation] | None = None,
    widened: Mapping[Quantity, float] | None = None,
    day_effect: bool = True,
    advise: bool = True,
    draws: int = DRAWS,
) -> Forecast:
    """Simulate a situation, once for each draw, and summarise the results.

    `alternatives` are changed situations, by the words that name the change. `widened`
    are factors for the intervals, from the errors of past forecasts.
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
        advice=_advice(situation, learned, seed, alternatives) if advise else (),
        never=situation.never,
    )


def simulate(
    situation: Situation,
    learned: Learned,
    draws: int,
    seed: int,
    *,
    day_effect: bool = True,
) -> Runs:
    """Simulate a situation; the same seed gives the same results."""
    rng = np.random.default_rng(seed)
    parameters = draw_parameters(
        learned, draws, rng, today=situation.today, day_effect=day_effect
    )
    if situation.contacts <= MOST_CONTACTS:
        return run_contacts(situation, learned, parameters, rng)
    return StrataSimulation(situation, learned, parameters, rng).run()


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


# --- Advice -------------------------------------------------------------------------


def _advice(
    situation: Situation,
    learned: Learned,
    seed: int,
    alternatives: Mapping[str, Situation] | None,
) -> tuple[str, ...]:
    """Simulate changes of the campaign and describe those that matter."""
    if not situation.contacts:
        return ()
    base = simulate(situation, learned, ADVICE_DRAWS, seed)
    tried = {
        f"{MORE_SLOTS} more slots": replace(
            situation, slots=situation.slots + MORE_SLOTS
        )
    }
    if situation.budget is not None and WaitingCode.BUDGET_SPENT in base.limits:
        doubled = situation.budget * Decimal(2)
        tried["twice the budget"] = replace(situation, budget=doubled)
    tried.update(alternatives or {})
    return tuple(
        _effect(change, base, simulate(other, learned, ADVICE_DRAWS, seed))
        for change, other in tried.items()
    )


def _effect(change: str, base: Runs, other: Runs) -> str:
    """Describe what a change does to the finish, or to the human answers."""
    done = float((~base.unfinished).mean()), float((~other.unfinished).mean())
    if done[1] > done[0] + WORTH_MENTIONING:
        return f"{change}: the campaign is finished in {done[1]:.0%} of the cases."
    finish, humans = base.finish - other.finish, other.human - base.human
    parts = []
    if abs(float(np.median(finish))) > _noise(finish, base.finish, least=60.0):
        earlier = "earlier" if np.median(finish) > 0 else "later"
        difference = abs(float(np.median(finish)))
        parts.append(f"finished {_duration(difference)} {earlier}")
    if abs(float(humans.mean())) > _noise(humans, base.human, least=1.0):
        more = "more" if humans.mean() > 0 else "fewer"
        parts.append(f"{abs(float(humans.mean())):.0f} {more} human answers")
    return f"{change}: {' and '.join(parts) or 'no noticeable effect'}."


def _noise(differences: Floats, base: Floats, *, least: float) -> float:
    """Return the largest mean difference that chance alone may cause."""
    chance = float(3 * differences.std() / np.sqrt(len(differences)))
    return max(chance, WORTH_MENTIONING * float(np.median(base)), least)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
