"""Webhooks about a call of the provider that the log does not know yet.

They are stored under the provider's id, and attached when the call becomes known.
"""

from datetime import datetime
from typing import Any, Self
from uuid import UUID, uuid5

from eventsourcing.domain import Aggregate, event

from domain.values import NAMESPACE, Evidence


def unmatched_id_of(provider_call_id: str) -> UUID:
    """Return the stream id of the messages about this call of the provider."""
    return uuid5(NAMESPACE, f"unmatched:{provider_call_id}")


class UnmatchedEvent(Aggregate.Event):
    """`actor` is the provider."""

    actor: str


class UnmatchedMessage(Aggregate):
    """All messages about one unknown call of the provider."""

    TOPIC = "unmatched_message"

    class Created(UnmatchedEvent, Aggregate.Created):
        """The first message about the unknown call arrived."""

        TOPIC = "unmatched_message.created"
        provider_call_id: str

    class Received(UnmatchedEvent):
        """A message was stored; `type` is the provider's name of its type."""

        TOPIC = "unmatched_message.received"
        type: str
        evidence: Evidence

    class Attached(UnmatchedEvent):
        """The call became known: the messages belong to our call `call_id`."""

        TOPIC = "unmatched_message.attached"
        call_id: UUID

    @classmethod
    def create(cls, *, provider_call_id: str, at: datetime, by: str) -> Self:
        """Open the stream for a call of the provider."""
        return cls._create(
            cls.Created,
            id=unmatched_id_of(provider_call_id),
            timestamp=at,
            actor=by,
            provider_call_id=provider_call_id,
        )

    @event(Created)
    def __init__(self, provider_call_id: str) -> None:
        self.provider_call_id = provider_call_id
        self.messages: tuple[UUID, ...] = ()
        self.call_id: UUID | None = None

    def receive(self, *, type_: str, evidence: Evidence, at: datetime, by: str) -> None:
        """Store a message; one with the same id is stored once."""
        if evidence.message_id not in self.messages:
            self._record(self.Received, at, by, type=type_, evidence=evidence)

    def attach(self, *, call_id: UUID, at: datetime, by: str) -> None:
        """Attach the messages to our call; later attempts change nothing."""
        if self.call_id is None:
            self._record(self.Attached, at, by, call_id=call_id)

    def _record(
        self, fact: type[UnmatchedEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        self.trigger_event(fact, timestamp=at, actor=by, **fields)

    @event(Received)
    def _received(self, evidence: Evidence) -> None:
        self.messages += (evidence.message_id,)

    @event(Attached)
    def _attached(self, call_id: UUID) -> None:
        self.call_id = call_id
