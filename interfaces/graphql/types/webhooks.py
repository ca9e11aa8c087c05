"""Outgoing webhooks: endpoints and what was sent to them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from domain.webhook_endpoint import WebhookEndpoint as EndpointAggregate
from interfaces.graphql.context import Info
from interfaces.graphql.errors import UserError
from interfaces.graphql.permissions import ADMINS, field, query
from interfaces.graphql.types.paging import page_size
from projections.deliveries import delivery_log
from projections.deliveries.delivery_log import DeliveryRow
from projections.registers import webhook_endpoints
from projections.registers.webhook_endpoints import EndpointRow


@strawberry.type
class WebhookDelivery:
    """A message to an endpoint, and its last attempt."""

    id: strawberry.ID
    type: str
    created_at: datetime
    attempts: int
    delivered_at: datetime | None
    next_attempt_at: datetime | None
    last_answer: str | None = strawberry.field(
        description="Status code of the last response, or the error."
    )

    @classmethod
    def of(cls, row: DeliveryRow) -> Self:
        """Build it from a row of the delivery log."""
        return cls(
            id=strawberry.ID(str(row.id)),
            type=row.type,
            created_at=row.created_at,
            attempts=row.attempts,
            delivered_at=row.delivered_at,
            next_attempt_at=row.next_attempt_at,
            last_answer=row.last_answer,
        )


@strawberry.type(
    description="Signed according to Standard Webhooks; delivered at least once,"
    " retried for three days."
)
class WebhookEndpoint:
    """An endpoint of outgoing webhooks."""

    row: strawberry.Private[EndpointRow]
    id: strawberry.ID
    url: str
    types: list[str] = strawberry.field(
        description="Event types, such as call.finished or campaign.completed; empty"
        " for all."
    )
    enabled: bool
    trouble: str | None = strawberry.field(
        description="Why it was disabled automatically, if it was."
    )
    created_at: datetime

    @classmethod
    def of(cls, row: EndpointRow) -> Self:
        """Build it from a row of the read model."""
        return cls(
            row=row,
            id=strawberry.ID(str(row.id)),
            url=row.url,
            types=row.type_names,
            enabled=row.enabled,
            trouble=row.trouble,
            created_at=row.created_at,
        )

    @classmethod
    def of_aggregate(cls, endpoint: EndpointAggregate) -> Self:
        """Build it from the endpoint's events, after a command."""
        return cls.of(
            EndpointRow(
                id=endpoint.id,
                url=endpoint.url,
                types=",".join(endpoint.types),
                enabled=endpoint.enabled,
                failing_since=endpoint.failing_since,
                created_at=endpoint.created_on,
            )
        )

    @field("The newest first; kept for 30 days.")
    async def deliveries(
        self,
        info: Info,
        first: int | None = 50,
        failed_only: bool | None = False,  # noqa: FBT001, FBT002 - the contract's argument
    ) -> list[WebhookDelivery]:
        """Return the newest deliveries, or only those whose last attempt failed."""
        rows = await info.context.backend.read(
            delivery_log.of_endpoint,
            self.row.id,
            first=page_size(first, 50),
            failed_only=bool(failed_only),
        )
        return [WebhookDelivery.of(row) for row in rows]


@strawberry.type
class NewWebhookEndpoint:
    """An endpoint and its secret, which is not shown again."""

    endpoint: WebhookEndpoint
    secret: str


WebhookEndpointResult = Annotated[
    WebhookEndpoint | UserError, strawberry.union("WebhookEndpointResult")
]
NewWebhookEndpointResult = Annotated[
    NewWebhookEndpoint | UserError, strawberry.union("NewWebhookEndpointResult")
]
WebhookDeliveryResult = Annotated[
    WebhookDelivery | UserError, strawberry.union("WebhookDeliveryResult")
]


@strawberry.type
class WebhookQueries:
    """Queries of outgoing webhooks."""

    @query(ADMINS, "The endpoints of outgoing webhooks. For admins.")
    async def webhook_endpoints(self, info: Info) -> list[WebhookEndpoint]:
        """Return the endpoints in the order in which they were added."""
        rows = await info.context.backend.read(webhook_endpoints.all_endpoints)
        return [WebhookEndpoint.of(row) for row in rows]
