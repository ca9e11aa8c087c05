"""The selection of contacts of a campaign who are called again by a new campaign."""

import strawberry

from application.contacts.redials import RedialSelection
from domain.values import uuid_or_none
from interfaces.graphql.context import Info
from interfaces.graphql.errors import bad_request
from interfaces.graphql.permissions import OPERATORS, query
from interfaces.graphql.types.enums import CallOutcome, ContactStatus, Disposition
from interfaces.graphql.types.paging import as_uuid
from projections.campaigns import campaign_board


@strawberry.input(
    description="Selects contacts of another campaign; all given filters must match."
)
class RedialInput:
    """Input form of `RedialSelection`."""

    campaign_id: strawberry.ID
    statuses: list[ContactStatus] | None = None
    outcomes: list[CallOutcome] | None = None
    dispositions: list[Disposition] | None = None
    contact_ids: list[strawberry.ID] | None = None

    def to_selection(self) -> RedialSelection:
        """Return the application's selection. Raises NotFound if the id is no UUID."""
        return RedialSelection(
            campaign_id=as_uuid("campaign", self.campaign_id),
            statuses=self.statuses,
            outcomes=self.outcomes,
            dispositions=self.dispositions,
            contacts=(
                None
                if self.contact_ids is None
                else {as_uuid("contact", one) for one in self.contact_ids}
            ),
        )


@strawberry.type
class RedialQueries:
    """Queries before a redial."""

    @query(
        OPERATORS, "Number of contacts that a redial with this selection would include."
    )
    async def redial_count(self, info: Info, redial: RedialInput) -> int:
        """Count the contacts; BAD_REQUEST if there is no such campaign."""
        backend = info.context.backend
        campaign_id = uuid_or_none(redial.campaign_id)
        if campaign_id is None or (
            await backend.read(campaign_board.get, campaign_id) is None
        ):
            raise bad_request("There is no campaign with this campaignId.")
        count = backend.services.redials.count
        return await backend.run_reader(count, redial.to_selection())
