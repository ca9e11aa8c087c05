"""When the next call to a contact is due: the real rules, asked for typical contacts.

Thousands of simulated contacts are in the same position. `next_step` is asked once for
each position, with a history as such a contact has it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.campaigns.campaign_terms import CallingTerms
from domain.contacts.contact_history import ContactHistory, day_parts_at
from domain.gate.caps import free_from
from domain.gate.rules import FrequencyCap
from domain.outcomes import CallOutcome
from domain.planning.retries import CallResult, Retry, next_step

HOUR = timedelta(hours=1)


class RetryDelays:
    """Delays by attempt, outcome and, if the policy looks at it, the time of day."""

    def __init__(
        self, terms: CallingTerms, caps: Sequence[FrequencyCap], now: datetime
    ) -> None:
        self._terms, self._caps, self._now = terms, caps, now
        self._depends_on_time = any(
            rule.other_time_of_day for rule in terms.policy.rules
        )
        self._known: dict[object, float | None] = {}
        ruled = {kind for rule in terms.policy.rules for kind in rule.outcomes}
        self.outcomes = frozenset(ruled if terms.policy.calls_again else ())
        """Outcomes after which a retry is possible."""

    def delay(
        self, attempt: int, outcome: CallOutcome, zones: tuple[str, ...], at: float
    ) -> float | None:
        """Return after how many seconds the next call is due; None if none follows.

        `attempt` counts the calls made, `at` is in seconds from the begin.
        """
        hour = int(at // 3600) if self._depends_on_time else 0
        key = attempt, outcome, zones if self._depends_on_time else (), hour
        if key not in self._known:
            moment = self._now + hour * HOUR if self._depends_on_time else self._now
            self._known[key] = self._asked(attempt, outcome, zones, moment)
        return self._known[key]

    def _asked(
        self, attempt: int, outcome: CallOutcome, zones: tuple[str, ...], at: datetime
    ) -> float | None:
        policy = self._terms.policy
        index = policy.rule_for(outcome)
        if index is None:
            return None
        gap = max(policy.rules[index].gap(0), policy.min_gap)
        times = [at - n * gap for n in range(attempt)][::-1]
        parts = {part for time in times for part in day_parts_at(time, zones)}
        history = ContactHistory(
            attempts=attempt,
            retried=(outcome,) * (attempt - 1),
            day_parts=tuple(sorted(parts)),
            recent=tuple(times[-5:]),
            first_at=times[0],
            zones=zones,
        )
        step = next_step(self._terms, history, CallResult(outcome, at), at)
        if not isinstance(step, Retry):
            return None
        due = free_from(self._caps, times, step.due_at)
        return (due - at).total_seconds() if due < step.expires_at else None
