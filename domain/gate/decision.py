"""May this number be called now? One pure decision from all that is known.

It fails closed: what cannot be checked makes the contact wait. A number is refused for
good (`Never`) before it waits, and the wait names the first rule that forbids the call,
with the first time at which all rules allow it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from domain.campaign_period import has_begun
from domain.errors import Invalid
from domain.gate import caps as frequency
from domain.gate.hours import OpenHours, open_hours
from domain.gate.permit import ConsultedList, Decision, Granted, Never, Permit, Wait
from domain.gate.places import Places
from domain.gate.rules import (
    CLOSED,
    DAY_MINUTES,
    WEEKDAYS,
    CallPurpose,
    FrequencyCap,
    Rule,
    RuleBook,
    Weekday,
    Window,
    intersect,
)
from domain.outcomes import Withheld
from domain.time_zones import time_zone
from domain.values import WaitingCode

ROUNDS = 50
"""How often hours and frequency caps are tried in turn to find the next time."""


class HoursRule(StrEnum):
    """LAW: the rule book's hours apply. ANY: an admin waived them."""

    LAW = "LAW"
    ANY = "ANY"


@dataclass(frozen=True, slots=True)
class CallingWindow:
    """Hours of a campaign on some weekdays, in the contact's wall time."""

    days: tuple[Weekday, ...]
    window: Window

    @classmethod
    def of(cls, days: Collection[Weekday], opens: int, closes: int) -> Self:
        """Return the window as a member enters it, its times in minutes of the day.

        Raises Invalid unless it opens before it closes.
        """
        try:
            window = Window(opens, closes)
        except ValueError as error:
            wrong = "must open before it closes"
            raise Invalid(f"A calling window {wrong}.", calling_hours=wrong) from error
        return cls(tuple(day for day in WEEKDAYS if day in days), window)


@dataclass(frozen=True, slots=True)
class CallingHours:
    """The hours of one campaign; with ANY an admin waived those of the rule book.

    `waived_by` is that admin and `reason` why, both None with LAW. No call is started
    within `last_start_minutes` before the hours end.
    """

    rules: HoursRule = HoursRule.LAW
    waived_by: str | None = None
    reason: str | None = None
    windows: tuple[CallingWindow, ...] = ()
    blackout_dates: tuple[date, ...] = ()
    last_start_minutes: int = 5

    @property
    def restrict(self) -> bool:
        """Whether the campaign has hours of its own."""
        return bool(self.windows or self.blackout_dates)

    def on(self, day: date) -> tuple[Window, ...]:
        """Return the windows that the campaign allows on a local date."""
        if day in self.blackout_dates:
            return CLOSED
        if not self.windows:
            return (Window(0, DAY_MINUTES),)
        weekday = WEEKDAYS[day.weekday()]
        return union(one.window for one in self.windows if weekday in one.days)


LAWFUL_HOURS = CallingHours()
"""The hours of a campaign for which nothing was chosen."""


@dataclass(frozen=True, slots=True)
class ListFinding:
    """What one suppression list says of a number.

    `covers`: the number is within the list's prefixes. `is_stale`: the list is older
    than its maximum age.
    """

    name: str
    as_of: date
    contains: bool
    covers: bool
    is_stale: bool

    @property
    def forbids(self) -> bool:
        """Whether the number is never called: the list is valid and contains it."""
        return self.contains and self.covers and not self.is_stale


def is_forbidden(lists: Sequence[ListFinding] | None) -> bool:
    """Return whether any list forbids the number; None: they cannot be read."""
    return any(one.forbids for one in lists or ())


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is known of one number: earlier calls, the register and the lists.

    `attempts` are the times of the calls within the longest window. `lists` has the
    lists for the campaign's purpose; None if they cannot be read.
    """

    attempts: tuple[datetime, ...] = ()
    is_suppressed: bool = False
    lists: tuple[ListFinding, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a campaign and the settings demand of every call.

    `rule_book` is None if it cannot be read. `is_enforced` is false if the settings
    switch the rule book off; `waived_by` names who did.
    """

    purpose: CallPurpose
    hours: CallingHours
    rule_book: RuleBook | None
    is_enforced: bool = True
    waived_by: str | None = None
    caps: tuple[FrequencyCap, ...] = ()
    requires_consent: bool = False
    starts_at: datetime | None = None

    @property
    def obeys_law(self) -> bool:
        """Whether the rule book's hours apply."""
        return self.is_enforced and self.hours.rules is HoursRule.LAW

    @property
    def waiver(self) -> str | None:
        """Return who waived the rule book's hours, None if they apply."""
        if self.obeys_law:
            return None
        return self.hours.waived_by if self.is_enforced else self.waived_by


