"""The worst case of a retry policy: the latest time of each call to one contact."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from domain.campaigns.retry_policy import DAY, RetryPolicy, latest_offsets
from domain.contacts.contact_history import ContactHistory
from domain.planning.retries import in_other_part

type Opening = Callable[[datetime, tuple[datetime, ...]], datetime | None]
"""Returns the first time from a time on at which a call may start, after those calls.

None if there is none.
"""


def worst_case(
    policy: RetryPolicy, first_at: datetime, zones: tuple[str, ...], opening: Opening
) -> tuple[datetime, ...]:
    """Return the latest times of all calls to a contact in these time zones.

    The first call is due at `first_at`. Before each retry, the longest possible gap
    passes; a retry that may have to wait for another part of the day does so; and each
    call waits until calls are allowed. Calls after the policy expired are left out.
    """
    calls: list[datetime] = []
    history = ContactHistory(zones=zones)
    offsets = latest_offsets(replace(policy, per_day=policy.attempts + 1))
    for place, offset in enumerate(offsets):
        due = first_at
        if place:
            due = calls[-1] + (offset - offsets[place - 1])
            if place >= policy.per_day:
                due = max(due, calls[-policy.per_day] + DAY)
            if any(rule.other_time_of_day for rule in policy.rules):
                due = in_other_part(due, calls[0] + policy.expires_after, history)
        at = opening(due, tuple(calls))
        if at is None or (calls and at >= calls[0] + policy.expires_after):
            break
        calls.append(at)
        history = history.with_call(at=at, zones=zones, kind=None)
    return tuple(calls)
