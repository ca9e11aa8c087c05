"""How many more calls the budgets allow in each draw, as the policy reserves them."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain.calls.costs import FIRST_COST, PRIOR_CALLS
from domain.forecast.learning.prior import Floats
from domain.forecast.situation import Situation

UNLIMITED = 1e12


class Spending:
    """Tracks the spend of each draw; amounts in US dollars."""

    def __init__(self, situation: Situation, draws: int) -> None:
        self._budget = _amount(situation.budget)
        self._daily = _amount(situation.daily_budget)
        self._day = situation.now.date()
        self._today = np.full(draws, float(situation.spent_today))
        self._total = np.full(draws, float(situation.made.spend))
        self._calls = np.full(draws, float(situation.made.calls))

    def affordable(self, at: datetime) -> tuple[Floats, np.ndarray]:
        """Return the number of further calls [D]; and whether the day limits them."""
        if self._budget is None and self._daily is None:
            draws = len(self._total)
            return np.full(draws, UNLIMITED), np.zeros(draws, bool)
        if at.date() != self._day:
            self._day, self._today = at.date(), np.zeros_like(self._today)
        expected = self._expected()
        by_campaign = _left(self._budget, self._total, expected)
        by_day = _left(self._daily, self._today, expected)
        return np.minimum(by_campaign, by_day), by_day < by_campaign

    @property
    def is_spent(self) -> NDArray[np.bool_]:
        """Whether the campaign's budget allows no further call [D]."""
        left = _left(self._budget, self._total, self._expected())
        return np.asarray(left < 1, bool)

    def add(self, calls: Floats, dollars: Floats) -> None:
        """Count calls and their cost."""
        self._calls += calls
        self._total += dollars
        self._today += dollars

    def _expected(self) -> Floats:
        """Return the expected cost of one more call (see `domain/calls/costs.py`)."""
        cautious = (PRIOR_CALLS * float(FIRST_COST) + self._total) / (
            PRIOR_CALLS + self._calls
        )
        plain = self._total / np.maximum(self._calls, 1)
        return np.asarray(np.maximum(cautious, plain))


def _amount(dollars: object) -> float | None:
    return None if dollars is None else float(str(dollars))


def _left(budget: float | None, spent: Floats, expected: Floats) -> Floats:
    if budget is None:
        return np.full_like(spent, UNLIMITED)
    return np.floor(np.maximum(budget - spent, 0) / expected)