@dataclass(frozen=True, slots=True)
class Gate:
    """The decision for one set of places under the terms of a campaign.

    It is the same for all contacts of a group, so that hours are computed once.
    """

    terms: Terms
    places: Places | None
    computed_at: datetime
    _rules: tuple[Rule, ...] = field(init=False, repr=False)
    _hours: OpenHours | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rules", self._applicable())
        object.__setattr__(self, "_hours", self._open_hours())

    # --- The decision ---------------------------------------------------------------

    def decide(
        self,
        number: Numbers,
        *,
        has_consent: bool,
        now: datetime,
        request_limit: timedelta = timedelta(),
    ) -> Decision:
        """Decide for one number; a granted call may start until `request_limit` later.

        The gate must be open for that time and for the campaign's margin before the
        end of the hours, whichever is longer.
        """
        refused = self._never(number, has_consent=has_consent)
        if refused is not None:
            return Never(refused)
        unchecked = self._cannot_be_checked(number)
        if unchecked is not None:
            return Wait(unchecked)
        margin = max(self._margin, request_limit)
        return self._waits(number, now, margin) or Granted(self._permit(number, now))

    def _never(self, number: Numbers, *, has_consent: bool) -> Withheld | None:
        if number.is_suppressed or is_forbidden(number.lists):
            return Withheld.SUPPRESSED
        if self.terms.requires_consent and not has_consent:
            return Withheld.NO_CONSENT
        unknown = self.places is not None and self.places.is_unknown
        if unknown and (self.terms.obeys_law or self.terms.hours.restrict):
            return Withheld.PLACE_UNKNOWN
        return None

    def _cannot_be_checked(self, number: Numbers) -> WaitingCode | None:
        terms = self.terms
        if self.places is None or number.lists is None:
            return WaitingCode.RULES_UNAVAILABLE
        if terms.is_enforced and terms.rule_book is None:
            return WaitingCode.RULES_UNAVAILABLE
        if any(one.covers and one.is_stale for one in number.lists):
            return WaitingCode.LIST_STALE
        book = terms.rule_book if terms.obeys_law else None
        if book is not None and book.countries_without_rules(self.places.codes):
            return WaitingCode.NO_RULES
        return None

    def _waits(self, number: Numbers, now: datetime, margin: timedelta) -> Wait | None:
        """Return why the call has to wait, and when everything allows it."""
        code, at = None, now
        for _ in range(ROUNDS):
            later, reason = self._first_obstacle(number, at, margin)
            if reason is None:
                return None if code is None else Wait(code, at)
            code = code or reason
            if later is None:
                return Wait(code)
            at = later
        return Wait(code or WaitingCode.OUTSIDE_HOURS)

    def _first_obstacle(
        self, number: Numbers, at: datetime, margin: timedelta
    ) -> tuple[datetime | None, WaitingCode | None]:
        starts_at = self.terms.starts_at
        if not has_begun(starts_at, at):
            return starts_at, WaitingCode.SCHEDULED
        opens = self._next_open(at, margin)
        if opens is None or opens > at:
            return opens, WaitingCode.OUTSIDE_HOURS
        free = frequency.free_from(self.caps, number.attempts, at)
        if free > at:
            return free, WaitingCode.FREQUENCY_CAP
        return at, None

    def _next_open(self, at: datetime, margin: timedelta) -> datetime | None:
        return at if self._hours is None else self._hours.next_open(at, margin=margin)

    def _permit(self, number: Numbers, now: datetime) -> Permit:
        book, places = self.terms.rule_book, self.places
        zones = places.time_zones if places else ()
        return Permit(
            places=places.codes if places else (),
            time_zones=zones,
            place_source=places.source if places else "",
            rule_book=book.version if book else "",
            rules=tuple(
                rule.id for rule in self._rules if self._is_in_force(rule, now)
            ),
            lists=tuple(
                ConsultedList(one.name, one.as_of) for one in number.lists or ()
            ),
            attempts_before=frequency.counts(self.caps, number.attempts, now),
            waived_by=self.terms.waiver,
            open_until=self._hours.open_until(now) if self._hours else None,
        )

    def next_time(
        self, at: datetime, request_limit: timedelta = timedelta()
    ) -> datetime | None:
        """Return the first time from `at` on that hours and the campaign's start allow.

        What is known of the number and the group is not considered. None if there is no
        such time within the computed hours.
        """
        starts_at = self.terms.starts_at
        begins = at if starts_at is None else max(at, starts_at)
        return self._next_open(begins, max(self._margin, request_limit))

    # --- What applies ---------------------------------------------------------------

    @property
    def caps(self) -> tuple[FrequencyCap, ...]:
        """The frequency caps of the settings and of the rules in force."""
        ruled = [
            cap
            for rule in self._rules
            if self._is_in_force(rule, self.computed_at)
            for cap in rule.caps
        ]
        return tuple(sorted({*self.terms.caps, *ruled}, key=_by_hours))

    @property
    def _margin(self) -> timedelta:
        return timedelta(minutes=self.terms.hours.last_start_minutes)

    def _applicable(self) -> tuple[Rule, ...]:
        """Return the rules that apply; a campaign's waiver leaves those with caps."""
        book = self.terms.rule_book
        if book is None or self.places is None or not self.terms.is_enforced:
            return ()
        rules = book.rules_of(self.places.codes, self.terms.purpose)
        if self.terms.obeys_law:
            return rules
        return tuple(rule for rule in rules if rule.caps)

    def _is_in_force(self, rule: Rule, at: datetime) -> bool:
        """Return whether a rule applies on the local date in any zone of the number."""
        zones = self.places.time_zones if self.places else ()
        return any(rule.applies_on(at.astimezone(time_zone(z)).date()) for z in zones)

    def _open_hours(self) -> OpenHours | None:
        """Compute the hours; None if nothing restricts them."""
        if self.places is None or self.places.is_unknown:
            return None
        if not self.terms.obeys_law and not self.terms.hours.restrict:
            return None
        return open_hours(self.places.time_zones, self._windows, self.computed_at)

    def _windows(self, day: date) -> tuple[Window, ...]:
        own = self.terms.hours.on(day)
        book = self.terms.rule_book
        if book is None or not self.terms.obeys_law:
            return own
        return intersect(own, book.windows(self._rules, day))


def union(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Join windows that touch or overlap."""
    joined: list[Window] = []
    for one in sorted(windows):
        if joined and one.opens <= joined[-1].closes:
            last = joined.pop()
            joined.append(Window(last.opens, max(last.closes, one.closes)))
        else:
            joined.append(one)
    return tuple(joined)


def _by_hours(cap: FrequencyCap) -> tuple[int, int]:
    return cap.hours, cap.attempts
