"""Rates learned from past calls, with their uncertainty.

Probabilities are shrunk along a chain: the assumptions of `prior.py`, the calls of the
installation's finished campaigns, those of its campaigns with the same assistant, those
with the same list (a campaign and its redials), the calls of this campaign. Each level
counts as a number of imaginary calls for the next one, so every probability is a
weighted mean of counts that can be shown.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np

from domain.forecast.learning import prior
from domain.forecast.learning.counts import (
    ATTEMPTS,
    BANDS,
    DURATION_BINS,
    OUTCOMES,
    CampaignCounts,
    duration_bin,
)
from domain.forecast.learning.prior import BIN_SECONDS, HUMAN, PRIOR_CALLS, Floats
from domain.forecast.learning.survival import completed
from domain.outcomes import CallOutcome

INDEX = {kind: index for index, kind in enumerate(OUTCOMES)}
MOST_WEIGHT = 400.0
"""Largest number of calls for which the installation's rates count in a campaign."""

BAND_CALLS = 50.0
"""Number of calls for which "the band makes no difference" counts."""

FEWEST_CALLS = 30
"""Campaigns with fewer first calls are not used to compare campaigns."""

FEWEST_CAMPAIGNS = 5
"""With fewer campaigns the differences between campaigns are assumed."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Counts of one or several campaigns as arrays; K are the outcomes.

    `outcomes` [attempts, K], `bands` [BANDS, attempts, 2] of calls and human answers,
    `durations` [K, bins], `costs` [K, 3] of calls, dollars and their squares.
    """

    outcomes: Floats
    bands: Floats
    durations: Floats
    costs: Floats
    human: int = 0
    goals: int = 0

    @classmethod
    def of(cls, campaigns: Sequence[CampaignCounts]) -> "Tables":
        """Add up the counts of campaigns."""
        outcomes = np.zeros((ATTEMPTS, len(OUTCOMES)))
        bands = np.zeros((BANDS, ATTEMPTS, 2))
        durations = np.zeros((len(OUTCOMES), DURATION_BINS))
        costs = np.zeros((len(OUTCOMES), 3))
        for campaign in campaigns:
            for one in campaign.outcomes:
                kind, attempt = INDEX[one.outcome], one.attempt - 1
                outcomes[attempt, kind] += one.calls
                if one.band is not None:
                    counted = one.calls, one.calls if HUMAN[kind] else 0
                    bands[one.band, attempt] += counted
            for duration in campaign.durations:
                durations[INDEX[duration.outcome], duration.bin] += duration.calls
            for cost in campaign.costs:
                sums = cost.calls, float(cost.total), float(cost.squares)
                costs[INDEX[cost.outcome]] += sums
        human = sum(one.human for one in campaigns)
        goals = sum(one.goals for one in campaigns)
        return cls(outcomes, bands, durations, costs, human, goals)


@dataclass(frozen=True, slots=True)
class Learned:
    """The model of a campaign's calls, before numbers are drawn from it.

    `base` [attempts, K] are the probabilities without the campaign's own calls, which
    are in `own`. Beside those, `base` counts as `weight` calls for the share of human
    answers and as `mix_weight` calls for the mix of the other outcomes. `own_days` is
    the effective number of days of the own calls, `own_day` their day if there is only
    one. `reachable` and `answers`
    explain how the rate of human answers falls with the attempts. `bands` are factors
    of the odds of a human answer. `seconds` [K, bins] are the probabilities of
    durations. `cost` and `cost_sd` [K] are in US dollars for one call. `length` and
    `price` are the mean and standard deviation of the logarithm of the campaign's own
    factor for durations and costs. `goals` are the parameters of a beta distribution.
    """

    base: Floats
    weight: float
    mix_weight: float
    own: Tables
    own_days: float
    own_day: date | None
    reachable: float
    answers: float
    bands: Floats
    seconds: Floats
    cost: Floats
    cost_sd: Floats
    length: tuple[float, float]
    price: tuple[float, float]
    goals: tuple[float, float]
    day_sd: float
    attempts_seen: int


