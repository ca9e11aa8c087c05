"""The calls of one campaign, counted, from which forecasts learn.

The counts are stored in events when a campaign is over. They contain no personal data.
This module does not load numpy, because every process reads events.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from math import exp, log
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

from domain.outcomes import BY_PERSON, CallOutcome, Disposition
from domain.time_zones import time_zone
from domain.values import ZERO

OUTCOMES = (
    CallOutcome.HUMAN,
    CallOutcome.DROPPED_EARLY,
    CallOutcome.VOICEMAIL,
    CallOutcome.SCREENED,
    CallOutcome.SILENT,
    CallOutcome.NO_ANSWER,
    CallOutcome.BUSY,
    CallOutcome.DECLINED,
    CallOutcome.INVALID_NUMBER,
    CallOutcome.FAULT,
    CallOutcome.UNKNOWN,
)
"""The outcomes that are forecast: those of calls that were placed."""

ATTEMPTS = 6
"""Attempts are counted from 1 to 6; the last stands for all later ones."""

BANDS = 24
"""Two-hour bands of the contact's day: 12 of working days, then 12 of weekends."""

SHORTEST_SECONDS, LONGEST_SECONDS, DURATION_BINS = 2.0, 7200.0, 48

DURATION_EDGES = tuple(
    exp(
        log(SHORTEST_SECONDS)
        + n * log(LONGEST_SECONDS / SHORTEST_SECONDS) / (DURATION_BINS - 1)
    )
    for n in range(DURATION_BINS)
)
"""Upper edges in seconds of the bins in which durations are counted."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A finished call, as far as forecasts use it.

    `attempt` counts from 1. `seconds` are those for which it used a slot, `cost` is in
    US dollars; both are None if they are not known.
    """

    attempt: int
    outcome: CallOutcome
    zones: tuple[str, ...]
    placed_at: datetime
    seconds: float | None = None
    cost: Decimal | None = None
    disposition: Disposition | None = None


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """Calls with the same attempt, band and outcome; `band` is None if not known."""

    attempt: int
    band: int | None
    outcome: CallOutcome
    calls: int


@dataclass(frozen=True, slots=True)
class DurationCount:
    """Calls with an outcome whose duration is in the bin with this index."""

    outcome: CallOutcome
    bin: int
    calls: int


@dataclass(frozen=True, slots=True)
class CostSum:
    """Costs in US dollars of calls with an outcome: their sum, and that of squares."""

    outcome: CallOutcome
    calls: int
    total: Decimal
    squares: Decimal


@dataclass(frozen=True, slots=True)
class DayCount:
    """Calls of one day of the contacts, and how many of them a person answered.

    Release 1.0 counted UTC days."""

    day: date
    calls: int
    human: int


@dataclass(frozen=True, slots=True)
class CampaignCounts:
    """The calls of one campaign. `goals` counts among the `human` ones.

    `contacts` and `seconds`, from the start to the end of the last call, describe the
    finished campaign; `seconds` is None if no call was made. `assistant_id` is None if
    it is not known. `list_id` is the same for a campaign and its redials.
    """

    outcomes: tuple[OutcomeCount, ...] = ()
    durations: tuple[DurationCount, ...] = ()
    costs: tuple[CostSum, ...] = ()
    days: tuple[DayCount, ...] = ()
    human: int = 0
    goals: int = 0
    contacts: int = 0
    seconds: float | None = None
    assistant_id: UUID | None = None
    list_id: UUID | None = None

    @property
    def calls(self) -> int:
        """Number of finished calls."""
        return sum(one.calls for one in self.outcomes)


def duration_bin(seconds: float) -> int:
    """Return the index of the bin for a duration in seconds."""
    return min(bisect_right(DURATION_EDGES, seconds), DURATION_BINS - 1)


def band_of(zones: Iterable[str], at: datetime) -> int | None:
    """Return the band of the contact's day; None if its time zones differ in that."""
    found = {_band(zone, at) for zone in zones}
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=65_536)
def _band(zone: str, at: datetime) -> int | None:
    try:
        local = at.astimezone(time_zone(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return None
    is_weekend = local.weekday() > 4  # noqa: PLR2004 - Monday is 0, Friday 4
    return local.hour // 2 + (BANDS // 2 if is_weekend else 0)


def day_zone(zones: Sequence[str]) -> tzinfo:
    """Return the time zone whose days a contact's calls belong to; UTC if unknown."""
    try:
        return time_zone(zones[0]) if zones else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def count_calls(records: Iterable[CallRecord]) -> CampaignCounts:
    """Count the calls of one campaign; outcomes that are not forecast are left out."""
    outcomes: Counter[tuple[int, int | None, CallOutcome]] = Counter()
    durations: Counter[tuple[CallOutcome, int]] = Counter()
    days: Counter[tuple[date, bool]] = Counter()
    costs: defaultdict[CallOutcome, list[Decimal]] = defaultdict(list)
    human = goals = 0
    for one in records:
        if one.outcome not in OUTCOMES:
            continue
        attempt = min(one.attempt, ATTEMPTS)
        hour = one.placed_at.replace(minute=0, second=0, microsecond=0)
        outcomes[attempt, band_of(one.zones, hour), one.outcome] += 1
        by_person = one.outcome in BY_PERSON
        day = one.placed_at.astimezone(day_zone(one.zones)).date()
        days[day, by_person] += 1
        if one.seconds is not None:
            durations[one.outcome, duration_bin(one.seconds)] += 1
        if one.cost is not None:
            costs[one.outcome].append(one.cost)
        human += by_person
        goals += by_person and one.disposition is Disposition.GOAL_REACHED
    return CampaignCounts(
        outcomes=tuple(OutcomeCount(*key, n) for key, n in outcomes.items()),
        durations=tuple(DurationCount(*key, n) for key, n in durations.items()),
        costs=tuple(
            CostSum(kind, len(own), sum(own, ZERO), sum((c * c for c in own), ZERO))
            for kind, own in costs.items()
        ),
        days=tuple(
            DayCount(day, days[day, True] + days[day, False], days[day, True])
            for day in sorted({day for day, _ in days})
        ),
        human=human,
        goals=goals,
    )
