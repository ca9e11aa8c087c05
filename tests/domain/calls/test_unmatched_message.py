"""Messages about unknown calls are stored once and attached once."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.domain import CanMutateAggregate

from domain.calls.unmatched_message import UnmatchedMessage, unmatched_id_of
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


def unmatched_with(*facts: Fact) -> UnmatchedMessage:
    return given(UnmatchedMessage, *facts)


def receive(unmatched: UnmatchedMessage, evidence: Evidence) -> None:
    unmatched.receive(type_="status-update", evidence=evidence, at=AT, by=BY)


def test_the_stream_id_is_derived_from_the_providers_call_id() -> None:
    unmatched = UnmatchedMessage.create(provider_call_id="p-1", at=AT, by=BY)
    assert new_events(unmatched) == [CREATED]
    assert unmatched.id == unmatched_id_of("p-1")


def test_a_repeated_message_is_stored_once() -> None:
    unmatched = unmatched_with(CREATED, received(FIRST))
    receive(unmatched, FIRST)
    receive(unmatched, SECOND)
    receive(unmatched, SECOND)
    assert new_events(unmatched) == [received(SECOND)]
    assert unmatched.messages == (FIRST.message_id, SECOND.message_id)


def test_messages_are_attached_to_one_call_only() -> None:
    unmatched = unmatched_with(CREATED, received(FIRST))
    unmatched.attach(call_id=CALL, at=AT, by=BY)
    unmatched.attach(call_id=uuid4(), at=AT, by=BY)
    assert new_events(unmatched) == [ATTACHED]
    assert unmatched.call_id == CALL


def test_a_message_after_the_attachment_is_stored() -> None:
    unmatched = unmatched_with(CREATED, received(FIRST), ATTACHED)
    receive(unmatched, SECOND)
    assert new_events(unmatched) == [received(SECOND)]