def learn(
    history: Sequence[CampaignCounts],
    own: CampaignCounts,
    running_seconds: Sequence[float] = (),
) -> Learned:
    """Learn from the finished campaigns and the calls of this one.

    `running_seconds` are the durations so far of calls in progress, which will take
    longer.
    """
    past, mine = Tables.of(history), Tables.of([own])
    both = past.outcomes + mine.outcomes
    reachable, answers = fit_reach(both)
    expected = prior.composed(prior.hazards(reachable, answers))
    base = (PRIOR_CALLS * expected + past.outcomes) / (
        PRIOR_CALLS + past.outcomes.sum(1, keepdims=True)
    )
    day_sd = _day_sd([*history, own])
    weight = _human_weight(history, day_sd)
    for campaigns in _levels(history, own):
        base = _shrunk(base, weight, campaigns)
    censored = np.zeros(DURATION_BINS)
    for age in running_seconds:
        censored[duration_bin(age)] += 1
    seconds = _durations(past.durations + mine.durations, censored)
    cost, cost_sd = _costs(past.costs + mine.costs)
    return Learned(
        base=base,
        weight=weight,
        mix_weight=_mix_weight(history),
        own=mine,
        own_days=_effective_days(own),
        own_day=own.days[0].day if len(own.days) == 1 else None,
        reachable=reachable,
        answers=answers,
        bands=_bands(past.bands + mine.bands, both),
        seconds=seconds,
        cost=cost,
        cost_sd=cost_sd,
        length=_own_length(history, mine, seconds),
        price=_own_price(history, mine, cost, cost_sd),
        goals=_goals(past, mine),
        day_sd=day_sd,
        attempts_seen=int(both.sum()),
    )


def _levels(
    history: Sequence[CampaignCounts], own: CampaignCounts
) -> Iterator[list[CampaignCounts]]:
    """Yield the campaigns with the same assistant, then those with the same list."""
    for key in ("assistant_id", "list_id"):
        value = getattr(own, key)
        if value is not None:
            yield [one for one in history if getattr(one, key) == value]


def _shrunk(base: Floats, weight: float, campaigns: Sequence[CampaignCounts]) -> Floats:
    """Return the probabilities of a level: `base` counts as `weight` calls in it.

    A campaign counts as `weight` calls at most, because the rest of its calls say more
    about itself than about the level.
    """
    counts = np.zeros_like(base)
    for campaign in campaigns:
        outcomes = Tables.of([campaign]).outcomes
        calls = outcomes.sum(1, keepdims=True)
        counts += outcomes * np.minimum(1, weight / np.maximum(calls, 1))
    calls = counts.sum(1, keepdims=True)
    return np.asarray((weight * base + counts) / (weight + calls))


def fit_reach(outcomes: Floats) -> tuple[float, float]:
    """Fit the share of reachable contacts, and how often they answer, to the counts.

    It is the most probable pair of a grid; the assumptions count as `PRIOR_CALLS` calls
    at each attempt.
    """
    assumed = PRIOR_CALLS * prior.hazards(prior.REACHABLE, prior.ANSWERS)
    human = outcomes[:, HUMAN].sum(1) + assumed
    missed = outcomes.sum(1) + PRIOR_CALLS - human
    pairs, rates = _reach_grid()
    likelihood = np.log(rates) @ human + np.log1p(-rates) @ missed
    return pairs[int(np.argmax(likelihood))]


@cache
def _reach_grid() -> tuple[list[tuple[float, float]], Floats]:
    """Return pairs of shares, and the rates of human answers that follow from each."""
    pairs = [
        (float(reachable), float(answers))
        for reachable in np.arange(0.05, 1.0, 0.05)
        for answers in np.arange(0.02, 0.98, 0.02)
    ]
    return pairs, np.stack([prior.hazards(*pair) for pair in pairs])


