"""Commands of admins on the endpoints of outgoing webhooks."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.app import AutoLynx, decide
from application.event_context import SCHEDULER, EventContext
from application.vault import KeyRow, digest
from domain.errors import Invalid, NotFound
from domain.web_address import WEB_URL_RULE, is_web_url, url_fault
from domain.webhook_endpoint import Secret, WebhookEndpoint

SECRET_BYTES = 32
"""Random bytes of a secret; the specification recommends 24 to 64."""

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that the specification demands


class EndpointLookup(Protocol):
    """Reads endpoints and deliveries from the read model, which may lag behind."""

    def count_endpoints(self) -> int:
        """Return the number of endpoints that were not removed."""

    def endpoint_of_delivery(self, delivery_id: UUID) -> UUID | None:
        """Return the endpoint of a recorded delivery, None if it is not recorded."""


def secret_text(key: bytes) -> str:
    """Return a secret in the form that libraries of Standard Webhooks take."""
    return SECRET_PREFIX + b64encode(key).decode()


class WebhookEndpointService:
    """Adds, changes and removes endpoints, and replaces their secrets.

    Commands return the endpoint after the change and the position that a reader must
    reach, or None if nothing changed; a new secret is returned once, as text. They
    raise NotFound, WrongState, and Invalid for unknown types and forbidden URLs.
    `any_address` allows link-local and metadata addresses too.
    """

    def __init__(
        self,
        *,
        app: AutoLynx,
        context: EventContext,
        lookup: EndpointLookup,
        any_address: bool = False,
    ) -> None:
        self._app, self._context, self._lookup = app, context, lookup
        self._any_address = any_address

    def add(
        self, url: str, types: Sequence[str], *, by: str
    ) -> tuple[WebhookEndpoint, str, int | None]:
        """Add an endpoint, which gets messages about events from now on."""
        self._check_url(url)
        secret, row = self._new_secret()
        endpoint = WebhookEndpoint.add(
            self._context.new_id(),
            url=url,
            types=types,
            secret=secret,
            others=self._lookup.count_endpoints(),
            at=self._context.now(),
            by=by,
        )
        position = self._app.append(endpoint, vault=[row])
        return endpoint, secret_text(row.key), position

    def update(
        self,
        id_: UUID,
        *,
        url: str | None = None,
        types: Sequence[str] | None = None,
        enabled: bool | None = None,
        by: str,
    ) -> tuple[WebhookEndpoint, int | None]:
        """Change what is not None."""

        def command() -> tuple[WebhookEndpoint, int | None]:
            endpoint, at = self._load(id_), self._context.now()
            if url is not None and url != endpoint.url:
                self._check_url(url)
            endpoint.change(
                url=endpoint.url if url is None else url,
                types=endpoint.types if types is None else types,
                at=at,
                by=by,
            )
            endpoint.switch(enabled, at=at, by=by)
            return endpoint, self._app.append(endpoint)

        return decide(command)

    def rotate_secret(
        self, id_: UUID, *, by: str
    ) -> tuple[WebhookEndpoint, str, int | None]:
        """Create a new secret; the present one stays valid for a day."""

        def command() -> tuple[WebhookEndpoint, str, int | None]:
            endpoint = self._load(id_)
            secret, row = self._new_secret()
            endpoint.rotate(secret, at=self._context.now(), by=by)
            position = self._app.append(endpoint, vault=[row])
            return endpoint, secret_text(row.key), position

        return decide(command)

    def remove(self, id_: UUID, *, by: str) -> tuple[WebhookEndpoint, int | None]:
        """Remove an endpoint; repeating it changes nothing."""

        def command() -> tuple[WebhookEndpoint, int | None]:
            endpoint = self._app.load(WebhookEndpoint, id_)
            endpoint.remove(at=self._context.now(), by=by)
            return endpoint, self._app.append(endpoint)

        return decide(command)

    def resend(self, delivery_id: UUID, *, by: str) -> int | None:
        """Have a recorded delivery sent again; returns the position to read."""
        endpoint_id = self._lookup.endpoint_of_delivery(delivery_id)
        if endpoint_id is None:
            raise NotFound("webhook delivery", delivery_id)

        def command() -> int | None:
            endpoint = self._load(endpoint_id)
            endpoint.resend(delivery_id, at=self._context.now(), by=by)
            return self._app.append(endpoint)

        return decide(command)

    def give_up(self, id_: UUID, *, failing_since: datetime) -> int | None:
        """Disable an endpoint at which no delivery has succeeded for too long."""

        def command() -> int | None:
            endpoint = self._app.load(WebhookEndpoint, id_)
            endpoint.give_up(
                failing_since=failing_since, at=self._context.now(), by=SCHEDULER
            )
            return self._app.append(endpoint)

        return decide(command)

    def _load(self, id_: UUID) -> WebhookEndpoint:
        endpoint = self._app.load(WebhookEndpoint, id_)
        if endpoint.removed:
            raise NotFound("webhook endpoint", id_)
        return endpoint

    def _new_secret(self) -> tuple[Secret, KeyRow]:
        row = KeyRow(
            salt=self._context.salt(),
            campaign_id=self._context.new_id(),
            key=self._context.random_bytes(SECRET_BYTES),
        )
        return Secret(row.campaign_id, digest([row])), row

    def _check_url(self, url: str) -> None:
        if self._any_address:
            fault = None if is_web_url(url) else WEB_URL_RULE
        else:
            fault = url_fault(url)
        if fault is not None:
            raise Invalid(f"url {fault}.", url=fault)
