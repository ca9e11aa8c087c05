"""Counts of outcomes, and the stages that contacts reached."""

from datetime import datetime
from decimal import Decimal
from typing import Self

import strawberry

from interfaces.graphql.types.enums import CallOutcome
from projections.calls.call_log import ActivityBucket as BucketRow
from projections.campaigns.answer_rates import AnswerRate as RateRow
from projections.contacts.callbacks import CallbackCounts as CallbackRow
from projections.contacts.contact_results import Funnel as FunnelRow
from projections.contacts.contact_results import OutcomeCount as CountRow


@strawberry.type
class ActivityBucket:
    """Numbers of calls and their costs (US dollars) in one interval."""

    since: datetime = strawberry.field(name="from")
    placed: int
    ended: int
    failed: int
    spend: Decimal

    @classmethod
    def of(cls, row: BucketRow) -> Self:
        """Build it from a row of the read model."""
        return cls(
            since=row.since,
            placed=row.placed,
            ended=row.ended,
            failed=row.failed,
            spend=row.spend,
        )


@strawberry.type
class OutcomeCount:
    """Finished calls with an outcome, and contacts whose latest call has it."""

    outcome: CallOutcome
    calls: int
    contacts: int

    @classmethod
    def of(cls, row: CountRow) -> Self:
        """Build it from a row of the read model."""
        return cls(outcome=row.outcome, calls=row.calls, contacts=row.contacts)


@strawberry.type(
    description="Contacts per stage; each stage is a subset of the one before: dialed,"
    " answered, answered by a person, goal reached."
)
class Funnel:
    """Contacts per stage; withheld and optedOut are counted beside the stages."""

    contacts: int
    dialed: int
    answered: int
    human: int
    goal: int
    withheld: int
    opted_out: int

    @classmethod
    def of(cls, row: FunnelRow | None) -> Self:
        """Return the counts; zeros if the read model does not contain the campaign."""
        if row is None:
            return cls(
                contacts=0,
                dialed=0,
                answered=0,
                human=0,
                goal=0,
                withheld=0,
                opted_out=0,
            )
        return cls(
            contacts=row.contacts,
            dialed=row.dialed,
            answered=row.answered,
            human=row.human,
            goal=row.goal,
            withheld=row.withheld,
            opted_out=row.opted_out,
        )


@strawberry.type
class AnswerRate:
    """Finished calls placed in one hour of the contact's day, and who answered."""

    hour: int
    calls: int
    answered: int
    human: int

    @classmethod
    def of(cls, row: RateRow) -> Self:
        """Build it from a row of the read model."""
        return cls(
            hour=row.hour, calls=row.calls, answered=row.answered, human=row.human
        )


@strawberry.type
class CallbackCounts:
    """Contacts of a campaign that asked to be called back."""

    due: int
    later: int
    next_at: datetime | None

    @classmethod
    def of(cls, row: CallbackRow) -> Self:
        """Build it from the counts of the read model."""
        return cls(due=row.due, later=row.later, next_at=row.next_at)