def _human_weight(history: Sequence[CampaignCounts], day_sd: float) -> float:
    """Return for how many calls the other campaigns' rates of human answers count.

    Most first calls of a campaign are made on few days, so the effect of those days is
    a part of the difference between campaigns. It is subtracted here, because the
    effect of each day is drawn separately.
    """
    rates, days = [], []
    for campaign in history:
        first = Tables.of([campaign]).outcomes[0]
        rates.append((first[HUMAN].sum(), first.sum()))
        days.append(_effective_days(campaign))
    by_days = day_sd**2 * float(np.mean([1 / one for one in days])) if days else 0.0
    return _weight(rates, lambda mean: (mean * (1 - mean)) ** 2 * by_days)


def _mix_weight(history: Sequence[CampaignCounts]) -> float:
    """Return for how many calls the other campaigns' mix of other outcomes counts.

    It is estimated from the share of voicemail among calls that no person answered.
    """
    rates = []
    for campaign in history:
        outcomes = Tables.of([campaign]).outcomes.sum(0)
        voicemail = outcomes[INDEX[CallOutcome.VOICEMAIL]]
        rates.append((voicemail, outcomes[~HUMAN].sum()))
    return _weight(rates)


def _weight(
    counted: Sequence[tuple[float, float]],
    explained: Callable[[float], float] = lambda _mean: 0.0,
) -> float:
    """Return for how many calls the mean of campaigns' shares counts in a new one.

    `counted` are the cases and the calls of each campaign. The more the shares differ
    beyond chance and beyond what is `explained`, the less they count: the moment
    estimate of a beta-binomial distribution, from `PRIOR_CALLS` to `MOST_WEIGHT`.
    """
    rates = [(cases / calls, calls) for cases, calls in counted if calls > FEWEST_CALLS]
    if len(rates) < FEWEST_CAMPAIGNS:
        return PRIOR_CALLS
    shares, calls_made = np.array(rates).T
    mean = float(np.clip(shares.mean(), 0.01, 0.99))
    chance = float((mean * (1 - mean) / calls_made).mean())
    between = max(float(shares.var(ddof=1)) - chance - explained(mean), 1e-6)
    return float(np.clip(mean * (1 - mean) / between - 1, PRIOR_CALLS, MOST_WEIGHT))


def _effective_days(campaign: CampaignCounts) -> float:
    """Return the number of days with equally many calls that vary as much; 1 at least.

    A day with few calls hardly adds to the mean, so it hardly counts.
    """
    calls = np.array([one.calls for one in campaign.days], float)
    return float(calls.sum() ** 2 / (calls**2).sum()) if calls.any() else 1.0


def _bands(bands: Floats, outcomes: Floats) -> Floats:
    """Return the factor of each band for the odds of a human answer.

    A band is compared with the calls of the same attempts in all bands, because late
    attempts reach fewer people whatever the hour.
    """
    calls = outcomes.sum(1) + PRIOR_CALLS
    human = outcomes[:, HUMAN].sum(1) + PRIOR_CALLS * 0.2
    rate = human / calls
    expected = (bands[:, :, 0] * rate).sum(1)
    seen = bands[:, :, 1].sum(1)
    common = float(rate[0])
    found = (seen + BAND_CALLS * common) / (expected + BAND_CALLS * common)
    return np.asarray(np.clip(found, 0.25, 4.0))


def _durations(counts: Floats, censored: Floats) -> Floats:
    """Return the probabilities of durations; running calls count as conversations."""
    total = counts + prior.durations()
    pmf = total / total.sum(1, keepdims=True)
    if censored.any():
        talk = INDEX[OUTCOMES[0]]
        pmf[talk] = completed(total[talk], censored)
    return np.asarray(pmf)


