"""Forecasts of small campaigns: every draw is simulated contact by contact."""

from bisect import bisect_left
from datetime import datetime
from decimal import Decimal

import numpy as np

from domain.forecast.learning.counts import ATTEMPTS, OUTCOMES, band_of
from domain.forecast.learning.learned import INDEX, Learned
from domain.forecast.learning.prior import BIN_SECONDS, HUMAN
from domain.forecast.parameters import Parameters, day_of, shifted
from domain.forecast.simulation.contact_by_contact import ContactByContact
from domain.forecast.simulation.runs import HOURS, Runs, end_of
from domain.forecast.simulation.simulated_calls import CallEnd, Contact
from domain.forecast.situation import Situation

MOST_CONTACTS = 40
"""Larger campaigns are simulated by stratum.

A call takes 0.1 to 0.2 ms with the real policy, and 200 draws of 40 contacts are about
10,000 calls: 1 to 2 seconds. 5,000 contacts would take several minutes. With fewer
draws the interval would be inexact: with 20 draws, the 10th percentile that is shown
would be anything from the 3rd to the 17th (standard error 7 %; with 200 draws 2 %).
"""


def run_contacts(
    situation: Situation,
    learned: Learned,
    parameters: Parameters,
    rng: np.random.Generator,
) -> Runs:
    """Simulate each draw with the real policy."""
    runs = Runs.empty(len(parameters.goal), len(OUTCOMES))
    contacts = [
        one
        for n, stratum in enumerate(situation.strata)
        for one in (
            *[Contact(n)] * stratum.fresh,
            *(
                Contact(n, planned.attempt, planned.due)
                for planned in stratum.planned
                for _ in range(planned.contacts)
            ),
        )
    ]
    for draw in range(len(parameters.goal)):
        order = [contacts[n] for n in rng.permutation(len(contacts))]
        oracle = Drawn(situation, learned, parameters, draw, order, rng)
        _run(runs, draw, situation, order, oracle)
    return runs


class Drawn:
    """An oracle that draws how calls end from the parameters of one draw."""

    def __init__(
        self,
        situation: Situation,
        learned: Learned,
        parameters: Parameters,
        draw: int,
        contacts: list[Contact],
        rng: np.random.Generator,
    ) -> None:
        self._s, self._p, self._draw = situation, parameters, draw
        self._bands, self._contacts, self._rng = learned.bands, contacts, rng
        self._midnight = situation.first_midnight
        self._durations = [list(row) for row in np.cumsum(learned.seconds, 1)]
        self._chances = dict[tuple[int, int, int | None], list[float]]()

    def __call__(self, contact: int, attempt: int, at: datetime) -> CallEnd:
        """Draw the outcome, the duration and the cost of one call."""
        chances = self._cumulated(contact, attempt, at)
        kind = min(bisect_left(chances, self._rng.random()), len(OUTCOMES) - 1)
        place = bisect_left(self._durations[kind], self._rng.random())
        seconds = float(BIN_SECONDS[min(place, len(BIN_SECONDS) - 1)])
        mean = self._p.seconds[self._draw, kind]
        length = float(self._p.length[self._draw])
        cost = self._p.cost[self._draw, kind] * seconds * length / mean
        is_goal = HUMAN[kind] and self._rng.random() < self._p.goal[self._draw]
        return CallEnd(
            OUTCOMES[kind],
            seconds * length,
            Decimal(f"{cost:.4f}"),
            goal=bool(is_goal),
        )

    def _cumulated(self, contact: int, attempt: int, at: datetime) -> list[float]:
        """Return the cumulated probabilities of the outcomes of a call."""
        seconds = (at - self._s.now).total_seconds()
        day, _ = day_of(seconds, self._midnight)
        zones = self._s.strata[self._contacts[contact].stratum].zones
        band = band_of(zones, at.replace(minute=0, second=0, microsecond=0))
        level = min(attempt, ATTEMPTS) - 1
        key = level, day, band
        if key not in self._chances:
            factor = 1.0 if band is None else self._bands[band]
            odds = np.log(factor) + self._p.days[self._draw, day]
            chances = shifted(self._p.outcomes[self._draw, level], np.asarray(odds))
            self._chances[key] = list(np.cumsum(chances))
        return self._chances[key]


def _run(
    runs: Runs,
    draw: int,
    situation: Situation,
    contacts: list[Contact],
    oracle: Drawn,
) -> None:
    trace = ContactByContact(situation, contacts, oracle).run()
    end = end_of(situation)
    for ended in trace.ends:
        runs.outcomes[draw, INDEX[ended.outcome]] += 1
        runs.goals[draw] += ended.goal
        runs.spend[draw] += float(ended.cost)
    for dial in trace.dials:
        hour = int(dial.at // 3600)
        if hour < HOURS:
            runs.calls_by_hour[draw, hour] += 1
    if trace.finish is not None:
        runs.finish[draw] = trace.finish
    elif end is not None:
        runs.finish[draw] = end
    else:
        runs.unfinished[draw] = True
    runs.seconds += trace.seconds
    for code, seconds in trace.limited.items():
        runs.note_limit(code, seconds)
