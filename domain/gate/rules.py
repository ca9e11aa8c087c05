"""Calling rules as dated data, and the rule book that holds them.

A rule can only tighten: all rules of all places of a number apply together. The windows
of several rules are intersected, their closed days are united, and every frequency cap
holds.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from domain.gate.places import country_of

DAY_MINUTES = 24 * 60


class CallPurpose(StrEnum):
    """Purpose of a campaign; TELEMARKETING has the strictest rules."""

    TELEMARKETING = "TELEMARKETING"
    INFORMATIONAL = "INFORMATIONAL"
    SURVEY = "SURVEY"
    DEBT_COLLECTION = "DEBT_COLLECTION"


class Weekday(StrEnum):
    """A day of the week, Monday first."""

    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


WEEKDAYS = tuple(Weekday)
"""The weekdays in the order of `date.weekday()`."""


class Confidence(StrEnum):
    """How sure a row is; an uncertain one contains the stricter reading."""

    HIGH = "H"
    MEDIUM = "M"
    LOW = "L"


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Wall-clock minutes of a day in which calls may start: [opens, closes)."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= DAY_MINUTES:
            raise ValueError(f"{self} must open before it closes, within one day")

    def __str__(self) -> str:
        return f"{clock(self.opens)}-{clock(self.closes)}"


ALL_DAY = (Window(0, DAY_MINUTES),)
CLOSED: tuple[Window, ...] = ()

type Week = tuple[tuple[Window, ...], ...]
"""The windows of each weekday, Monday first."""

ALWAYS: Week = (ALL_DAY,) * 7


def clock(minutes: int) -> str:
    """Return minutes since midnight as HH:MM; the end of the day is 24:00."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def intersect(one: Iterable[Window], other: Iterable[Window]) -> tuple[Window, ...]:
    """Return the minutes that both sets of windows contain."""
    others = tuple(other)
    return tuple(
        Window(max(a.opens, b.opens), min(a.closes, b.closes))
        for a in one
        for b in others
        if max(a.opens, b.opens) < min(a.closes, b.closes)
    )


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """At most `attempts` calls to one number within any `hours` hours."""

    attempts: int
    hours: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One dated rule of one place.

    It applies on the local dates from `valid_from` to `valid_to`, both included; None
    is unlimited. `week` has the windows of each weekday; None restricts no hours.
    On the days of the holiday list `holidays`, `holiday_windows` replace those of the
    weekday. `source`, `read_on`, `confidence` and `note` are shown with the rule.
    """

    id: str
    place: str
    purposes: frozenset[CallPurpose]
    source: str
    read_on: date
    confidence: Confidence
    valid_from: date | None = None
    valid_to: date | None = None
    week: Week | None = None
    holidays: str | None = None
    holiday_windows: tuple[Window, ...] = CLOSED
    caps: tuple[FrequencyCap, ...] = ()
    note: str = ""

    def applies_on(self, day: date) -> bool:
        """Return whether the rule is in force on a local date."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules and holiday lists; `version` is a hash of their content."""

    version: str
    rules: tuple[Rule, ...]
    holidays: Mapping[str, frozenset[date]]
    _by_place: Mapping[str, tuple[Rule, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_place: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules:
            by_place[rule.place] = (*by_place.get(rule.place, ()), rule)
        object.__setattr__(self, "_by_place", by_place)

    def countries_without_rules(self, codes: Iterable[str]) -> frozenset[str]:
        """Return the countries among the places for which the book has no rule."""
        countries = {country_of(code) for code in codes}
        return frozenset(code for code in countries if code not in self._by_place)

    def rules_of(
        self, codes: Collection[str], purpose: CallPurpose
    ) -> tuple[Rule, ...]:
        """Return the rules of the places and of their countries, for a purpose."""
        wanted = {*codes, *map(country_of, codes)}
        return tuple(
            rule
            for code in sorted(wanted)
            for rule in self._by_place.get(code, ())
            if purpose in rule.purposes
        )

    def windows(self, rules: Iterable[Rule], day: date) -> tuple[Window, ...]:
        """Return the wall-clock windows that all `rules` allow on a local date."""
        windows: tuple[Window, ...] = ALL_DAY
        for rule in rules:
            if rule.applies_on(day):
                windows = intersect(windows, self._own_windows(rule, day))
        return windows

    def _own_windows(self, rule: Rule, day: date) -> tuple[Window, ...]:
        if rule.holidays is not None and day in self.holidays[rule.holidays]:
            return rule.holiday_windows
        return ALL_DAY if rule.week is None else rule.week[day.weekday()]
