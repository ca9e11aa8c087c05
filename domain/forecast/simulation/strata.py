"""Simulation of large campaigns: all draws at once, contacts counted by stratum.

Time advances in steps, of a minute where the campaign is short. In each step as many
calls start as slots, pace and budgets allow: planned calls first, then fresh contacts,
of strata that may be called. How the calls end is drawn, and retries are planned as the
policy does it. `tests/domain/forecast/test_both_methods.py` compares the results with
`contact_by_contact.py`, which runs the real policy.
"""

from datetime import timedelta

import numpy as np

from domain.forecast.learning.counts import ATTEMPTS, OUTCOMES, band_of
from domain.forecast.learning.learned import INDEX, Learned
from domain.forecast.learning.prior import BIN_SECONDS, HUMAN, Floats
from domain.forecast.parameters import Parameters, day_of
from domain.forecast.simulation.retry_delays import RetryDelays
from domain.forecast.simulation.runs import HOURS, Runs, end_of
from domain.forecast.simulation.spending import Spending
from domain.forecast.simulation.strata_state import State, Steps, union_of, within
from domain.forecast.situation import Situation
from domain.outcomes import CallOutcome
from domain.values import DialMode, WaitingCode

STEP_SECONDS = 60.0
MOST_STEPS = 400
"""Steps are longer than a minute if the calls would need more steps than this."""

LONGEST_STEP = 1_800.0

_BUDGET, _DAILY, _OUTAGE = 2, 3, 4
"""Indexes of the limits: slots, pace, budget, daily budget, outage."""


