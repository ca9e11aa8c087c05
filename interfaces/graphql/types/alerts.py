"""Alerts of all kinds."""

from datetime import datetime
from typing import Self

import strawberry

from interfaces.graphql.context import Info
from interfaces.graphql.permissions import EVERYBODY, query
from interfaces.graphql.types.paging import page_size
from interfaces.graphql.types.scalars import BigInt
from projections import alerts
from projections.alerts import AlertRow


@strawberry.type
class Alert:
    """An alert, as it is sent to the alert URL and by e-mail."""

    position: BigInt
    raised_at: datetime
    kind: str = strawberry.field(
        description="spend_threshold, spend_limit, duplicate_detected,"
        " duplicate_suspected, unknown_reason, webhook_disabled, rules_applied or"
        " assistant_changed."
    )
    message: str
    campaign_id: strawberry.ID | None

    @classmethod
    def of(cls, row: AlertRow) -> Self:
        """Build it from a row of the read model."""
        return cls(
            position=BigInt(row.position),
            raised_at=row.raised_at,
            kind=row.kind.value,
            message=row.message,
            campaign_id=(
                strawberry.ID(str(row.campaign_id)) if row.campaign_id else None
            ),
        )


@strawberry.type
class AlertQueries:
    """Queries of alerts."""

    @query(EVERYBODY, "The newest alerts of all kinds, newest first.")
    async def alerts(self, info: Info, first: int | None = 20) -> list[Alert]:
        """Return up to `first` alerts."""
        most = page_size(first, 20)
        rows = await info.context.backend.read(alerts.newest, most)
        return [Alert.of(row) for row in rows]
