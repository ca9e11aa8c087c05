"""One possible world for each draw: rates, durations, costs, effects of days."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from domain.forecast.learning import prior
from domain.forecast.learning.learned import Learned
from domain.forecast.learning.prior import BIN_SECONDS, HUMAN, Floats
from domain.forecast.situation import DAY_SECONDS

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
    learned: Learned,
    draws: int,
    rng: np.random.Generator,
    *,
    today: date | None = None,
    day_effect: bool = True,
) -> Parameters:
    """Draw from what is known; without `day_effect` all days are alike.

    `today` is the first of the simulated days: if the campaign's own calls were all
    made on this day, they say something about its effect.
    """
    length = np.exp(rng.normal(*learned.length, draws))
    price = np.exp(rng.normal(*learned.price, draws))
    means = (learned.seconds * BIN_SECONDS).sum(1)
    size = draws, DAYS
    day_sd = learned.day_sd if day_effect else 0.0
    human = _human(learned, draws, rng, day_sd)
    days = rng.normal(0, day_sd, size)
    if day_effect and today is not None and learned.own_day == today:
        days[:, 0] = _effect_of_today(learned, human[:, 0], days[:, 0])
    struck = rng.random(size) < 1 - np.exp(-prior.OUTAGES_A_DAY)
    return Parameters(
        outcomes=_outcomes(learned, human, rng),
        seconds=means[None, :] * length[:, None],
        cost=learned.cost[None, :] * price[:, None],
        goal=rng.beta(*learned.goals, draws),
        days=days,
        length=length,
        outages=struck * rng.exponential(prior.OUTAGE_MINUTES, size) * 60,
        outage_from=rng.uniform(0, DAY_SECONDS, size),
    )


def _human(
    learned: Learned, draws: int, rng: np.random.Generator, day_sd: float
) -> Floats:
    """Draw the share of human answers at each attempt [D, attempts] on a usual day.

    A campaign whose first calls reach few people reaches few with later ones too: the
    deviation of the first attempt shifts the rates of all others. The own calls share
    the effects of the days on which they were made; so many calls of one day say less
    about other days than their number suggests.
    """
    calls = learned.own.outcomes.sum(1)
    answered = learned.own.outcomes[:, HUMAN].sum(1)
    usual = learned.base[:, HUMAN].sum(1)
    variance = usual * (1 - usual) * day_sd**2 / learned.own_days
    counts = 1 / (1 + calls * variance)
    cases, others = counts * answered, counts * (calls - answered)
    weight = learned.weight
    first = rng.beta(
        weight * usual[0] + cases[0], weight * (1 - usual[0]) + others[0], draws
    )
    shift = _log_odds(first) - _log_odds(usual[0])
    odds = np.exp(_log_odds(usual)[None, 1:] + shift[:, None])
    expected = np.clip(odds / (1 + odds), 1e-4, 1 - 1e-4)
    later = rng.beta(
        ATTEMPT_WEIGHT * expected + cases[1:],
        ATTEMPT_WEIGHT * (1 - expected) + others[1:],
    )
    human = np.concatenate([first[:, None], later], 1)
    return np.asarray(np.clip(human, 1e-6, 1 - 1e-6))


def _effect_of_today(learned: Learned, first: Floats, drawn: Floats) -> Floats:
    """Return the effect of the day of the own calls, given a usual day's rate [D].

    It is the normal approximation of Bayes' rule: the first calls show the sum of the
    campaign's log-odds and the day's effect. `drawn` are unconditional effects.
    """
    calls = learned.own.outcomes[0].sum()
    human = learned.own.outcomes[0, HUMAN].sum()
    rate = (human + 0.5) / (calls + 1)
    noise = 1 / max(calls * rate * (1 - rate), 1e-9)
    known = learned.day_sd**2 / (learned.day_sd**2 + noise)
    seen = _log_odds(rate) - _log_odds(first)
    return np.asarray(known * seen + np.sqrt(1 - known) * drawn)


def _outcomes(learned: Learned, human: Floats, rng: np.random.Generator) -> Floats:
    """Draw the probabilities of all outcomes [D, attempts, K] for those of `human`.

    The mix of the other outcomes differs between campaigns, whose lists reach more or
    fewer voicemail boxes; it is the same at all attempts, relative to `base`.
    """
    own = learned.own.outcomes.sum(0)
    found = np.empty((len(human), *learned.base.shape))
    for kinds, share in ((HUMAN, human), (~HUMAN, 1 - human)):
        usual = learned.base[:, kinds] / learned.base[:, kinds].sum(1, keepdims=True)
        counts = learned.mix_weight * usual[0] + own[kinds]
        tilt = _dirichlet(counts, len(human), rng) / usual[0]
        mix = usual[None] * tilt[:, None]
        found[..., kinds] = share[..., None] * mix / mix.sum(2, keepdims=True)
    return found


def day_of(seconds: float, first_midnight: float) -> tuple[int, float]:
    """Return the index of the day of a time, and the seconds since the day's begin.

    Both times are in seconds from the begin of the simulation.
    """
    since = seconds - first_midnight + DAY_SECONDS
    day = min(max(int(since // DAY_SECONDS), 0), DAYS - 1)
    return day, since - day * DAY_SECONDS


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


def _log_odds(rate: Floats | float) -> Floats:
    bounded = np.clip(rate, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(bounded / (1 - bounded)))
