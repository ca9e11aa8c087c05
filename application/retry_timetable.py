"""The latest times of all calls to one contact at a place, under a retry policy."""

from datetime import datetime

from application.places import columns
from application.places.subdivisions import SUBDIVISIONS
from domain.campaigns.retry_policy import RetryPolicy, check_policy
from domain.gate.decision import CallingHours, Gate, Numbers, Terms
from domain.gate.permit import Granted, Wait
from domain.gate.places import Places
from domain.gate.rules import CallPurpose, RuleBook
from domain.retry_timetable import worst_case


def places_of_code(code: str) -> Places | None:
    """Return the place of an ISO 3166-1 or 3166-2 code, None if it is unknown."""
    wanted = code.strip().upper()
    if wanted in SUBDIVISIONS:
        return columns.places_of_subdivision(wanted)
    places = columns.places_of_country(wanted)
    return places if places.time_zones else None


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
    terms = Terms(CallPurpose.TELEMARKETING, hours, book)

    def opening(at: datetime, calls: tuple[datetime, ...]) -> datetime | None:
        gate = Gate(terms, places, at)
        match gate.decide(Numbers(calls), has_consent=True, now=at):
            case Granted():
                return at
            case Wait(until=until):
                return until
        return None

    return worst_case(policy, now, places.time_zones, opening)
