"""Messages of calls that are not known yet: each kept once, attached once."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.domain import CanMutateAggregate

from domain.unmatched_message import UnmatchedMessage, unmatched_id_of
from domain.values import Evidence
from tests.support import EPOCH, Fact, given, new_events

BY = "vapi"
AT = EPOCH + timedelta(minutes=1)
CALL = uuid4()
FIRST = Evidence(message_id=uuid4(), digest="d1")
SECOND = Evidence(message_id=uuid4(), digest="d2")


def fact(event: type[CanMutateAggregate[UUID]], **own: Any) -> Fact:
    return event, {"actor": BY, **own}


def received(evidence: Evidence) -> Fact:
    fields = {"type": "status-update", "evidence": evidence}
    return fact(UnmatchedMessage.Received, **fields)


CREATED = fact(UnmatchedMessage.Created, provider_call_id="p-1")
ATTACHED = fact(UnmatchedMessage.Attached, call_id=CALL)


def unmatched(*facts: Fact) -> UnmatchedMessage:
    return given(UnmatchedMessage, *facts)


def receive(told: UnmatchedMessage, evidence: Evidence) -> None:
    told.receive(type_="status-update", evidence=evidence, at=AT, by=BY)


def test_messages_are_kept_under_the_providers_id() -> None:
    told = UnmatchedMessage.create(provider_call_id="p-1", at=AT, by=BY)
    assert new_events(told) == [CREATED]
    assert told.id == unmatched_id_of("p-1")


def test_each_message_is_kept_once() -> None:
    told = unmatched(CREATED, received(FIRST))
    receive(told, FIRST)
    receive(told, SECOND)
    receive(told, SECOND)
    assert new_events(told) == [received(SECOND)]
    assert told.messages == (FIRST.message_id, SECOND.message_id)


def test_messages_are_attached_to_their_call_once() -> None:
    told = unmatched(CREATED, received(FIRST))
    told.attach(call_id=CALL, at=AT, by=BY)
    told.attach(call_id=uuid4(), at=AT, by=BY)
    assert new_events(told) == [ATTACHED]
    assert told.call_id == CALL


def test_a_message_that_comes_after_is_kept_as_well() -> None:
    told = unmatched(CREATED, received(FIRST), ATTACHED)
    receive(told, SECOND)
    assert new_events(told) == [received(SECOND)]
