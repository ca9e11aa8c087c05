"""How many contacts may be called now, later and never: a pure computation.

It is exact on the condition that nobody is called meanwhile. Contacts about whom all
that decides is equal are one `Share`, for which the gate decides once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.campaign_period import has_ended
from domain.gate.decision import Gate, Numbers
from domain.gate.groups import ContactGroup
from domain.gate.permit import Never, Wait
from domain.gate.places import Places, PlaceSource
from domain.outcomes import Withheld
from domain.values import WaitingCode

HOURS = 72
HOUR = timedelta(hours=1)

UNRESTRICTED = Numbers()
"""No earlier calls, and on no list and no register."""


@dataclass(frozen=True, slots=True)
class Share:
    """Contacts of one group with the same facts about each of their numbers.

    `group` is None if they were not placed yet. They wait until `not_before`, if it is
    not None, for the reason `planned`.
    """

    group: ContactGroup | None
    contacts: int
    number: Numbers = UNRESTRICTED
    not_before: datetime | None = None
    planned: WaitingCode = WaitingCode.RETRY_LATER


@dataclass(frozen=True, slots=True)
class Later:
    """Contacts that may be called later; `begins` is the first such time, if known."""

    contacts: int
    begins: datetime | None


@dataclass(frozen=True, slots=True)
class Dialability:
    """Counts of contacts; `now`, `later` and `never` together are all of them.

    `hours` counts the contacts that may be called at some time within each of the next
    HOURS hours, the first of which begins at `at`.
    """

    at: datetime
    contacts: int
    now: int
    later: Mapping[WaitingCode, Later]
    never: Mapping[Withheld, int]
    hours: tuple[int, ...]
    sources: Mapping[PlaceSource, int]


def dialability(
    shares: Iterable[Share],
    gate_of: Callable[[Places | None], Gate],
    now: datetime,
    *,
    ends_at: datetime | None = None,
    request_limit: timedelta = timedelta(),
) -> Dialability:
    """Count the contacts of all shares; `gate_of` returns the gate of places.

    Contacts that may not be called before the campaign's end, `ends_at`, are never
    called and count as EXPIRED. `request_limit` is how long the gate must stay open
    after a call may start.
    """
    tally = _Tally(now, ends_at, request_limit)
    gates: dict[Places | None, _GateHours] = {}
    for share in shares:
        places = share.group.places if share.group else None
        hours = gates.get(places)
        if hours is None:
            hours = gates[places] = _GateHours(gate_of(places))
        tally.add(share, hours)
    return tally.total(gates.values())


@dataclass(slots=True)
class _GateHours:
    """A gate, and how many contacts may be called first within each hour."""

    gate: Gate
    first: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class _Tally:
    at: datetime
    ends_at: datetime | None
    request_limit: timedelta
    contacts: int = 0
    now: int = 0
    later: Counter[WaitingCode] = field(default_factory=Counter)
    begins: dict[WaitingCode, datetime] = field(default_factory=dict)
    never: Counter[Withheld] = field(default_factory=Counter)
    sources: Counter[PlaceSource] = field(default_factory=Counter)

    def add(self, share: Share, hours: _GateHours) -> None:
        """Decide about one share and count its contacts."""
        number = share.contacts
        self.contacts += number
        if share.group is not None:
            self.sources[share.group.places.source] += number
        at = max(self.at, share.not_before or self.at)
        decision = hours.gate.decide(
            share.number,
            has_consent=share.group is not None and share.group.has_consent,
            now=at,
            request_limit=self.request_limit,
        )
        if isinstance(decision, Never):
            self.never[decision.reason] += number
            return
        first = decision.until if isinstance(decision, Wait) else at
        if self._is_over(first or self.at):
            self.never[Withheld.EXPIRED] += number
            return
        if first == self.at:
            self.now += number
        else:
            planned = share.planned if at > self.at and first is not None else None
            code = decision.code if isinstance(decision, Wait) else share.planned
            self._wait(planned or code, number, first)
        if first is not None:
            hours.first[(first - self.at) // HOUR] += number

    def _wait(self, code: WaitingCode, contacts: int, first: datetime | None) -> None:
        self.later[code] += contacts
        if first is not None:
            self.begins[code] = min(first, self.begins.get(code, first))

    def _is_over(self, at: datetime) -> bool:
        return has_ended(self.ends_at, at)

    def total(self, gates: Iterable[_GateHours]) -> Dialability:
        """Return the counts, with those of each hour."""
        hours = [0] * HOURS
        for one in gates:
            self._count_hours(one, hours)
        return Dialability(
            at=self.at,
            contacts=self.contacts,
            now=self.now,
            later={
                code: Later(number, self.begins.get(code))
                for code, number in self.later.items()
            },
            never=dict(self.never),
            hours=tuple(hours),
            sources=dict(self.sources),
        )

    def _count_hours(self, gate_hours: _GateHours, hours: list[int]) -> None:
        """Add the contacts of one gate to the hours in which they may be called.

        Once a contact may be called, only the hours forbid a call: a frequency cap
        allows more as time passes, because earlier calls leave its window.
        """
        earlier = 0
        for hour in range(HOURS):
            start = self.at + hour * HOUR
            if self._is_over(start):
                return
            hours[hour] += gate_hours.first[hour]
            if earlier:
                opens = gate_hours.gate.next_time(start, self.request_limit)
                if opens is not None and opens < start + HOUR:
                    hours[hour] += 0 if self._is_over(opens) else earlier
            earlier += gate_hours.first[hour]
