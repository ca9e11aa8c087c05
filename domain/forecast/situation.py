"""What a simulation starts from: the contacts that wait, by stratum, and all limits.

It contains counts only. A stratum is a group of contacts whose calls are allowed at the
same times; the real gate says when.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal

from domain.campaigns.campaign_terms import CallingTerms
from domain.forecast.learning.counts import day_zone
from domain.gate.decision import Gate, Numbers, Terms
from domain.gate.groups import ContactGroup
from domain.gate.permit import Granted, Never, Wait
from domain.gate.rules import FrequencyCap
from domain.outcomes import Withheld
from domain.values import ZERO, DialMode, WaitingCode

DAY_SECONDS = 86_400.0

HORIZON = timedelta(days=60)
"""How far a campaign is simulated; what would be later counts as never."""

GATE_VALID = timedelta(days=14)
"""How long hours that a gate computed are used: it knows the next 21 days."""

MOST_STRATA = 12
"""Groups are merged into so many strata; the smallest join the most similar one."""

NOTHING_KNOWN = Numbers()


@dataclass(frozen=True, slots=True)
class Hours:
    """When calls of a group may start, in seconds from the begin of the simulation.

    `spans` are half-open and in order. `never` is why the group is never called, and
    `code` why it waits without a known end.
    """

    spans: tuple[tuple[float, float], ...] = ()
    never: Withheld | None = None
    code: WaitingCode | None = None

    def is_open(self, at: float) -> bool:
        """Return whether calls may start at this time, in seconds."""
        before = bisect_right(self.spans, (at, float("inf")))
        return before > 0 and at < self.spans[before - 1][1]

    def next_start(self, after: float) -> float | None:
        """Return when the next span begins after this time, None if none does."""
        index = bisect_right(self.spans, (after, float("inf")))
        return self.spans[index][0] if index < len(self.spans) else None

    @property
    def open_seconds(self) -> float:
        """The total length of the spans."""
        return sum(end - start for start, end in self.spans)


@dataclass(frozen=True, slots=True)
class Planned:
    """Contacts that may be called again `due` seconds after the begin."""

    attempt: int
    due: float
    contacts: int


@dataclass(frozen=True, slots=True)
class Stratum:
    """Contacts that are called at the same times: fresh ones, and planned calls."""

    hours: Hours
    zones: tuple[str, ...]
    fresh: int
    planned: tuple[Planned, ...] = ()

    @property
    def contacts(self) -> int:
        """Number of contacts that wait."""
        return self.fresh + sum(one.contacts for one in self.planned)


@dataclass(frozen=True, slots=True)
class Made:
    """What the campaign's calls have come to so far; `spend` in US dollars."""

    calls: int = 0
    answered: int = 0
    human: int = 0
    goals: int = 0
    spend: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Situation:
    """A campaign and its limits at the time `now`.

    `slots` are the calls that may be live, because of the cap or, if
    `slots_are_shared`, because of the global cap and other campaigns. `per_second` is
    the pace. `refill_seconds` is how long a free slot waits for its next call.
    `daily_budget` and `spent_today` are those of the installation. `never` counts the
    contacts that are withheld, `waits` those that wait without a known end.
    """

    now: datetime
    strata: tuple[Stratum, ...]
    terms: CallingTerms
    slots: int
    per_second: float = 1.0
    slots_are_shared: bool = False
    mode: DialMode = DialMode.CONTINUOUS
    refill_seconds: float = 1.0
    caps: tuple[FrequencyCap, ...] = ()
    budget: Decimal | None = None
    daily_budget: Decimal | None = None
    spent_today: Decimal = ZERO
    made: Made = Made()
    never: Mapping[Withheld, int] = field(default_factory=dict)
    waits: Mapping[WaitingCode, int] = field(default_factory=dict)

    @property
    def contacts(self) -> int:
        """Number of contacts that wait and can be called at some time."""
        return sum(one.contacts for one in self.strata)

    @property
    def zone(self) -> tzinfo:
        """The time zone by whose days the effects of days change: the largest one."""
        strata = sorted(self.strata, key=lambda one: -one.contacts)
        return day_zone(strata[0].zones) if strata else UTC

    @property
    def today(self) -> date:
        """The day on which the simulation begins."""
        return self.now.astimezone(self.zone).date()

    @property
    def first_midnight(self) -> float:
        """When the first day ends, in seconds from the begin."""
        local = self.now.astimezone(self.zone)
        return DAY_SECONDS - local.hour * 3600 - local.minute * 60 - local.second


def hours_of(
    terms: Terms,
    group: ContactGroup | None,
    now: datetime,
    *,
    request_limit: timedelta = timedelta(),
    horizon: timedelta = HORIZON,
) -> Hours:
    """Ask the gate when contacts of a group may be called until the horizon."""
    spans: list[tuple[float, float]] = []
    places = group.places if group else None
    margin = max(timedelta(minutes=terms.hours.last_start_minutes), request_limit)
    gate, at, end = Gate(terms, places, computed_at=now), now, now + horizon
    while at < end:
        if at >= gate.computed_at + GATE_VALID:
            gate = Gate(terms, places, computed_at=at)
        decision = gate.decide(
            NOTHING_KNOWN,
            has_consent=group is not None and group.has_consent,
            now=at,
            request_limit=request_limit,
        )
        match decision:
            case Never(reason=reason):
                return Hours(never=reason)
            case Wait(code=code, until=None):
                return Hours(tuple(spans), code=None if spans else code)
            case Wait(until=datetime() as until):
                at = until
            case Granted(permit=permit):
                known = min(end, gate.computed_at + GATE_VALID)
                last = permit.open_until
                until = known if last is None else min(last - margin, known)
                spans.append(_span(at, max(until, at), now))
                at = max(until, at + timedelta(minutes=1))
    return Hours(_joined(spans))


def _span(start: datetime, end: datetime, now: datetime) -> tuple[float, float]:
    return (start - now).total_seconds(), (end - now).total_seconds()


def _joined(spans: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    joined: list[tuple[float, float]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return tuple(joined)


def merged(strata: Iterable[Stratum], most: int = MOST_STRATA) -> tuple[Stratum, ...]:
    """Merge strata with the same hours, then the smallest ones into similar ones."""
    by_hours: dict[Hours, Stratum] = {}
    for one in strata:
        known = by_hours.get(one.hours)
        by_hours[one.hours] = one if known is None else _together(known, one)
    found = sorted(by_hours.values(), key=lambda one: -one.contacts)
    largest, rest = found[:most], found[most:]
    for one in rest:
        nearest = min(
            range(len(largest)), key=lambda n: _distance(largest[n].hours, one.hours)
        )
        largest[nearest] = _together(largest[nearest], one)
    return tuple(largest)


def _together(one: Stratum, other: Stratum) -> Stratum:
    return replace(
        one, fresh=one.fresh + other.fresh, planned=one.planned + other.planned
    )


def _distance(one: Hours, other: Hours) -> float:
    """Return how many seconds the first days' spans differ."""
    total = abs(one.open_seconds - other.open_seconds)
    for own, theirs in zip(one.spans[:7], other.spans[:7], strict=False):
        total += abs(own[0] - theirs[0]) + abs(own[1] - theirs[1])
    return total
