"""A webhook that belongs to no call that is known yet: kept, not lost."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID, uuid5

from eventsourcing.domain import Aggregate, event

from domain.values import NAMESPACE, Evidence


def unmatched_id_of(provider_call_id: str) -> UUID:
    return uuid5(NAMESPACE, f"unmatched:{provider_call_id}")


class UnmatchedEvent(Aggregate.Event):
    actor: str


class UnmatchedMessage(Aggregate):
    TOPIC = "unmatched_message"

    class Created(UnmatchedEvent, Aggregate.Created):
        TOPIC = "unmatched_message.created"
        provider_call_id: str

    class Received(UnmatchedEvent):
        TOPIC = "unmatched_message.received"
        type: str
        evidence: Evidence

    class Attached(UnmatchedEvent):
        TOPIC = "unmatched_message.attached"
        call_id: UUID

    @classmethod
    def create(cls, *, provider_call_id: str, at: datetime, by: str) -> Self:
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
        if evidence.message_id not in self.messages:
            self._record(self.Received, at, by, type=type_, evidence=evidence)

    def attach(self, *, call_id: UUID, at: datetime, by: str) -> None:
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
