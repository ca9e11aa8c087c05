"""One possible world for each draw: rates, durations, costs, effects of days."""

from dataclasses import dataclass

import numpy as np

from domain.forecast import prior
from domain.forecast.counts import ATTEMPTS
from domain.forecast.learned import Learned
from domain.forecast.prior import BIN_SECONDS, HUMAN, Floats

DAYS = 90
"""Number of days for which effects are drawn."""

ATTEMPT_WEIGHT = 100.0
"""For how many calls the rates of later attempts count, given those of the first."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is drawn once for each of D draws; K are the outcomes.

    `outcomes` [D, attempts, K] are probabilities, `seconds` [D, K] mean durations,
    `cost` [D, K] the mean cost of a call in US dollars, `goal` [D] the share of human
    answers with the goal, `days` [D, DAYS] the day's effect on the log-odds of a human
    answer, and `length` [D] the factor of all durations. `outages` [D, DAYS] are the
    seconds of an outage on each day, usually 0, that begins `outage_from` seconds after
    the day's begin.
    """

    outcomes: Floats
    seconds: Floats
    cost: Floats
    goal: Floats
    days: Floats
    length: Floats
    outages: Floats
    outage_from: Floats


def draw_parameters(
    learned: Learned, draws: int, rng: np.random.Generator, *, day_effect: bool = True
) -> Parameters:
    """Draw from what is known; without `day_effect` all days are alike."""
    length = np.exp(rng.normal(*learned.length, draws))
    price = np.exp(rng.normal(*learned.price, draws))
    means = (learned.seconds * BIN_SECONDS).sum(1)
    size = (draws, DAYS)
    days = rng.normal(0, learned.day_sd, size) if day_effect else np.zeros(size)
    struck = rng.random(size) < 1 - np.exp(-prior.OUTAGES_A_DAY)
    return Parameters(
        outcomes=_outcomes(learned, draws, rng),
        seconds=means[None, :] * length[:, None],
        cost=learned.cost[None, :] * price[:, None],
        goal=rng.beta(*learned.goals, draws),
        days=days,
        length=length,
        outages=struck * rng.exponential(prior.OUTAGE_MINUTES, size) * 60,
        outage_from=rng.uniform(0, 86_400, size),
    )


def _outcomes(learned: Learned, draws: int, rng: np.random.Generator) -> Floats:
    """Draw the probabilities of outcomes for each attempt.

    A campaign whose first calls reach few people reaches few with later ones too: the
    deviation of the first attempt shifts the rates of all others.
    """
    own = learned.own.outcomes
    first = _dirichlet(learned.weight * learned.base[0] + own[0], draws, rng)
    shift = _log_odds(first[:, HUMAN].sum(1)) - _log_odds(learned.base[0, HUMAN].sum())
    found = [first]
    for attempt in range(1, ATTEMPTS):
        expected = shifted(np.tile(learned.base[attempt], (draws, 1)), shift)
        drawn = rng.standard_gamma(ATTEMPT_WEIGHT * expected + own[attempt])
        found.append(drawn / drawn.sum(1, keepdims=True))
    return np.stack(found, 1)


def shifted(probabilities: Floats, log_odds: Floats) -> Floats:
    """Return probabilities [..., K] with other log-odds of a human answer.

    The ratios among the human outcomes, and among the others, stay as they are.
    """
    human = probabilities[..., HUMAN].sum(-1)
    odds = np.exp(log_odds) * human / np.maximum(1 - human, 1e-9)
    after = odds / (1 + odds)
    more = after / np.maximum(human, 1e-12)
    less = (1 - after) / np.maximum(1 - human, 1e-9)
    return np.asarray(probabilities * np.where(HUMAN, more[..., None], less[..., None]))


def _dirichlet(counts: Floats, draws: int, rng: np.random.Generator) -> Floats:
    drawn = rng.standard_gamma(np.tile(counts, (draws, 1)))
    return np.asarray(drawn / drawn.sum(1, keepdims=True))


def _log_odds(rate: Floats) -> Floats:
    bounded = np.clip(rate, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(bounded / (1 - bounded)))
