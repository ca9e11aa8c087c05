"""What follows a finished call: a retry, a callback, or nothing.

Read it as the specification. What a call says about its contact has an order of
precedence: an opt-out, a callback, the goal, a wrong person, the outcome.

1. A contact that opted out is not called again.
2. A callback is made at the time for which the contact asked, twice at most. It uses no
   attempt of the policy, and neither its gaps nor its calls per day apply to it.
3. Nothing follows the goal or a wrong person.
4. A rule of the policy that names the outcome allows a retry, as long as attempts of
   the policy and retries of the rule are left.
5. The retry is due when the rule's gap and the minimum gap are over, and when fewer
   calls than the policy allows were made in the 24 hours before; if the rule wants
   it, in a part of the contact's day in which the contact was not called before.
6. A retry that would be due when the policy has expired, or the campaign has ended, is
   not planned.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import DAY, RetryPolicy, RetryRule
from domain.contacts.contact_events import FinishReason
from domain.contacts.contact_history import (
    DAY_PARTS,
    MOST_CALLBACKS,
    ContactHistory,
    DayPart,
    day_parts_at,
)
from domain.outcomes import OPT_OUTS, CallOutcome, Disposition

CALLBACK_LATE = timedelta(minutes=15)
"""A callback that was not made this long after its time is shown as late."""

CALLBACK_MISSED = DAY
"""A callback that was not made this long after its time is not made at all."""

FINAL_DISPOSITIONS: Mapping[Disposition | None, FinishReason] = {
    Disposition.OPTED_OUT: FinishReason.OPTED_OUT,
    Disposition.GOAL_REACHED: FinishReason.GOAL_REACHED,
    Disposition.WRONG_PERSON: FinishReason.WRONG_PERSON,
}
"""Dispositions after which no retry follows, and which end a planned one."""

OPTED_OUT = frozenset(FINAL_DISPOSITIONS[one] for one in OPT_OUTS)
"""Reasons for which a person is not called again, also if a call was asked for."""

DAYS_SEARCHED = 3
"""Days in which another part of the contact's day is looked for."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Call again after the outcome `because`, not before `due_at`.

    The call is not made at `expires_at` or later.
    """

    because: CallOutcome
    due_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Callback:
    """Call at the time for which the contact asked, but before `expires_at`."""

    due_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Finish:
    """Call no more."""

    reason: FinishReason


type NextStep = Retry | Callback | Finish


@dataclass(frozen=True, slots=True)
class CallResult:
    """What is known of a finished call when the next step is decided.

    `callback_at` is the time for which the contact asked, None if it did not ask.
    `ended_at` is when we learned of the end.
    """

    outcome: CallOutcome
    ended_at: datetime
    disposition: Disposition | None = None
    callback_at: datetime | None = None


def next_step(
    terms: CallingTerms, history: ContactHistory, result: CallResult, at: datetime
) -> NextStep:
    """Decide at the time `at` what follows a call; `history` includes that call."""
    if result.disposition in OPT_OUTS:
        return Finish(FINAL_DISPOSITIONS[result.disposition])
    if result.callback_at is not None and history.callbacks < MOST_CALLBACKS:
        return _callback(terms, max(result.callback_at, at))
    reason = conclusion(terms.policy, result.outcome, result.disposition)
    if reason is not None:
        return Finish(reason)
    return _retry(terms, history, result, at)


def conclusion(
    policy: RetryPolicy, outcome: CallOutcome | None, disposition: Disposition | None
) -> FinishReason | None:
    """Return why no retry may follow such a call, whatever is left of the policy.

    Unlike an outcome that no rule names, this also ends what was planned before it was
    known, by reports that came late.
    """
    if disposition in FINAL_DISPOSITIONS:
        return FINAL_DISPOSITIONS[disposition]
    if outcome is CallOutcome.HUMAN and policy.rule_for(outcome) is None:
        return FinishReason.ANSWERED
    return None


def _callback(terms: CallingTerms, due: datetime) -> NextStep:
    if terms.has_ended(due):
        return Finish(FinishReason.CAMPAIGN_ENDS)
    return Callback(due, due + CALLBACK_MISSED)


def _retry(
    terms: CallingTerms, history: ContactHistory, result: CallResult, at: datetime
) -> NextStep:
    policy = terms.policy
    index = policy.rule_for(result.outcome)
    if index is None:
        return Finish(FinishReason.NO_RULE)
    rule = policy.rules[index]
    used = sum(outcome in rule.outcomes for outcome in history.retried)
    if history.attempts >= policy.attempts:
        return Finish(FinishReason.ATTEMPTS_USED)
    if used >= rule.attempts:
        return Finish(FinishReason.RULE_USED_UP)
    expires = (history.first_at or result.ended_at) + policy.expires_after
    due = max(_earliest(policy, rule, used, history, result.ended_at), at)
    if due >= expires:
        return Finish(FinishReason.POLICY_EXPIRED)
    if rule.other_time_of_day:
        due = in_other_part(due, min(expires, terms.ends_at or expires), history)
    if terms.has_ended(due):
        return Finish(FinishReason.CAMPAIGN_ENDS)
    return Retry(result.outcome, due, expires)


def _earliest(
    policy: RetryPolicy,
    rule: RetryRule,
    used: int,
    history: ContactHistory,
    ended_at: datetime,
) -> datetime:
    """Return when the gaps, and the calls per day, allow the retry."""
    due = ended_at + max(rule.gap(used), policy.min_gap)
    if len(history.recent) >= policy.per_day:
        due = max(due, history.recent[-policy.per_day] + DAY)
    return due


def in_other_part(due: datetime, before: datetime, history: ContactHistory) -> datetime:
    """Return the first time from `due` in a part of the day that was not tried.

    If the contact may be in several time zones, the time is such a part in all of them
    if possible, else in one. `due` itself if there is no such time before `before`.
    """
    untried = set(DayPart) - set(history.day_parts)
    times = [due, *sorted(_begins(due, untried, history.zones))]
    for matches in (all, any):
        for time in times:
            parts = [set(day_parts_at(time, (zone,))) for zone in history.zones]
            if parts and time < before and matches(each & untried for each in parts):
                return time
    return due


def _begins(
    after: datetime, parts: set[DayPart], zones: Sequence[str]
) -> Iterator[datetime]:
    """Yield when these parts of the next days begin in each time zone."""
    for zone in map(ZoneInfo, zones):
        first = after.astimezone(zone).date()
        for days in range(DAYS_SEARCHED):
            for part in parts:
                begin = datetime.combine(
                    first + timedelta(days=days), DAY_PARTS[part][0], zone
                ).astimezone(after.tzinfo)
                if begin > after:
                    yield begin
