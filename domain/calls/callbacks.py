"""Callbacks: the time that a person names is agreed, or possible ones are offered.

The decision is pure. The caller passes the calling hours as a function.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, available_timezones

from domain.campaign_period import has_ended
from domain.contacts.contact_history import MOST_CALLBACKS

SHORTEST_AHEAD = timedelta(minutes=1)
LONGEST_AHEAD = timedelta(days=60)
GRID = timedelta(minutes=15)
"""Offered times are multiples of this, as people name times."""

BETWEEN_OFFERS = timedelta(hours=1)
MOST_OFFERS = 3
YEARS = range(2, 9_999)
"""Years whose times can be converted to UTC from every time zone."""


class Obstacle(StrEnum):
    """Why a callback cannot be agreed at the time that was named."""

    NO_MORE = "NO_MORE"
    """The contact was called back as often as is allowed."""
    ZONE_UNKNOWN = "ZONE_UNKNOWN"
    ZONE_AMBIGUOUS = "ZONE_AMBIGUOUS"
    """The number may belong to several time zones with different times."""
    NO_SUCH_TIME = "NO_SUCH_TIME"
    """The clocks skip this time when daylight saving time begins."""
    PAST = "PAST"
    TOO_FAR = "TOO_FAR"
    AFTER_END = "AFTER_END"
    """The campaign has ended by then."""
    CLOSED = "CLOSED"
    """No call is allowed at that time."""
    UNREADABLE = "UNREADABLE"
    """It is not a date and time in ISO 8601."""
    TOO_LATE = "TOO_LATE"
    """What follows the call was decided before the request was known."""


@dataclass(frozen=True, slots=True)
class CallbackTime:
    """An instant in UTC, and the IANA time zone in which the person hears it."""

    due_at: datetime
    time_zone: str

    @property
    def local(self) -> datetime:
        """The wall time in the time zone."""
        return self.due_at.astimezone(ZoneInfo(self.time_zone))


@dataclass(frozen=True, slots=True)
class NotAgreed:
    """The obstacle, and up to MOST_OFFERS times that are possible instead."""

    obstacle: Obstacle
    possible: tuple[CallbackTime, ...] = ()


@dataclass(frozen=True, slots=True)
class CallbackWish:
    """The time that the person named, with an offset or as a wall clock shows it.

    `time_zone` is the IANA name that the person confirmed; None if none was named.
    """

    time: datetime
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class CallbackLimits:
    """What limits the time of a callback.

    `time_zones` are those to which the number may belong. No call is placed at
    `ends_at` or later. `next_opening` returns the first instant, not before the given
    one, at which the number may be called; None if there is none.
    """

    now: datetime
    time_zones: tuple[str, ...]
    ends_at: datetime | None = None
    callbacks_left: int = MOST_CALLBACKS
    next_opening: Callable[[datetime], datetime | None] = lambda instant: instant


def wish_of(text: object, time_zone: object = None) -> CallbackWish | None:
    """Read a date and time in ISO 8601, with an offset or without; None if it is none.

    Years that have no equivalent in some time zone are not read.
    """
    if not isinstance(text, str) or "T" not in text.strip().replace(" ", "T"):
        return None
    try:
        time = datetime.fromisoformat(text.strip())
        time.utcoffset()
    except ValueError:
        return None
    if time.year not in YEARS:
        return None
    return CallbackWish(time, time_zone if isinstance(time_zone, str) else None)


def agree_to_output(output: object, limits: CallbackLimits) -> CallbackTime | Obstacle:
    """Return the time in an output of a call's analysis, or why it is not possible."""
    wish = wish_of(output)
    if wish is None:
        return Obstacle.UNREADABLE
    agreed = agree(wish, limits)
    return agreed.obstacle if isinstance(agreed, NotAgreed) else agreed


def agree(wish: CallbackWish, limits: CallbackLimits) -> CallbackTime | NotAgreed:
    """Return the agreed time, or why it is not possible and what is."""
    if limits.callbacks_left <= 0:
        return NotAgreed(Obstacle.NO_MORE)
    zones = _zones(wish, limits)
    if not zones:
        return NotAgreed(Obstacle.ZONE_UNKNOWN)
    times = [CallbackTime(_instant(wish.time, zone), zone) for zone in zones]
    if len({time.due_at for time in times}) > 1:
        possible = [time for time in times if _obstacle(time.due_at, limits) is None]
        return NotAgreed(Obstacle.ZONE_AMBIGUOUS, tuple(possible[:MOST_OFFERS]))
    [agreed, *_] = times
    if _is_skipped(wish.time, agreed):
        return NotAgreed(Obstacle.NO_SUCH_TIME, _offers(agreed, limits))
    obstacle = _obstacle(agreed.due_at, limits)
    if obstacle is None:
        return agreed
    return NotAgreed(obstacle, _offers(agreed, limits))


def _zones(wish: CallbackWish, limits: CallbackLimits) -> tuple[str, ...]:
    """Return the zones in which the time may be meant; none if it is unknown."""
    known = available_timezones()
    if wish.time_zone is not None:
        return (wish.time_zone,) if wish.time_zone in known else ()
    zones = tuple(zone for zone in limits.time_zones if zone in known)
    if wish.time.tzinfo is not None:
        return (*zones, "UTC")[:1]
    return zones


def _instant(time: datetime, zone: str) -> datetime:
    """Return the instant in UTC; of two equal wall times the first one."""
    aware = time if time.tzinfo else time.replace(tzinfo=ZoneInfo(zone), fold=0)
    return aware.astimezone(UTC)


def _is_skipped(time: datetime, meant: CallbackTime) -> bool:
    return time.tzinfo is None and meant.local.replace(tzinfo=None) != time


def _obstacle(due_at: datetime, limits: CallbackLimits) -> Obstacle | None:
    if due_at < limits.now + SHORTEST_AHEAD:
        return Obstacle.PAST
    if due_at > limits.now + LONGEST_AHEAD:
        return Obstacle.TOO_FAR
    if has_ended(limits.ends_at, due_at):
        return Obstacle.AFTER_END
    return None if limits.next_opening(due_at) == due_at else Obstacle.CLOSED


def _offers(wanted: CallbackTime, limits: CallbackLimits) -> tuple[CallbackTime, ...]:
    """Return the next possible times from the wanted one, else from now."""
    first = limits.now + SHORTEST_AHEAD
    for start in (max(wanted.due_at, first), first):
        found = tuple(_possible(start, wanted.time_zone, limits))
        if found:
            return found
    return ()


def _possible(
    start: datetime, zone: str, limits: CallbackLimits
) -> Iterator[CallbackTime]:
    for _ in range(MOST_OFFERS):
        opening = limits.next_opening(_on_grid(start))
        if opening is None or _obstacle(opening, limits) is not None:
            return
        yield CallbackTime(opening, zone)
        start = opening + BETWEEN_OFFERS


def _on_grid(instant: datetime) -> datetime:
    """Round up to the next multiple of GRID."""
    return instant + (datetime.min.replace(tzinfo=UTC) - instant) % GRID