def _costs(sums: Floats) -> tuple[Floats, Floats]:
    """Return the mean cost of a call and its standard deviation, by outcome."""
    assumed = prior.costs()
    calls = sums[:, 0] + PRIOR_CALLS
    mean = (sums[:, 1] + PRIOR_CALLS * assumed) / calls
    squares = (sums[:, 2] + PRIOR_CALLS * 1.5 * assumed**2) / calls
    return mean, np.sqrt(np.maximum(squares - mean**2, 0))


def _own_length(
    history: Sequence[CampaignCounts], own: Tables, seconds: Floats
) -> tuple[float, float]:
    means = (seconds * BIN_SECONDS).sum(1)
    squares = (seconds * BIN_SECONDS**2).sum(1)

    def ratio(tables: Tables) -> tuple[float, float, float]:
        calls = tables.durations.sum(1)
        taken = float((tables.durations * BIN_SECONDS).sum())
        variance = float((calls * (squares - means**2)).sum())
        return taken, float((calls * means).sum()), variance

    return _factor([ratio(Tables.of([one])) for one in history], ratio(own))


def _own_price(
    history: Sequence[CampaignCounts], own: Tables, cost: Floats, sd: Floats
) -> tuple[float, float]:
    def ratio(tables: Tables) -> tuple[float, float, float]:
        calls = tables.costs[:, 0]
        variance = float((calls * sd**2).sum())
        return float(tables.costs[:, 1].sum()), float((calls * cost).sum()), variance

    return _factor([ratio(Tables.of([one])) for one in history], ratio(own))


def _factor(
    others: Sequence[tuple[float, float, float]], own: tuple[float, float, float]
) -> tuple[float, float]:
    """Return mean and standard deviation of the logarithm of a campaign's factor.

    Each triple has the sum over a campaign's calls, what it should be, and the variance
    of the sum by chance.
    """
    logs = [
        (np.log(seen / expected), chance / expected**2)
        for seen, expected, chance in others
        if seen > 0 and expected > 0
    ]
    between = prior.SPREAD_SD**2
    if len(logs) >= FEWEST_CAMPAIGNS:
        values, chances = np.array(logs).T
        found = max(float(values.var(ddof=1) - chances.mean()), 0.0)
        known = len(logs)
        between = (FEWEST_CAMPAIGNS * between + known * found) / (
            FEWEST_CAMPAIGNS + known
        )
    seen, expected, chance = own
    if seen <= 0 or expected <= 0:
        return 0.0, float(np.sqrt(between))
    noise = max(chance / expected**2, 1e-6)
    variance = 1 / (1 / between + 1 / noise)
    return float(variance * np.log(seen / expected) / noise), float(np.sqrt(variance))


def _goals(past: Tables, own: Tables) -> tuple[float, float]:
    """Return the beta distribution of the share of human answers with the goal."""
    share = (past.goals + PRIOR_CALLS * prior.GOAL_RATE) / (past.human + PRIOR_CALLS)
    weight = PRIOR_CALLS
    return weight * share + own.goals, weight * (1 - share) + own.human - own.goals


def _day_sd(campaigns: Sequence[CampaignCounts]) -> float:
    """Estimate how much the log-odds of a human answer vary from day to day.

    Days are compared with the other days of the same campaign.
    """
    weight, total = prior.DAY_PRIOR, prior.DAY_PRIOR * prior.DAY_SD**2
    for campaign in campaigns:
        days = [one for one in campaign.days if one.calls >= FEWEST_CALLS]
        if len(days) < 2:  # noqa: PLR2004 - one day has nothing to be compared with
            continue
        calls = np.array([one.calls for one in days], float)
        human = np.array([one.human for one in days], float)
        odds = np.log((human + 0.5) / (calls - human + 0.5))
        rate = float(np.clip(human.sum() / calls.sum(), 0.02, 0.98))
        chance = float((1 / (calls * rate * (1 - rate))).mean())
        total += (len(days) - 1) * max(float(odds.var(ddof=1)) - chance, 0.0)
        weight += len(days) - 1
    return float(np.sqrt(total / weight))
