"""When calls may start: the open intervals of several time zones, intersected.

Windows are wall time. A wall-clock hour that daylight saving time skips shortens the
window; an hour that it repeats is inside the window both times.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.gate.rules import Window
from domain.time_zones import time_zone

DAYS_AHEAD = 21
"""How many days are searched for the next opening."""

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The UTC instants from `start` to `end`, the end excluded."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class OpenHours:
    """Open intervals in order, for the next DAYS_AHEAD days; later is not known."""

    intervals: tuple[Interval, ...]

    def next_open(self, at: datetime, *, margin: timedelta) -> datetime | None:
        """Return the first instant from `at` on that is open for `margin` longer.

        None if there is none within the computed time.
        """
        for one in self.intervals:
            start = max(one.start, at)
            if start + margin < one.end:
                return start
        return None

    def open_until(self, at: datetime) -> datetime | None:
        """Return when the hours end that are open at `at`, None if none are open."""
        for one in self.intervals:
            if one.start <= at < one.end:
                return one.end
        return None


def open_hours(
    zones: Sequence[str], windows: Callable[[date], tuple[Window, ...]], now: datetime
) -> OpenHours:
    """Return when it is open in every zone, from the day before `now` on.

    `windows` returns the wall-clock windows of a local date, the same for every zone.
    Raises zoneinfo.ZoneInfoNotFoundError for an unknown zone.
    """
    first = now.astimezone(UTC).date() - DAY
    days = [first + n * DAY for n in range(DAYS_AHEAD + 3)]
    found: list[Interval] | None = None
    for name in zones:
        own = list(_merged(_intervals(name, windows, days)))
        found = own if found is None else list(_common(found, own))
    return OpenHours(tuple(found or ()))


def _intervals(
    zone: str, windows: Callable[[date], tuple[Window, ...]], days: Sequence[date]
) -> Iterator[Interval]:
    for day in days:
        allowed = windows(day)
        if not allowed:
            continue
        midnight = datetime.combine(day, time())
        for segment in _segments(zone, day):
            for window in allowed:
                opens = midnight + window.opens * MINUTE - segment.offset
                closes = midnight + window.closes * MINUTE - segment.offset
                start = max(segment.start, opens.replace(tzinfo=UTC))
                end = min(segment.end, closes.replace(tzinfo=UTC))
                if start < end:
                    yield Interval(start, end)


@dataclass(frozen=True, slots=True)
class _Segment:
    """A part of a local day in which the offset from UTC does not change."""

    start: datetime
    end: datetime
    offset: timedelta


@lru_cache(maxsize=65_536)
def _segments(zone: str, day: date) -> tuple[_Segment, ...]:
    """Split a local day where the offset changes."""
    tz = time_zone(zone)
    start = _first_instant(tz, day)
    end = _first_instant(tz, day + DAY)
    segments: list[_Segment] = []
    while start < end:
        offset = _offset(tz, start)
        change = _next_change(tz, start, end)
        segments.append(_Segment(start, change, offset))
        start = change
    return tuple(segments)


def _first_instant(tz: ZoneInfo, day: date) -> datetime:
    """Return the first instant of a local date."""
    midnight = datetime.combine(day, time(), tz)
    return min(
        midnight.replace(fold=0).astimezone(UTC),
        midnight.replace(fold=1).astimezone(UTC),
    )


def _next_change(tz: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """Return the first minute after `start` with another offset, or `end`."""
    offset = _offset(tz, start)
    low, high = start, None
    probe = start
    while probe < end:
        probe = min(probe + timedelta(hours=1), end)
        if _offset(tz, probe) != offset:
            low, high = probe - timedelta(hours=1), probe
            break
    if high is None:
        return end
    low = max(low, start)
    while high - low > MINUTE:
        middle = low + (high - low) // 2
        middle -= timedelta(seconds=middle.second, microseconds=middle.microsecond)
        if middle <= low:
            break
        low, high = (middle, high) if _offset(tz, middle) == offset else (low, middle)
    return min(high, end)


def _offset(tz: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(tz).utcoffset() or timedelta()


def _merged(intervals: Iterable[Interval]) -> Iterator[Interval]:
    """Join intervals that touch or overlap."""
    current: Interval | None = None
    for one in sorted(intervals):
        if current is not None and one.start <= current.end:
            current = Interval(current.start, max(current.end, one.end))
            continue
        if current is not None:
            yield current
        current = one
    if current is not None:
        yield current


def _common(one: Sequence[Interval], other: Sequence[Interval]) -> Iterator[Interval]:
    """Return the instants that are in both ordered lists."""
    i = j = 0
    while i < len(one) and j < len(other):
        start = max(one[i].start, other[j].start)
        end = min(one[i].end, other[j].end)
        if start < end:
            yield Interval(start, end)
        if one[i].end < other[j].end:
            i += 1
        else:
            j += 1
