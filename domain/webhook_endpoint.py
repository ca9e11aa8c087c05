"""Endpoints to which results are sent as signed webhooks, and the types of messages.

The messages follow the Standard Webhooks specification, version 1.0.0
(https://www.standardwebhooks.com). The signing secrets are rows of the vault; events
contain only their ids and digests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from domain.errors import Invalid, WrongState

MOST_ENDPOINTS = 100
"""Endpoints of one installation; each is served independently of the others."""

OLD_SECRET_VALID = timedelta(days=1)
"""How long the previous secret signs as well after a rotation."""


class MessageType(StrEnum):
    """Types of webhook messages, as in the contract."""

    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_COMPLETED = "campaign.completed"
    CAMPAIGN_CANCELED = "campaign.canceled"
    CAMPAIGN_FAILED = "campaign.failed"
    CALL_FINISHED = "call.finished"
    CONTACT_FINISHED = "contact.finished"
    CONTACT_CALLBACK_PLANNED = "contact.callback_planned"
    CONTACT_OPTED_OUT = "contact.opted_out"
    SPEND_ALERT = "spend.alert"


@dataclass(frozen=True, slots=True)
class Secret:
    """A signing secret: the id of its vault row, and the digest of that row."""

    id: UUID
    digest: str


class WebhookEndpointEvent(Aggregate.Event):
    """`actor` is the member, or the scheduler, who caused the event."""

    actor: str


class WebhookEndpoint(Aggregate):
    """An endpoint; `types` are the types of messages it gets, empty for all.

    `failing_since` is set if it was disabled because no delivery succeeded any more.
    """

    TOPIC = "webhook_endpoint"

    class Created(WebhookEndpointEvent, Aggregate.Created):
        """Messages about later events are sent to this URL."""

        TOPIC = "webhook_endpoint.added"
        url: str
        types: tuple[str, ...]
        secret_id: UUID
        secret_digest: str

    class Changed(WebhookEndpointEvent):
        """The URL or the types changed; both are the new ones."""

        TOPIC = "webhook_endpoint.changed"
        url: str
        types: tuple[str, ...]

    class Enabled(WebhookEndpointEvent):
        """Messages are sent again, beginning with those that wait."""

        TOPIC = "webhook_endpoint.enabled"

    class Disabled(WebhookEndpointEvent):
        """A member disabled the endpoint: messages about later events are not sent."""

        TOPIC = "webhook_endpoint.disabled"

    class GivenUp(WebhookEndpointEvent):
        """It was disabled because no delivery has succeeded since `failing_since`."""

        TOPIC = "webhook_endpoint.given_up"
        failing_since: datetime

    class SecretRotated(WebhookEndpointEvent):
        """A new secret signs; the old one does as well until `old_valid_until`."""

        TOPIC = "webhook_endpoint.secret_rotated"
        secret_id: UUID
        secret_digest: str
        old_secret_id: UUID
        old_valid_until: datetime

    class Resent(WebhookEndpointEvent):
        """A member wants a recorded delivery to be sent again."""

        TOPIC = "webhook_endpoint.delivery_resent"
        delivery_id: UUID

    class Removed(WebhookEndpointEvent):
        """The endpoint is not used any more; messages that wait are not sent."""

        TOPIC = "webhook_endpoint.removed"

    @classmethod
    def add(
        cls,
        id_: UUID,
        *,
        url: str,
        types: Sequence[str],
        secret: Secret,
        others: int = 0,
        at: datetime,
        by: str,
    ) -> Self:
        """Add an endpoint to `others` that exist.

        Raises WrongState if there are too many, and Invalid for an unknown type.
        """
        if others >= MOST_ENDPOINTS:
            raise WrongState(
                f"There are {MOST_ENDPOINTS} endpoints already: remove one first."
            )
        return cls._create(
            cls.Created,
            id=id_,
            timestamp=at,
            actor=by,
            url=url,
            types=known_types(types),
            secret_id=secret.id,
            secret_digest=secret.digest,
        )

    @event(Created)
    def __init__(
        self, url: str, types: tuple[str, ...], secret_id: UUID, secret_digest: str
    ) -> None:
        self.url, self.types = url, types
        self.secret = Secret(secret_id, secret_digest)
        self.enabled, self.removed = True, False
        self.failing_since: datetime | None = None

    def change(self, *, url: str, types: Sequence[str], at: datetime, by: str) -> None:
        """Replace URL and types. Raises Invalid for an unknown type, or WrongState."""
        self._must_exist()
        checked = known_types(types)
        if (url, checked) != (self.url, self.types):
            self._record(self.Changed, at, by, url=url, types=checked)

    def switch(self, enabled: bool | None, *, at: datetime, by: str) -> None:  # noqa: FBT001 - the state itself
        """Enable or disable the endpoint; None leaves it as it is."""
        if enabled is not None:
            change = self.enable if enabled else self.disable
            change(at=at, by=by)

    def enable(self, *, at: datetime, by: str) -> None:
        """Send messages again. Raises WrongState if the endpoint was removed."""
        self._must_exist()
        if not self.enabled:
            self._record(self.Enabled, at, by)

    def disable(self, *, at: datetime, by: str) -> None:
        """Send nothing until it is enabled. Raises WrongState if it was removed."""
        self._must_exist()
        if self.enabled:
            self._record(self.Disabled, at, by)

    def give_up(self, *, failing_since: datetime, at: datetime, by: str) -> None:
        """Disable an endpoint at which no delivery has succeeded for too long."""
        if self.enabled and not self.removed:
            self._record(self.GivenUp, at, by, failing_since=failing_since)

    def rotate(self, secret: Secret, *, at: datetime, by: str) -> None:
        """Sign with a new secret, and with the present one for a day as well.

        Raises WrongState if the endpoint was removed.
        """
        self._must_exist()
        self._record(
            self.SecretRotated,
            at,
            by,
            secret_id=secret.id,
            secret_digest=secret.digest,
            old_secret_id=self.secret.id,
            old_valid_until=at + OLD_SECRET_VALID,
        )

    def resend(self, delivery_id: UUID, *, at: datetime, by: str) -> None:
        """Have a delivery sent again. Raises WrongState unless it is enabled."""
        self._must_exist()
        if not self.enabled:
            raise WrongState("The endpoint is disabled: enable it first.")
        self._record(self.Resent, at, by, delivery_id=delivery_id)

    def remove(self, *, at: datetime, by: str) -> None:
        """Send nothing to the endpoint any more, for ever."""
        if not self.removed:
            self._record(self.Removed, at, by)

    def _must_exist(self) -> None:
        if self.removed:
            raise WrongState("The endpoint was removed: add a new one.")

    def _record(
        self, fact: type[WebhookEndpointEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        self.trigger_event(fact, timestamp=at, actor=by, **fields)

    @event(Changed)
    def _changed(self, url: str, types: tuple[str, ...]) -> None:
        self.url, self.types = url, types

    @event(Enabled)
    def _enabled(self) -> None:
        self.enabled, self.failing_since = True, None

    @event(Disabled)
    def _disabled(self) -> None:
        self.enabled, self.failing_since = False, None

    @event(GivenUp)
    def _given_up(self, failing_since: datetime) -> None:
        self.enabled, self.failing_since = False, failing_since

    @event(SecretRotated)
    def _secret_rotated(self, secret_id: UUID, secret_digest: str) -> None:
        self.secret = Secret(secret_id, secret_digest)

    @event(Removed)
    def _removed(self) -> None:
        self.removed = True


def known_types(types: Sequence[str]) -> tuple[str, ...]:
    """Return the types in the contract's order, each once. Raises Invalid."""
    unknown = sorted(set(types) - set(MessageType))
    if unknown:
        rule = f"must be among {', '.join(MessageType)}"
        raise Invalid(f"There is no type {unknown[0][:100]}: types {rule}.", types=rule)
    return tuple(known.value for known in MessageType if known in types)


def trouble_of(failing_since: datetime | None) -> str | None:
    """Return why an endpoint was disabled automatically, as a sentence."""
    if failing_since is None:
        return None
    return (
        f"Disabled automatically: no delivery has succeeded since"
        f" {failing_since:%Y-%m-%d %H:%M} UTC. Correct the receiver, then enable the"
        " endpoint: the deliveries that wait are sent."
    )
