"""Comparisons of assistants within one campaign."""

from typing import Self
from uuid import UUID

import strawberry

from domain.campaigns.arm_statistics import smallest_difference
from domain.campaigns.arms import WHOLE, first_share
from interfaces.graphql.context import Info
from interfaces.graphql.errors import bad_request
from interfaces.graphql.permissions import EVERYBODY, field, query
from interfaces.graphql.types.assistants import Assistant, assistant_of
from interfaces.graphql.types.paging import as_uuid
from projections.campaign_arms import USUAL_GOAL_RATE, ArmResult


@strawberry.input
class ArmInput:
    """An assistant to compare with the campaign's first one; share in percent."""

    assistant_id: strawberry.ID
    share: int

    def to_compared(self) -> tuple[UUID, int]:
        """Return the assistant's id and share. Raises Invalid for an id of no form."""
        return as_uuid("assistant", self.assistant_id), self.share


@strawberry.type(
    description="low, high: always-valid interval of the goal rate's difference to the"
    " first arm."
)
class Arm:
    """An arm with its counters; null without finished contacts, and for the first."""

    assistant_id: strawberry.Private[UUID]
    share: int = strawberry.field(description="In percent of the contacts.")
    contacts: int = strawberry.field(
        description="Contacts for which a call was requested."
    )
    finished: int = strawberry.field(
        description="Those of them that are not called any more."
    )
    goals: int = strawberry.field(
        description="Finished contacts that reached the goal."
    )
    calls: int
    answered: int
    human: int
    low: float | None
    high: float | None
    p_value: float | None = strawberry.field(
        description="Always-valid p-value of the difference, with a correction for the"
        " number of arms; below 0.05 exactly if the interval excludes 0."
    )
    smallest_difference: float | None = strawberry.field(
        description="Smallest rise of the goal rate over the first arm's that this"
        " campaign's contacts can show, null for none."
    )

    @classmethod
    def of(cls, result: ArmResult) -> Self:
        """Build it from a result of the read model."""
        row, difference = result.row, result.difference
        return cls(
            assistant_id=row.assistant_id,
            share=row.share,
            contacts=row.contacts,
            finished=row.finished,
            goals=row.goals,
            calls=row.calls,
            answered=row.answered,
            human=row.human,
            low=difference.low if difference else None,
            high=difference.high if difference else None,
            p_value=difference.p_value if difference else None,
            smallest_difference=result.smallest,
        )

    @field("The assistant of this arm.")
    async def assistant(self, info: Info) -> Assistant:
        """Load the assistant."""
        return await assistant_of(info.context, self.assistant_id)


@strawberry.type
class ArmQueries:
    """Queries about comparisons of assistants."""

    @query(
        EVERYBODY,
        "Smallest rises of the goal rate over the first assistant's that a list of"
        " contacts can show, for each further assistant with its share in percent;"
        " null where it can show none.",
    )
    async def smallest_differences(
        self,
        info: Info,  # noqa: ARG002 - the permission check needs it
        contacts: int,
        shares: list[int],
        goal_rate: float | None = USUAL_GOAL_RATE,
    ) -> list[float | None]:
        """Compute the differences before a campaign is created."""
        rate = USUAL_GOAL_RATE if goal_rate is None else goal_rate
        if contacts < 0 or not 0 <= rate < 1:
            raise bad_request("contacts must be 0 or more, and goalRate from 0 to 1.")
        first = first_share(shares) if shares else WHOLE
        arms = len(shares) + 1
        return [
            smallest_difference(contacts, first, share, rate, arms=arms)
            for share in shares
        ]
