"""How a contact was called so far: what the next attempt is planned from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from enum import StrEnum

from domain.campaigns.retry_policy import PER_DAY
from domain.outcomes import CallOutcome
from domain.time_zones import time_zone

MOST_RECENT = PER_DAY[-1]
"""Number of attempts whose times are stored: no policy allows more in 24 hours."""

MOST_CALLBACKS = 2
"""Callbacks to one contact beside the attempts of the policy."""


class DayPart(StrEnum):
    """A part of the contact's day in which people are called."""

    MORNING = "MORNING"
    MIDDAY = "MIDDAY"
    EVENING = "EVENING"


DAY_PARTS = {
    DayPart.MORNING: (time(8), time(12)),
    DayPart.MIDDAY: (time(12), time(16)),
    DayPart.EVENING: (time(16), time(20)),
}
"""The local times at which each part begins and ends; the night belongs to none."""


class PlanKind(StrEnum):
    """Why a further call is planned.

    RETRY: a rule of the policy applies to the outcome of the call before. CALLBACK: the
    contact asked to be called at that time. RETURNED: a member asked for another call.
    """

    RETRY = "RETRY"
    CALLBACK = "CALLBACK"
    RETURNED = "RETURNED"


@dataclass(frozen=True, slots=True)
class ContactHistory:
    """The calls to one contact so far.

    `attempts` counts the calls that use the budget, `callbacks` those that were made at
    a time for which the contact asked, `faults` those of which nothing rang. `retried`
    has the outcome before each retry. `day_parts` are those in which the contact was
    called. `recent` are the times of the last attempts, `first_at` that of the first.
    `zones` are the IANA time zones to which the number may belong.
    """

    attempts: int = 0
    retried: tuple[CallOutcome, ...] = ()
    callbacks: int = 0
    faults: int = 0
    day_parts: tuple[DayPart, ...] = ()
    recent: tuple[datetime, ...] = ()
    first_at: datetime | None = None
    zones: tuple[str, ...] = ()

    def with_call(
        self, *, at: datetime, zones: tuple[str, ...], kind: PlanKind | None
    ) -> "ContactHistory":
        """Return the history with one more call that was made at the time `at`.

        `zones` are the IANA time zones to which the number may belong; `kind` is why
        the call was planned, None for the first call.
        """
        is_callback = kind is PlanKind.CALLBACK
        parts = {*self.day_parts, *day_parts_at(at, zones)}
        return replace(
            self,
            attempts=self.attempts + (not is_callback),
            callbacks=self.callbacks + is_callback,
            day_parts=tuple(sorted(parts)),
            recent=(*self.recent, at)[-MOST_RECENT:],
            first_at=self.first_at or at,
            zones=zones or self.zones,
        )

    def with_fault(self) -> "ContactHistory":
        """Return the history with one more call of which nothing rang."""
        return replace(self, faults=self.faults + 1)

    def with_retry(self, because: CallOutcome) -> "ContactHistory":
        """Return the history with a planned retry after that outcome."""
        return replace(self, retried=(*self.retried, because))


NO_HISTORY = ContactHistory()
"""The history of a contact that was not called yet."""


def day_parts_at(at: datetime, zones: Sequence[str]) -> Iterator[DayPart]:
    """Yield the parts of the day that it is in any of these time zones."""
    for zone in zones:
        local = at.astimezone(time_zone(zone)).time()
        for part, (begin, end) in DAY_PARTS.items():
            if begin <= local < end:
                yield part
