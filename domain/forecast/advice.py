"""Changes of a campaign that may help, simulated like the campaign itself."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np

from domain.campaigns.retry_policy import PRESETS
from domain.forecast.learning.learned import Learned
from domain.forecast.learning.prior import Floats
from domain.forecast.simulation.runs import Runs
from domain.forecast.simulation.simulation import simulate
from domain.forecast.situation import Situation
from domain.values import WaitingCode

DRAWS = 60
MORE_SLOTS = 5

COARSENESS = 4
"""Differences between campaigns need less exact times than the forecast itself."""

OTHER_POLICIES = ("gentle", "patient", "urgent")
"""The retry presets that are tried; the one with the most human answers is shown."""

WORTH_MENTIONING = 0.05
"""An effect smaller than this share of the remaining time is not advised."""


def advice(
    situation: Situation,
    learned: Learned,
    seed: int,
    wider_hours: Situation | None = None,
) -> tuple[str, ...]:
    """Return one sentence for each change that is simulated, with its effect.

    All of them, and the campaign as it is, are simulated by stratum with the same
    numbers, so that the differences are due to the changes.
    """
    if not situation.contacts:
        return ()
    base = _simulated(situation, learned, seed)
    found = [
        _effect(change, base, _simulated(other, learned, seed))
        for change, other in _changes(situation, base, wider_hours)
    ]
    return (*found, *_another_policy(situation, base, learned, seed))


def _changes(
    situation: Situation, base: Runs, wider_hours: Situation | None
) -> Iterator[tuple[str, Situation]]:
    yield (
        f"{MORE_SLOTS} more slots",
        replace(situation, slots=situation.slots + MORE_SLOTS),
    )
    if wider_hours is not None:
        yield "all hours that the calling rules allow", wider_hours
    if situation.budget is not None and WaitingCode.BUDGET_SPENT in base.limits:
        doubled = situation.budget * Decimal(2)
        yield "twice the budget", replace(situation, budget=doubled)


def _another_policy(
    situation: Situation, base: Runs, learned: Learned, seed: int
) -> Iterator[str]:
    """Describe the preset with which most people answer, if more do than now."""
    best: tuple[str, Runs] | None = None
    for name in OTHER_POLICIES:
        if PRESETS[name] == situation.terms.policy:
            continue
        terms = replace(situation.terms, retry_policy=PRESETS[name])
        runs = _simulated(replace(situation, terms=terms), learned, seed)
        if best is None or runs.human.mean() > best[1].human.mean():
            best = name, runs
    if best is not None:
        gained = best[1].human - base.human
        if gained.mean() > _noise(gained, base.human, least=1.0):
            yield _effect(f"retry policy {best[0]}", base, best[1])


def _simulated(situation: Situation, learned: Learned, seed: int) -> Runs:
    return simulate(
        situation, learned, DRAWS, seed, most_by_contact=0, coarseness=COARSENESS
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
