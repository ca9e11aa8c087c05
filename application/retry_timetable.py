"""The latest times of all calls to one contact at a place, under a retry policy."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from application.places import columns
from application.places.subdivisions import SUBDIVISIONS
from domain.campaigns.retry_policy import RetryPolicy, check_policy
from domain.gate.decision import CallingHours, Gate, Numbers, Terms
from domain.gate.permit import Granted, Wait
from domain.gate.places import Places
from domain.gate.rules import CallPurpose, RuleBook
from domain.retry_timetable import worst_case
from domain.time_zones import time_zone


def places_of_code(code: str) -> Places | None:
    """Return the place of an ISO 3166-1 or 3166-2 code, None if it is unknown."""
    wanted = code.strip().upper()
    if wanted in SUBDIVISIONS:
        return columns.places_of_subdivision(wanted)
    places = columns.places_of_country(wanted)
    return places if places.time_zones else None


@dataclass(frozen=True)
class _Gates:
    """The gates of one place, which are the same for instants of the same dates.

    The hours depend on the date in UTC, the rules in force on the local dates.
    """

    terms: Terms
    places: Places
    known: dict[tuple[date, ...], Gate] = field(default_factory=dict)

    def at(self, instant: datetime) -> Gate:
        """Return the gate for an instant."""
        zones = map(time_zone, self.places.time_zones)
        dates = tuple(instant.astimezone(zone).date() for zone in (UTC, *zones))
        if dates not in self.known:
            self.known[dates] = Gate(self.terms, self.places, instant)
        return self.known[dates]


def retry_timetable(
    policy: RetryPolicy,
    hours: CallingHours,
    places: Places,
    book: RuleBook | None,
    now: datetime,
) -> tuple[datetime, ...]:
    """Return the latest times of all calls if the first one is due now.

    The strictest purpose is assumed. A call that may never be made ends the timetable.
    Raises Invalid for a policy that is out of bounds or does not fit.
    """
    check_policy(policy)
    gates = _Gates(Terms(CallPurpose.TELEMARKETING, hours, book), places)

    def opening(at: datetime, calls: tuple[datetime, ...]) -> datetime | None:
        gate = gates.at(at)
        match gate.decide(Numbers(calls), has_consent=True, now=at):
            case Granted():
                return at
            case Wait(until=until):
                return until
        return None

    return worst_case(policy, now, places.time_zones, opening)
