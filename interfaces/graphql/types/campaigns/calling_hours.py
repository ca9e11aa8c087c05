"""A campaign's own calling hours as input, and the worst case of a retry policy."""

from datetime import date, datetime

import strawberry

from application.retry_timetable import places_of_code, retry_timetable
from domain.errors import Invalid
from domain.gate import decision
from domain.gate.decision import CallingHours, HoursRule
from domain.gate.rules import Weekday, Window
from interfaces.graphql.context import Info
from interfaces.graphql.errors import bad_request
from interfaces.graphql.permissions import EVERYBODY, query
from interfaces.graphql.types.campaigns.terms import RetryPolicyInput
from interfaces.graphql.types.scalars import LocalTime

LAST_START_MINUTES = 5

strawberry.enum(HoursRule)
strawberry.enum(Weekday)


@strawberry.input
class CallingWindowInput:
    """Hours on some weekdays, in the contact's local time."""

    days: list[Weekday]
    opens: LocalTime = strawberry.field(name="from")
    closes: LocalTime = strawberry.field(name="to")

    def to_window(self) -> decision.CallingWindow:
        """Return the domain's window. Raises Invalid unless it opens before it ends."""
        if self.opens >= self.closes:
            wrong = "must open before it closes"
            raise Invalid(f"A calling window {wrong}.", calling_hours=wrong)
        return decision.CallingWindow(
            frozenset(self.days), Window(self.opens, self.closes)
        )


@strawberry.input(
    description="rules: ANY is reserved for admins and requires a reason."
)
class CallingHoursInput:
    """Input form of `CallingHours`."""

    rules: HoursRule | None = HoursRule.LAW
    reason: str | None = None
    windows: list[CallingWindowInput] | None = strawberry.field(default_factory=list)
    blackout_dates: list[date] | None = strawberry.field(default_factory=list)
    last_start_minutes: int | None = LAST_START_MINUTES

    def to_hours(self, *, waived_by: str | None) -> CallingHours:
        """Return the domain's hours; `waived_by` waives the rules if they are ANY."""
        rules = self.rules or HoursRule.LAW
        margin = self.last_start_minutes
        return CallingHours(
            rules=rules,
            waived_by=waived_by if rules is HoursRule.ANY else None,
            windows=tuple(window.to_window() for window in self.windows or ()),
            blackout_dates=frozenset(self.blackout_dates or ()),
            last_start_minutes=LAST_START_MINUTES if margin is None else margin,
        )


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
        backend, by = info.context.backend, info.context.viewer.email
        places = places_of_code(place)
        if places is None:
            raise bad_request(
                "place is the ISO 3166 code of a country or state, such as US-FL."
            )
        book = await backend.run_reader(backend.services.rule_book.current)
        now = backend.services.now()
        try:
            hours = (
                calling_hours.to_hours(waived_by=by)
                if calling_hours
                else CallingHours()
            )
            times = await backend.run_reader(
                retry_timetable, policy.to_policy(), hours, places, book, now
            )
        except Invalid as error:
            raise bad_request(str(error)) from error
        return list(times)
