"""Costs of calls, and the alerts about them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Self

import strawberry

from interfaces.graphql.context import Info
from interfaces.graphql.permissions import EVERYBODY, query
from projections import alerts, spend
from projections.alerts import AlertRow
from projections.spend import CampaignSpend as CampaignRow
from projections.tables.checkpoint import one_snapshot
from storage.database import Conn


@strawberry.type
class CampaignSpend:
    """What a campaign has cost, and its budget, in US dollars."""

    campaign_id: strawberry.ID
    name: str
    spend: Decimal
    budget: Decimal | None

    @classmethod
    def of(cls, row: CampaignRow) -> Self:
        """Build it from a row of the read model."""
        id_ = strawberry.ID(str(row.campaign_id))
        return cls(campaign_id=id_, name=row.name, spend=row.spend, budget=row.budget)


@strawberry.type
class SpendAlert:
    """An alert about a budget; amounts in US dollars."""

    raised_at: datetime
    campaign_id: strawberry.ID | None = strawberry.field(
        description="Null for the daily budget, which all campaigns share."
    )
    message: str
    spend: Decimal
    budget: Decimal

    @classmethod
    def of(cls, row: AlertRow) -> Self:
        """Build it from an alert that has a spend and a budget."""
        assert row.spend is not None
        assert row.budget is not None
        return cls(
            raised_at=row.raised_at,
            campaign_id=strawberry.ID(str(row.campaign_id))
            if row.campaign_id
            else None,
            message=row.message,
            spend=row.spend,
            budget=row.budget,
        )


@strawberry.type
class SpendSummary:
    """Costs of the day and of each campaign, in US dollars."""

    today: Decimal = strawberry.field(
        description="Known costs of the calls claimed since midnight UTC."
    )
    daily_budget: Decimal | None
    campaigns: list[CampaignSpend] = strawberry.field(
        description="Those that cost something or have a budget, newest first."
    )
    alerts: list[SpendAlert] = strawberry.field(
        description="The last hundred, newest first."
    )


type Spending = tuple[Decimal, list[CampaignRow], list[AlertRow]]


@strawberry.type
class SpendQueries:
    """Queries of costs."""

    @query(EVERYBODY)
    async def spend(self, info: Info) -> SpendSummary:
        """Return the summary of the present UTC day."""
        backend = info.context.backend
        settings = await backend.run_reader(backend.services.settings.values)
        day = backend.services.now().astimezone(UTC).date()
        today, campaigns, raised = await backend.read(_spending, day)
        return SpendSummary(
            today=today,
            daily_budget=settings.daily_budget,
            campaigns=[CampaignSpend.of(row) for row in campaigns],
            alerts=[SpendAlert.of(row) for row in raised],
        )


def _spending(conn: Conn, day: date) -> Spending:
    with one_snapshot(conn):
        today = spend.spent_on(conn, day)
        return today, spend.of_campaigns(conn), alerts.about_spending(conn)
