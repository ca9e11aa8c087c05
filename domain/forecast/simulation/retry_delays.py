"""Delays until the next call to a typical contact, by the real rules for retries.

Thousands of simulated contacts are in the same position. `next_step` is asked once for
each position, with a history as such a contact has it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy
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
        if self._terms.policy.rule_for(outcome) is None:
            return None
        history = typical_history(
            self._terms.policy,
            outcome,
            zones,
            calls=attempt,
            retries=attempt - 1,
            last=at,
        )
        step = next_step(self._terms, history, CallResult(outcome, at), at)
        if not isinstance(step, Retry):
            return None
        due = free_from(self._caps, history.recent, step.due_at)
        return (due - at).total_seconds() if due < step.expires_at else None


def typical_history(
    policy: RetryPolicy,
    outcome: CallOutcome,
    zones: tuple[str, ...],
    *,
    calls: int,
    retries: int,
    last: datetime,
) -> ContactHistory:
    """Return the history of a contact of whom only the number of calls is known.

    All calls are assumed to have had this outcome, and to be as far apart as its rule
    demands; `last` is the time of the last one.
    """
    index = policy.rule_for(outcome)
    gap = policy.min_gap
    if index is not None:
        gap = max(policy.rules[index].gap(0), gap)
    times = [last - n * gap for n in range(calls)][::-1]
    parts = {part for time in times for part in day_parts_at(time, zones)}
    return ContactHistory(
        attempts=calls,
        retried=(outcome,) * retries,
        day_parts=tuple(sorted(parts)),
        recent=tuple(times[-5:]),
        first_at=times[0],
        zones=zones,
    )
