"""Mutations of the endpoints of outgoing webhooks."""

from uuid import UUID

import strawberry

from domain.errors import NotFound
from domain.values import uuid_or_none
from interfaces.graphql.context import Info
from interfaces.graphql.permissions import ADMINS, mutation
from interfaces.graphql.types.webhooks import (
    NewWebhookEndpoint,
    NewWebhookEndpointResult,
    WebhookDelivery,
    WebhookDeliveryResult,
    WebhookEndpoint,
    WebhookEndpointResult,
)
from projections.deliveries import delivery_log


@strawberry.type
class WebhookCommands:
    """Mutations of outgoing webhooks."""

    @mutation(ADMINS, "For admins. The signing secret is returned only once.")
    async def add_webhook_endpoint(
        self, info: Info, url: str, types: list[str] | None = strawberry.UNSET
    ) -> NewWebhookEndpointResult:
        """Send messages about later events to the URL."""
        backend, by = info.context.backend, info.context.viewer.email
        add = backend.services.webhook_endpoints.add
        endpoint, secret, position = await backend.run_command(
            add, url, types or [], by=by
        )
        await backend.is_visible(position)
        shown = WebhookEndpoint.of_aggregate(endpoint)
        return NewWebhookEndpoint(endpoint=shown, secret=secret)

    @mutation(ADMINS, "What is left out or null is not changed.")
    async def update_webhook_endpoint(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
        url: str | None = None,
        types: list[str] | None = None,
        enabled: bool | None = None,  # noqa: FBT001 - the contract's argument
    ) -> WebhookEndpointResult:
        """Change the URL or the types, or enable or disable the endpoint."""
        backend, by = info.context.backend, info.context.viewer.email
        update = backend.services.webhook_endpoints.update
        endpoint, position = await backend.run_command(
            update, _endpoint_id(id), url=url, types=types, enabled=enabled, by=by
        )
        await backend.is_visible(position)
        return WebhookEndpoint.of_aggregate(endpoint)

    @mutation(ADMINS, "Messages that wait are not sent any more.")
    async def remove_webhook_endpoint(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
    ) -> WebhookEndpointResult:
        """Remove the endpoint; returns it as it was."""
        backend, by = info.context.backend, info.context.viewer.email
        remove = backend.services.webhook_endpoints.remove
        endpoint, position = await backend.run_command(remove, _endpoint_id(id), by=by)
        await backend.is_visible(position)
        return WebhookEndpoint.of_aggregate(endpoint)

    @mutation(ADMINS, "Creates a new secret; the old one stays valid for a day.")
    async def rotate_webhook_secret(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - the contract's name
    ) -> NewWebhookEndpointResult:
        """Sign with a new secret, and with the old one for a day as well."""
        backend, by = info.context.backend, info.context.viewer.email
        rotate = backend.services.webhook_endpoints.rotate_secret
        endpoint, secret, position = await backend.run_command(
            rotate, _endpoint_id(id), by=by
        )
        await backend.is_visible(position)
        shown = WebhookEndpoint.of_aggregate(endpoint)
        return NewWebhookEndpoint(endpoint=shown, secret=secret)

    @mutation(ADMINS, "Sends a recorded delivery again.")
    async def resend_webhook(
        self, info: Info, delivery_id: strawberry.ID
    ) -> WebhookDeliveryResult:
        """Send a delivery again, with the same id and content."""
        backend, by = info.context.backend, info.context.viewer.email
        id_ = uuid_or_none(delivery_id)
        if id_ is None:
            raise NotFound("webhook delivery", delivery_id[:100])
        resend = backend.services.webhook_endpoints.resend
        position = await backend.run_command(resend, id_, by=by)
        await backend.is_visible(position)
        row = await backend.read(delivery_log.get, id_)
        if row is None:
            raise NotFound("webhook delivery", id_)
        return WebhookDelivery.of(row)


def _endpoint_id(id_: str) -> UUID:
    """Parse the id of an endpoint. Raises NotFound if it is none."""
    found = uuid_or_none(id_)
    if found is None:
        raise NotFound("webhook endpoint", id_[:100])
    return found
