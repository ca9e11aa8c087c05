"""Frequency caps: rolling windows over all calls to one number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.gate.rules import FrequencyCap


@dataclass(frozen=True, slots=True)
class AttemptCount:
    """How many calls to a number there were in the last `hours` hours.

    `limit` is how many the frequency caps allow in that time.
    """

    hours: int
    attempts: int
    limit: int | None = None


def read_caps(text: str) -> tuple[FrequencyCap, ...]:
    """Read caps such as 3/24,7/168: attempts and hours; none for an empty text.

    Raises ValueError.
    """
    caps: list[FrequencyCap] = []
    for part in filter(None, map(str.strip, text.split(","))):
        attempts, slash, hours = part.partition("/")
        if not (slash and attempts.isdecimal() and hours.isdecimal()):
            raise ValueError(f"{part!r}: write attempts/hours, such as 3/24,7/168")
        caps.append(FrequencyCap(int(attempts), int(hours)))
    return tuple(caps)


def caps_text(caps: Iterable[FrequencyCap]) -> str:
    """Write caps as `read_caps` reads them."""
    return ",".join(f"{cap.attempts}/{cap.hours}" for cap in caps)


def counts(
    caps: Iterable[FrequencyCap], attempts: Sequence[datetime], now: datetime
) -> tuple[AttemptCount, ...]:
    """Return the number of earlier calls in the window of each cap, by window."""
    limits: dict[int, int] = {}
    for cap in caps:
        limits[cap.hours] = min(cap.attempts, limits.get(cap.hours, cap.attempts))
    return tuple(
        AttemptCount(hours, len(_within(attempts, hours, now)), limits[hours])
        for hours in sorted(limits)
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
