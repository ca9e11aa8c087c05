"""Durations of which some are known to be longer only: the Kaplan-Meier estimate."""

import numpy as np

from domain.forecast.learning.prior import Floats


def completed(ended: Floats, running: Floats) -> Floats:
    """Return the probability of each bin from calls that ended and calls that run on.

    `ended` and `running` count calls by bin of their duration, or age. A call that runs
    counts among those at risk until its age. The rest of the probability belongs to the
    last bin in which a call ended.
    """
    at_risk = np.cumsum((ended + running)[::-1])[::-1]
    hazard = np.divide(ended, at_risk, out=np.zeros_like(ended), where=at_risk > 0)
    alive = np.concatenate([[1.0], np.cumprod(1 - hazard)[:-1]])
    found = alive * hazard
    last = int(np.flatnonzero(ended)[-1])
    found[last] += 1 - found.sum()
    return np.asarray(found)
