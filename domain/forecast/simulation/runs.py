"""The results of simulated runs, whichever way they were simulated."""

from dataclasses import dataclass

import numpy as np

from domain.forecast.learning.prior import HUMAN, IS_ANSWERED, Floats
from domain.forecast.situation import HORIZON, Situation
from domain.values import WaitingCode

HOURS = int(HORIZON.total_seconds() // 3600)


@dataclass(slots=True)
class Runs:
    """What D runs came to, without what was made before; times in seconds from now.

    `outcomes` [D, K] counts the calls. `finish` [D] is the end of the last call,
    `spend` [D] in US dollars. `unfinished` [D] marks runs in which contacts are left.
    `calls_by_hour` and `spend_by_hour` [D, HOURS]. `limits` has for each code how many
    seconds of dialling it limited, summed over all runs, of `seconds` in total.
    """

    outcomes: Floats
    finish: Floats
    goals: Floats
    spend: Floats
    unfinished: np.ndarray
    calls_by_hour: Floats
    spend_by_hour: Floats
    limits: dict[WaitingCode, float]
    seconds: float = 0.0

    @classmethod
    def empty(cls, draws: int, outcomes: int) -> "Runs":
        """Return runs in which nothing happened yet."""
        return cls(
            outcomes=np.zeros((draws, outcomes)),
            finish=np.zeros(draws),
            goals=np.zeros(draws),
            spend=np.zeros(draws),
            unfinished=np.zeros(draws, bool),
            calls_by_hour=np.zeros((draws, HOURS)),
            spend_by_hour=np.zeros((draws, HOURS)),
            limits={},
        )

    def note_limit(self, code: WaitingCode, seconds: float) -> None:
        """Count time of dialling that was limited for this reason."""
        self.limits[code] = self.limits.get(code, 0.0) + seconds

    @property
    def calls(self) -> Floats:
        """Number of calls in each run."""
        return np.asarray(self.outcomes.sum(1))

    @property
    def answered(self) -> Floats:
        """Number of answered calls in each run."""
        return np.asarray(self.outcomes[:, IS_ANSWERED].sum(1))

    @property
    def human(self) -> Floats:
        """Number of calls in each run that a person answered."""
        return np.asarray(self.outcomes[:, HUMAN].sum(1))


def end_of(situation: Situation) -> float | None:
    """Return when the campaign ends whatever is left, in seconds; None: never."""
    ends_at = situation.terms.ends_at
    if ends_at is None:
        return None
    return max((ends_at - situation.now).total_seconds(), 0.0)
