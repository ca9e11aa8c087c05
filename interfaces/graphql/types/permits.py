"""The facts on which a call was allowed."""

from datetime import date, datetime
from typing import Self

import strawberry

from application.calling_rules.permit_words import permit_words
from domain.gate.permit import Permit
from domain.gate.rules import RuleBook


@strawberry.type
class ConsultedList:
    """A suppression list that was checked, with the date of its data."""

    name: str
    as_of: date


@strawberry.type
class AttemptCount:
    """How many calls to the number there were in the last `hours` hours."""

    hours: int
    attempts: int


@strawberry.type(
    description="The facts on which a call was allowed, as recorded with the request."
)
class CallPermit:
    """A permit and when it was granted."""

    granted_at: datetime
    places: list[str]
    time_zones: list[str]
    place_source: str = strawberry.field(
        description="COLUMN, POSTAL_CODE, SUBDIVISION or NUMBER."
    )
    rule_book: str = strawberry.field(
        description="Version (content hash) of the rule book."
    )
    rules: list[str] = strawberry.field(description="Ids of the rules that applied.")
    lists: list[ConsultedList] = strawberry.field(
        description="Suppression lists that were checked, with the date of their data."
    )
    attempts_before: list[AttemptCount] = strawberry.field(
        description="Earlier attempts at this number within each cap's window."
    )
    waived_by: str | None = strawberry.field(
        description="Who waived the calling hours, if they were waived."
    )
    words: str = strawberry.field(
        description="The permit in one line for people; no legal advice."
    )

    @classmethod
    def of(cls, permit: Permit, granted_at: datetime, book: RuleBook | None) -> Self:
        """Build it from the domain's permit; `book` explains its rules."""
        return cls(
            granted_at=granted_at,
            places=list(permit.places),
            time_zones=list(permit.time_zones),
            place_source=permit.place_source,
            rule_book=permit.rule_book,
            rules=list(permit.rules),
            lists=[ConsultedList(name=o.name, as_of=o.as_of) for o in permit.lists],
            attempts_before=[
                AttemptCount(hours=one.hours, attempts=one.attempts)
                for one in permit.attempts_before
            ],
            waived_by=permit.waived_by,
            words=permit_words(permit, granted_at, book),
        )
