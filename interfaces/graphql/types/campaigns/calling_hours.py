"""Calling hours of a campaign, and the worst case of a retry policy."""

from datetime import date, datetime
from typing import Self

import strawberry

from application.calling_hours import chosen_hours
from application.retry_timetable import places_of_code, retry_timetable
from domain.errors import Invalid
from domain.gate import decision
from domain.gate.decision import LAWFUL_HOURS, HoursRule
from domain.gate.rules import Weekday
from interfaces.auth.viewer import Viewer
from interfaces.graphql.context import Info
from interfaces.graphql.errors import bad_request
from interfaces.graphql.permissions import EVERYBODY, query
from interfaces.graphql.types.campaigns.terms import RetryPolicyInput
from interfaces.graphql.types.scalars import LocalTime

strawberry.enum(HoursRule)
strawberry.enum(Weekday)


@strawberry.type
class CallingWindow:
    """Hours on some weekdays, in the contact's local time."""

    days: list[Weekday]
    opens: LocalTime = strawberry.field(name="from")
    closes: LocalTime = strawberry.field(name="to")

    @classmethod
    def of(cls, one: decision.CallingWindow) -> Self:
        """Build it from the domain's window."""
        return cls(
            days=list(one.days),
            opens=LocalTime(one.window.opens),
            closes=LocalTime(one.window.closes),
        )


@strawberry.type
class CallingHours:
    """When a campaign calls."""

    rules: HoursRule = strawberry.field(
        description="ANY waives the rule book's hours for this campaign."
    )
    waived_by: str | None
    reason: str | None
    windows: list[CallingWindow] = strawberry.field(
        description="The campaign's own, narrower hours in the contact's local time;"
        " empty for none."
    )
    blackout_dates: list[date]
    last_start_minutes: int = strawberry.field(
        description="No call is started within this many minutes before the hours end."
    )

    @classmethod
    def of(cls, hours: decision.CallingHours) -> Self:
        """Build it from the domain's hours."""
        return cls(
            rules=hours.rules,
            waived_by=hours.waived_by,
            reason=hours.reason,
            windows=[CallingWindow.of(one) for one in hours.windows],
            blackout_dates=list(hours.blackout_dates),
            last_start_minutes=hours.last_start_minutes,
        )


@strawberry.input
class CallingWindowInput:
    """Input form of `CallingWindow`."""

    days: list[Weekday]
    opens: LocalTime = strawberry.field(name="from")
    closes: LocalTime = strawberry.field(name="to")

    def to_window(self) -> decision.CallingWindow:
        """Return the domain's window. Raises Invalid unless it opens before it ends."""
        return decision.CallingWindow.of(self.days, self.opens, self.closes)


@strawberry.input(
    description="rules: ANY is reserved for admins and requires a reason."
)
class CallingHoursInput:
    """Input form of `CallingHours`."""

    rules: HoursRule | None = HoursRule.LAW
    reason: str | None = None
    windows: list[CallingWindowInput] | None = strawberry.field(default_factory=list)
    blackout_dates: list[date] | None = strawberry.field(default_factory=list)
    last_start_minutes: int | None = LAWFUL_HOURS.last_start_minutes

    def to_hours(self, viewer: Viewer) -> decision.CallingHours:
        """Return the domain's hours; a waiver of the rules names the viewer.

        Raises RoleForbids if the rules are waived by a member who is no admin.
        """
        minutes = self.last_start_minutes
        default = LAWFUL_HOURS.last_start_minutes
        hours = decision.CallingHours(
            rules=self.rules or HoursRule.LAW,
            reason=(self.reason or "").strip() or None,
            windows=tuple(one.to_window() for one in self.windows or ()),
            blackout_dates=tuple(sorted(set(self.blackout_dates or ()))),
            last_start_minutes=default if minutes is None else minutes,
        )
        return chosen_hours(hours, viewer.email, viewer.role)


@strawberry.type
class TimetableQueries:
    """Queries of the worst case of a retry policy."""

    @query(
        EVERYBODY,
        "The latest possible times of all attempts at one contact at this place under"
        " a policy. place: ISO 3166-1, or 3166-2.",
    )
    async def retry_timetable(
        self,
        info: Info,
        policy: RetryPolicyInput,
        place: str,
        calling_hours: CallingHoursInput | None = None,
    ) -> list[datetime]:
        """Return the times if the first call is due now; refuse wrong input."""
        backend, viewer = info.context.backend, info.context.viewer
        places = places_of_code(place)
        if places is None:
            raise bad_request(
                "place is the ISO 3166 code of a country or state, such as US-FL."
            )
        book = await backend.run_reader(backend.services.rule_book.current)
        now = backend.services.now()
        try:
            hours = (
                calling_hours.to_hours(viewer)
                if calling_hours
                else decision.CallingHours()
            )
            times = await backend.run_reader(
                retry_timetable, policy.to_policy(), hours, places, book, now
            )
        except Invalid as error:
            raise bad_request(str(error)) from error
        return list(times)