class StrataSimulation:
    """Simulates a situation once for each draw of the parameters.

    The steps of time are `coarseness` times as long as usual.
    """

    def __init__(
        self,
        situation: Situation,
        learned: Learned,
        parameters: Parameters,
        rng: np.random.Generator,
        *,
        coarseness: int = 1,
    ) -> None:
        self._s, self._p, self._rng = situation, parameters, rng
        self._coarseness = coarseness
        self._draws = len(parameters.goal)
        self._levels = max(situation.terms.policy.attempts, 1)
        self._delays = RetryDelays(situation.terms, situation.caps, situation.now)
        self._retried = [kind for kind in OUTCOMES if kind in self._delays.outcomes]
        self._cost_sd = learned.cost_sd
        self._midnight = situation.first_midnight
        self._bands, self._by_hour = learned.bands, dict[int, Floats]()
        self._seconds = learned.seconds
        means = learned.seconds @ BIN_SECONDS
        variance = learned.seconds @ BIN_SECONDS**2 - means**2
        self._variance = parameters.length[:, None] ** 2 * variance
        shared = situation.slots_are_shared
        self._codes = (
            WaitingCode.GLOBAL_CAP_FULL if shared else WaitingCode.CAP_FULL,
            WaitingCode.RATE_LIMITED,
            WaitingCode.BUDGET_SPENT,
            WaitingCode.DAILY_BUDGET_SPENT,
            WaitingCode.PROVIDER_DOWN,
        )
        self._busy = self._occupancy(learned)
        self._steps = self._split_time(learned)
        self._state = self._first_state()
        self._levelled = parameters.outcomes[
            :, np.minimum(np.arange(self._levels), ATTEMPTS - 1)
        ]
        self._spending = Spending(situation, self._draws)
        self._runs = Runs.empty(self._draws, len(OUTCOMES))
        self._occupied = (self._levelled[:, 0] * self._busy).sum(1)
        self._unused = situation.slots * self._occupied

    def run(self) -> Runs:
        """Simulate until every draw is over or the horizon is reached."""
        steps, index = self._steps, 0
        while index < len(steps.starts):
            self._state.release(index)
            if not self._state.waiting[~self._spending.is_spent].any():
                break
            if self._state.is_idle:
                later = min(self._state.planned, default=len(steps.starts))
                self._note_idle(float(steps.lengths[index:later].sum()))
                index = later
                continue
            self._step(index, float(steps.starts[index]), float(steps.lengths[index]))
            index += 1
        self._close()
        return self._runs

    def _close(self) -> None:
        """Finish the runs: those in which contacts are left end with the campaign."""
        runs, end = self._runs, end_of(self._s)
        runs.unfinished = self._state.waiting > 0
        if end is not None:
            runs.finish = np.asarray(np.where(runs.unfinished, end, runs.finish), float)
            runs.unfinished[:] = False
        goals = self._rng.binomial(runs.human.astype(np.int64), self._p.goal)
        runs.goals = goals.astype(np.float64)
        spread = np.sqrt((runs.outcomes * self._cost_sd**2).sum(1))
        noise = spread * self._rng.standard_normal(self._draws)
        runs.spend = np.maximum(runs.spend + noise, 0)

    # --- Preparation ----------------------------------------------------------------

    def _occupancy(self, learned: Learned) -> Floats:
        """Return for how long a call uses its slot [D, K], until the next one starts.

        In the mode BATCH every slot waits for the longest call of the batch.
        """
        seconds = self._p.seconds
        if self._s.mode is DialMode.BATCH:
            mix = learned.base[0] @ learned.seconds
            below = np.cumsum(mix) ** self._s.slots
            longest = float((np.diff(below, prepend=0.0) * BIN_SECONDS).sum())
            seconds = np.tile(longest * self._p.length[:, None], (1, len(OUTCOMES)))
        return np.asarray(seconds + self._s.refill_seconds)

    def _split_time(self, learned: Learned) -> Steps:
        """Split the time in which any stratum is open into steps."""
        spans = union_of([span for one in self._s.strata for span in one.hours.spans])
        end = self._s.terms.ends_at
        if end is not None:
            last = (end - self._s.now).total_seconds()
            spans = [(a, min(b, last)) for a, b in spans if a < last]
        busy = float((learned.base[0] * self._busy.mean(0)).sum())
        per_second = min(self._s.slots / busy, self._s.per_second)
        needed = self._s.contacts * (1 + 0.3 * (self._levels - 1)) / per_second
        usual = min(max(needed / MOST_STEPS, STEP_SECONDS), LONGEST_STEP)
        length = usual * self._coarseness
        self._length = length
        cuts = [np.arange(a, b, length) for a, b in spans]
        starts = np.concatenate([*cuts, np.zeros(0)])
        ends = np.concatenate(
            [np.minimum(np.arange(a, b, length) + length, b) for a, b in spans]
            or [np.zeros(0)]
        )
        middles = (starts + ends) / 2
        is_open = (
            np.stack([within(middles, one.hours.spans) for one in self._s.strata], 1)
            if self._s.strata
            else np.zeros((len(starts), 0))
        )
        return Steps(starts, ends - starts, is_open)

    def _factors(self, start: float) -> Floats:
        """Return the factor of the contacts' hour for the odds of an answer [G]."""
        hour = int(start // 3600)
        if hour not in self._by_hour:
            at = self._s.now + timedelta(hours=hour)
            bands = [band_of(one.zones, at) for one in self._s.strata]
            self._by_hour[hour] = np.array(
                [1.0 if band is None else self._bands[band] for band in bands]
            )
        return self._by_hour[hour]

    def _first_state(self) -> State:
        strata, draws = self._s.strata, self._draws
        fresh = np.tile([float(one.fresh) for one in strata], (draws, 1))
        due = np.zeros((draws, len(strata), self._levels))
        state = State(fresh, due, np.zeros(draws))
        for group, stratum in enumerate(strata):
            for planned in stratum.planned:
                step = self._step_at(planned.due)
                level = min(planned.attempt, self._levels) - 1
                if step is not None:
                    state.plan(step, group, level, np.full(draws, planned.contacts))
        return state

    def _step_at(self, seconds: float) -> int | None:
        """Return the first step that begins then or later, None if there is none."""
        step = int(np.searchsorted(self._steps.starts, seconds))
        return step if step < len(self._steps.starts) else None

    def _step_near(self, seconds: float) -> int | None:
        """Return the step that begins nearest to a time, so that means stay exact."""
        step = self._step_at(seconds)
        if step and seconds - self._steps.starts[step - 1] < self._length / 2:
            return step - 1
        return step

    # --- One step -------------------------------------------------------------------

    def _step(self, index: int, start: float, length: float) -> None:
        is_open = self._steps.is_open[index]
        due = self._state.due * is_open[:, None]
        fresh = self._state.fresh * is_open
        if not fresh.any() and not due.any():
            self._note_idle(length)
            return
        allowed, code = self._allowed(start, length)
        from_due = self._taken(due.reshape(self._draws, -1), allowed)
        from_due = from_due.reshape(due.shape)
        left = allowed - from_due.sum((1, 2))
        from_fresh = self._taken(fresh, left)
        started = from_due
        started[:, :, 0] += from_fresh
        self._state.due -= started
        self._state.due[:, :, 0] += from_fresh
        self._state.fresh -= from_fresh
        calls = started.sum(1)
        total = calls.sum(1)
        wanted = due.sum((1, 2)) + fresh.sum(1)
        self._note_limits(code, wanted, total, length)
        ended = self._ended(start, started, calls)
        last = self._last_start(total, length)
        self._use_slots(ended, total, length)
        # Calls start throughout a saturated step, but at the begin of another one.
        middle = start + length / 2 * float((wanted > total).mean())
        self._retry(middle, started, calls, ended)
        self._tally(start, start + last, ended, total)

    def _allowed(self, start: float, length: float) -> tuple[Floats, np.ndarray]:
        """Return how many calls may start in each draw, and the code of the limit."""
        day, since = day_of(start, self._midnight)
        out = self._p.outage_from[:, day], self._p.outages[:, day]
        is_out = (since >= out[0]) & (since < out[0] + out[1])
        seconds = self._s.slots * length + self._unused
        by_slots = np.where(is_out, 0.0, seconds / self._occupied)
        by_pace = np.full(self._draws, self._s.per_second * length)
        at = self._s.now + timedelta(seconds=start)
        by_budget, is_daily = self._spending.affordable(at)
        bounds = np.stack([by_slots, by_pace, by_budget])
        code = np.argmin(bounds, 0)
        code = np.where((code == _BUDGET) & is_daily, _DAILY, code)
        code = np.where((code == 0) & is_out, _OUTAGE, code)
        return self._rounded(np.maximum(bounds.min(0), 0.0)), code

    def _taken(self, available: Floats, allowed: Floats) -> Floats:
        """Take up to `allowed` contacts [D] of those available [D, n], evenly."""
        total = available.sum(1)
        share = np.divide(allowed, total, out=np.zeros_like(allowed), where=total > 0)
        taken = self._rounded(available * np.clip(share, 0, 1)[:, None])
        return np.minimum(taken, available)

    def _rounded(self, values: Floats) -> Floats:
        """Round at random to a neighbouring integer, so that means stay exact."""
        return np.floor(values + self._rng.random(values.shape))

    def _ended(self, start: float, started: Floats, calls: Floats) -> Floats:
        """Draw how the started calls end: [D, A, K]."""
        weight = np.maximum(calls, 1)
        factor = (started * self._factors(start)[:, None]).sum(1) / weight
        day, _ = day_of(start, self._midnight)
        odds = np.maximum(factor, 0.1) * np.exp(self._p.days[:, day])[:, None]
        human = self._levelled[:, :, HUMAN].sum(2)
        after = odds * human / (1 - human + odds * human)
        more, less = after / human, (1 - after) / (1 - human)
        chances = self._levelled * np.where(HUMAN, more[..., None], less[..., None])
        chances /= chances.sum(2, keepdims=True)
        drawn = self._rng.multinomial(calls.astype(np.int64), chances)
        return np.asarray(drawn, float)

    def _last_start(self, total: Floats, length: float) -> Floats:
        """Return when the last call of a step starts, in seconds after its begin [D].

        Slots that are free at the begin are used at once.
        """
        waited = (total * self._occupied - self._unused) / self._s.slots
        return np.clip(waited, 0, length)

    def _use_slots(self, ended: Floats, total: Floats, length: float) -> None:
        """Carry over the slot time that the calls of a step did not use.

        A call takes the time of its whole duration when it starts, so at most all slots
        are free at the begin of the next step.
        """
        kinds = ended.sum(1)
        used = (kinds * self._busy).sum(1)
        mean = np.divide(used, total, out=self._occupied.copy(), where=total > 0)
        if self._s.mode is not DialMode.BATCH:
            spread = np.sqrt((kinds * self._variance).sum(1))
            noise = spread * self._rng.standard_normal(self._draws)
            used = np.maximum(used + noise, 0)
        self._occupied = 0.9 * self._occupied + 0.1 * mean
        rest = self._s.slots * length + self._unused - used
        least, most = -self._s.slots * length, self._s.slots * self._occupied
        self._unused = np.clip(rest, least, most)

    def _retry(self, at: float, started: Floats, calls: Floats, ended: Floats) -> None:
        """Plan the next call of contacts whose outcome a rule of the policy names."""
        for level in range(self._levels - 1):
            if not calls[:, level].any():
                continue
            share = started[:, :, level] / np.maximum(calls[:, level], 1)[:, None]
            for kind in self._retried:
                again = ended[:, level, INDEX[kind]]
                if again.any():
                    self._plan_again(at, level, kind, again[:, None] * share)

    def _plan_again(
        self, at: float, level: int, kind: CallOutcome, contacts: Floats
    ) -> None:
        whole = self._rounded(contacts)
        ended = at + float(self._p.seconds[:, INDEX[kind]].mean())
        for group, stratum in enumerate(self._s.strata):
            if not whole[:, group].any():
                continue
            delay = self._delays.delay(level + 1, kind, stratum.zones, at)
            step = None if delay is None else self._step_near(ended + delay)
            if step is not None:
                self._state.plan(step, group, level + 1, whole[:, group])

    def _tally(self, start: float, last: Floats, ended: Floats, total: Floats) -> None:
        """Add a step's calls, the last of which starts at `last`, to the results."""
        kinds = ended.sum(1)
        dollars = (kinds * self._p.cost).sum(1)
        self._spending.add(total, dollars)
        runs, hour = self._runs, int((start + last.mean()) / 2 // 3600)
        runs.outcomes += kinds
        runs.spend += dollars
        if hour < HOURS:
            runs.calls_by_hour[:, hour] += total
            runs.spend_by_hour[:, hour] += dollars
        is_last = (total > 0) & (self._state.waiting == 0)
        longest = self._longest(kinds) if is_last.any() else self._occupied
        until = last + np.where(is_last, longest, self._occupied)
        runs.finish = np.where(total > 0, until, runs.finish)

    def _longest(self, kinds: Floats) -> Floats:
        """Draw how long the longest of the last calls lasts [D].

        The calls that are live when the last one starts end independently; as many
        calls as there are slots are live at most.
        """
        total = np.maximum(kinds.sum(1), 1)
        below = np.cumsum(kinds / total[:, None] @ self._seconds, 1)
        live = np.minimum(total, self._s.slots)
        chance = self._rng.random(self._draws) ** (1 / live)
        index = (below < chance[:, None]).sum(1)
        seconds = BIN_SECONDS[np.minimum(index, len(BIN_SECONDS) - 1)]
        return np.asarray(seconds * self._p.length)

    def _note_idle(self, length: float) -> None:
        """Count a step in which nobody may be called although contacts wait."""
        waiting = float((self._state.waiting > 0).sum()) * length
        self._unused = self._s.slots * self._occupied
        self._runs.seconds += waiting
        self._runs.note_limit(WaitingCode.RETRY_PLANNED, waiting)

    def _note_limits(
        self, codes: np.ndarray, wanted: Floats, total: Floats, length: float
    ) -> None:
        """Count what limited the step, in each run that is not over."""
        waiting = self._state.waiting > 0
        limited = (wanted > total) & waiting
        runs = self._runs
        runs.seconds += length * float(waiting.sum())
        for number, code in enumerate(self._codes):
            seconds = length * float((limited & (codes == number)).sum())
            if seconds:
                runs.note_limit(code, seconds)
        planned = (waiting & ~limited & (total < wanted.clip(1))).sum()
        if planned:
            runs.note_limit(WaitingCode.RETRY_PLANNED, length * float(planned))
