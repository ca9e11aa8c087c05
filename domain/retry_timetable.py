"""The worst case of a retry policy: the latest time of each call to one contact."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from domain.campaigns.retry_policy import (
    DAY,
    RetryPolicy,
    RetryRule,
    distinct_rules,
    one_more,
)
from domain.contacts.contact_history import ContactHistory
from domain.planning.retries import in_other_part

type Opening = Callable[[datetime, tuple[datetime, ...]], datetime | None]
"""Returns the first time from a time on at which a call may start, after those calls.

None if there is none.
"""

MOST_COURSES = 100
"""Courses that are followed at once: the latest ones.

The presets and other usual policies have fewer.
"""

type _Course = tuple[tuple[int, ...], tuple[datetime, ...]]
"""How the calls to a contact may go: the retries of each rule, and all calls' times."""


def worst_case(
    policy: RetryPolicy, first_at: datetime, zones: tuple[str, ...], opening: Opening
) -> tuple[datetime, ...]:
    """Return the latest times of all calls to a contact in these time zones.

    The first call is due at `first_at`. The n-th value is the latest time of the n-th
    call over the outcomes of the calls before: each of them leads to the gap of its
    rule, and if the rule wants it, to a wait for another part of the day. Each call
    waits until calls are allowed. Calls after the policy expired are left out.
    """
    first = opening(first_at, ())
    if first is None:
        return ()
    rules = distinct_rules(policy)
    courses: list[_Course] = [((0,) * len(rules), (first,))]
    latest = [first]
    while len(latest) < policy.attempts:
        found = {
            after
            for course in courses
            for after in _continued(policy, rules, course, zones, opening)
        }
        if not found:
            break
        courses = _latest_of(found)
        latest.append(courses[0][1][-1])
    return tuple(latest)


def _latest_of(courses: Iterable[_Course]) -> list[_Course]:
    """Return the courses whose last calls are the latest, the latest one first."""
    by_last_calls = sorted(courses, key=lambda one: one[1][::-1], reverse=True)
    return by_last_calls[:MOST_COURSES]


def _continued(
    policy: RetryPolicy,
    rules: Sequence[RetryRule],
    course: _Course,
    zones: tuple[str, ...],
    opening: Opening,
) -> Iterator[_Course]:
    """Yield the courses with one more call, for each rule that may lead to it."""
    used, calls = course
    expires = calls[0] + policy.expires_after
    for after, gap in one_more(rules, used):
        due = calls[-1] + timedelta(minutes=gap)
        if len(calls) >= policy.per_day:
            due = max(due, calls[-policy.per_day] + DAY)
        if due >= expires:
            continue
        if _waits_for_other_part(rules, used, after):
            due = in_other_part(due, expires, _history(calls, zones))
        at = opening(due, calls)
        if at is not None and at < expires:
            yield after, (*calls, at)


def _waits_for_other_part(
    rules: Sequence[RetryRule], used: tuple[int, ...], after: tuple[int, ...]
) -> bool:
    """Return whether the rule with one more retry wants another part of the day."""
    return any(
        rule.other_time_of_day and before != now
        for rule, before, now in zip(rules, used, after, strict=True)
    )


def _history(calls: Iterable[datetime], zones: tuple[str, ...]) -> ContactHistory:
    history = ContactHistory(zones=zones)
    for at in calls:
        history = history.with_call(at=at, zones=zones, kind=None)
    return history
