"""Assumptions about calls before any were made, and their weight.

Shares and the fall with each attempt follow published figures: contact rates by attempt
of Velocify (39, 72, 83, 88, 91 % of those who can be reached at all, after 1 to 5
calls), busy lines and missed calls of a carrier's log (3-6 % and 25-35 %). They are
rough, so they count as much as few calls.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from domain.forecast.learning.counts import (
    ATTEMPTS,
    DURATION_EDGES,
    OUTCOMES,
)
from domain.outcomes import ANSWERED, BY_PERSON, CallOutcome

type Floats = NDArray[np.float64]

PRIOR_CALLS = 20.0
"""Number of calls for which the assumptions count at each level."""

REACHABLE, ANSWERS = 0.55, 0.35
"""Share of contacts who can be reached at all, and how often they then answer."""

DAY_SD = 0.3
"""Standard deviation of the day's effect on the log-odds of a human answer."""

DAY_PRIOR = 10.0
"""Number of days for which `DAY_SD` counts."""

SPREAD_SD = 0.25
"""Standard deviation between campaigns of the logarithm of durations and costs."""

GOAL_RATE = 0.1
"""Share of human answers that reach the campaign's goal."""

OUTAGES_A_DAY, OUTAGE_MINUTES = 0.1, 30.0
"""Number of outages in a day of dialling, and their mean length."""

_SHARES = {
    CallOutcome.HUMAN: 0.9,
    CallOutcome.DROPPED_EARLY: 0.1,
    CallOutcome.VOICEMAIL: 0.30,
    CallOutcome.SCREENED: 0.03,
    CallOutcome.SILENT: 0.03,
    CallOutcome.NO_ANSWER: 0.46,
    CallOutcome.BUSY: 0.05,
    CallOutcome.DECLINED: 0.05,
    CallOutcome.INVALID_NUMBER: 0.02,
    CallOutcome.FAULT: 0.03,
    CallOutcome.UNKNOWN: 0.03,
}
"""Shares among calls that a person answered, and among all others."""

_SECONDS = {
    CallOutcome.HUMAN: 80.0,
    CallOutcome.DROPPED_EARLY: 25.0,
    CallOutcome.VOICEMAIL: 40.0,
    CallOutcome.SCREENED: 45.0,
    CallOutcome.SILENT: 40.0,
    CallOutcome.NO_ANSWER: 32.0,
    CallOutcome.BUSY: 12.0,
    CallOutcome.DECLINED: 15.0,
    CallOutcome.INVALID_NUMBER: 8.0,
    CallOutcome.FAULT: 15.0,
    CallOutcome.UNKNOWN: 30.0,
}
"""Median seconds for which a call uses a slot."""

_LOG_SD = 0.6
_DOLLARS_A_MINUTE, _DOLLARS_UNANSWERED = 0.25, 0.01

HUMAN = np.array([kind in BY_PERSON for kind in OUTCOMES])
"""Which of the outcomes are those of calls that a person answered."""

IS_ANSWERED = np.array([kind in ANSWERED for kind in OUTCOMES])
"""Which of the outcomes are those of answered calls."""

SHARES: Floats = np.array([_SHARES[kind] for kind in OUTCOMES])

BIN_SECONDS: Floats = np.array(
    [DURATION_EDGES[0] / 2]
    + [(low * high) ** 0.5 for low, high in pairwise(DURATION_EDGES)]
)
"""The duration in seconds that stands for each bin."""


def hazards(reachable: float, answers: float) -> Floats:
    """Return the probability of a human answer at each attempt, none before it.

    A contact is reachable with the probability `reachable`, and then answers each call
    with the probability `answers`. Those who are left after each attempt are more and
    more the unreachable ones.
    """
    missed = reachable * (1 - answers) ** np.arange(ATTEMPTS)
    return np.asarray(missed * answers / (missed + 1 - reachable))


def composed(human: Floats) -> Floats:
    """Return the probabilities of all outcomes [..., K] for those of a human answer."""
    by_person = human[..., None]
    return np.asarray(np.where(HUMAN, by_person, 1 - by_person) * SHARES)


def durations() -> Floats:
    """Return `PRIOR_CALLS` imaginary durations of each outcome, by bin [K, bins]."""
    medians = np.log([_SECONDS[kind] for kind in OUTCOMES])
    offsets = (np.log(BIN_SECONDS)[None, :] - medians[:, None]) / _LOG_SD
    weights = np.exp(-(offsets**2) / 2)
    return np.asarray(PRIOR_CALLS * weights / weights.sum(1, keepdims=True))


def costs() -> Floats:
    """Return the expected cost of one call in US dollars, by outcome [K]."""
    pmf = durations() / PRIOR_CALLS
    minutes = (pmf * BIN_SECONDS).sum(1) / 60
    return np.where(IS_ANSWERED, minutes * _DOLLARS_A_MINUTE, _DOLLARS_UNANSWERED)
