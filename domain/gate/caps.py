"""Frequency caps: rolling windows over all calls to one number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.gate.rules import FrequencyCap


@dataclass(frozen=True, slots=True)
class AttemptCount:
    """How many calls to a number there were in the last `hours` hours."""

    hours: int
    attempts: int


def counts(
    caps: Iterable[FrequencyCap], attempts: Sequence[datetime], now: datetime
) -> tuple[AttemptCount, ...]:
    """Return the number of earlier calls in the window of each cap, by window."""
    return tuple(
        AttemptCount(hours, len(_within(attempts, hours, now)))
        for hours in sorted({cap.hours for cap in caps})
    )


def free_from(
    caps: Iterable[FrequencyCap], attempts: Sequence[datetime], at: datetime
) -> datetime:
    """Return the first instant from `at` on at which no cap forbids another call.

    `attempts` are the times of the earlier calls; an attempt leaves the window exactly
    its length later.
    """
    free = at
    for cap in caps:
        inside = sorted(_within(attempts, cap.hours, at))
        if len(inside) >= cap.attempts:
            leaving = inside[len(inside) - cap.attempts]
            free = max(free, leaving + timedelta(hours=cap.hours))
    return free


def _within(attempts: Sequence[datetime], hours: int, now: datetime) -> list[datetime]:
    since = now - timedelta(hours=hours)
    return [at for at in attempts if at > since]
