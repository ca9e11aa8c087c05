"""Several commands at once: as if they came one after the other, or not at all."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import IntegrityError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ports import ProviderMessage
from application.unit_of_work import AlreadyChanged, UnitOfWork
from domain.call import Call
from domain.campaign import Campaign
from domain.unmatched_message import unmatched_id_of
from domain.values import CallStatus
from provider.vapi.reading import read_message
from tests.application.messages import SOON, documents, report, requested, status
from tests.wiring import NOON, House, housed

ALL_THAT_IS_SAID = (
    *("ringing", "in-progress", "ended", "report", "busy"),
    *("start error", "account", "another call", "no call of ours"),
)
CALLS = 2
REPEATS = {"reported", "message_received"}


@pytest.fixture(scope="module")
def shared(shared_database: str) -> Iterator[House]:
    with housed(shared_database) as house:
        yield house


def messages(*bodies: dict[str, Any]) -> list[ProviderMessage]:
    return [read_message(body) for body in bodies]


def saying(said: str, call_id: UUID, provider_id: str) -> ProviderMessage:
    match said:
        case "report":
            body = report(call_id)
        case "busy":
            body = report(call_id, endedReason="customer-busy")
        case "start error":
            reason = "call.start.error-vapifault-get-org"
            body = report(call_id, endedReason=reason, startedAt=None)
        case "account":
            reason = "call.start.error-subscription-frozen"
            body = report(call_id, endedReason=reason, startedAt=None)
        case "another call":
            body, provider_id = status(call_id, "ringing"), f"another {provider_id}"
        case "no call of ours":
            body, provider_id = status(None, "ringing"), f"stranger {provider_id}"
        case _:
            body = status(call_id, said)
    body["message"]["call"]["id"] = provider_id
    return read_message(body)


def dialled(house: House) -> list[UUID]:
    calls = house.claim(house.campaign(CALLS), CALLS)
    for call_id in calls:
        assert house.calls.request(call_id, dial_before=SOON)
    return calls


def facts_of(house: House, call_id: UUID) -> list[str]:
    """Return the topics of a call; a repeated report counts as a received message.

    Which of two equally rich reports is shown depends on their ids, which differ here.
    """
    topics = house.topics(call_id)
    end = topics.index("reported") + 1 if "reported" in topics else len(topics)
    later = ["received" if one in REPEATS else one for one in topics[end:]]
    return topics[:end] + later


def standing(house: House, call_id: UUID) -> tuple[object, ...]:
    call = house.app.load(Call, call_id)
    campaign = house.app.load(Campaign, call.campaign_id)
    strangers = unmatched_id_of(f"stranger {call_id}")
    return (
        *(facts_of(house, call_id), house.topics(campaign.id)),
        house.topics(strangers),
        *(call.status, call.cost, call.deferred, len(call.evidence)),
        *(len(call.other_provider_call_ids), campaign.state),
        *(len(documents(house, call_id)), len(documents(house, strangers))),
    )


SAID = st.lists(
    st.tuples(st.integers(0, CALLS - 1), st.sampled_from(ALL_THAT_IS_SAID)),
    min_size=1,
    max_size=10,
)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(said=SAID, sizes=st.lists(st.integers(1, 5), min_size=10, max_size=10))
def test_what_is_heard_together_is_as_heard_one_by_one(
    shared: House, said: Sequence[tuple[int, str]], sizes: list[int]
) -> None:
    alone, together = dialled(shared), dialled(shared)
    for which, words in said:
        shared.calls.record_message(saying(words, alone[which], f"{alone[which]}"))
    rest = [
        saying(words, together[which], f"{together[which]}") for which, words in said
    ]
    for size in sizes:
        shared.calls.record_messages(rest[:size])
        del rest[:size]
    for one, other in zip(alone, together, strict=True):
        assert standing(shared, one) == standing(shared, other)


def test_repeats_and_strangers_are_told_from_news(house: House) -> None:
    call_id = requested(house)
    ringing, stray = status(call_id, "ringing"), status(None, "ringing")
    stray["message"]["call"]["id"] = "a stranger"
    heard = house.calls.record_messages(messages(ringing, stray, ringing, stray))
    assert [(one.call_id, one.repeated) for one in heard] == [
        (call_id, False),
        (None, False),
        (call_id, True),
        (None, True),
    ]
    assert len(documents(house, call_id)) == 1
    assert len(documents(house, unmatched_id_of("a stranger"))) == 1


def test_all_or_none_of_it_is_stored(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process is told of one of the calls at the same instant."""
    one, other = house.claim(house.campaign(2), 2)
    for call_id in (one, other):
        house.calls.request(call_id, dial_before=SOON)
    append = house.app.append

    def overtaken(*changed: Any, **rest: Any) -> int | None:
        monkeypatch.setattr(house.app, "append", append)
        house.calls.record_message(saying("in-progress", one, "one"))
        return append(*changed, **rest)

    monkeypatch.setattr(house.app, "append", overtaken)
    both = [saying("ringing", other, "other"), saying("ringing", one, "one")]
    with pytest.raises(IntegrityError):
        house.calls.record_messages(both)
    assert house.topics(other) == ["created", "requested"]
    assert documents(house, other) == []
    house.calls.record_messages(both)
    assert house.app.load(Call, other).status is CallStatus.RINGING


def test_what_was_not_stored_is_not_remembered(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = requested(house)
    append, failures = house.app.append, count()

    def fails_once(*changed: Any, **rest: Any) -> int | None:
        if next(failures) == 0:
            raise IntegrityError("somebody was first")
        return append(*changed, **rest)

    monkeypatch.setattr(house.app, "append", fails_once)
    ringing = messages(status(call_id, "ringing"))
    with pytest.raises(IntegrityError):
        house.calls.record_messages(ringing)
    house.calls.record_message(*ringing)
    campaign = house.app.load(Campaign, house.app.load(Call, call_id).campaign_id)
    assert campaign.started_at is not None


def test_nothing_is_decided_on_what_is_half_changed(house: House) -> None:
    call_id = requested(house)
    unit_of_work = UnitOfWork(house.app, [call_id])
    call = unit_of_work.load(Call, call_id)
    call.place(provider_call_id="p", placed_at=NOON, at=NOON, by="test")
    with pytest.raises(AlreadyChanged):
        unit_of_work.load(Call, call_id)


def test_what_others_must_not_have_changed_is_asked_of_the_store(house: House) -> None:
    call_id = requested(house)
    unit_of_work = UnitOfWork(house.app, [call_id])
    call = unit_of_work.load(Call, call_id)
    call.place(provider_call_id="p", placed_at=NOON, at=NOON, by="test")
    unit_of_work.append(call, expect={call.campaign_id: 99})
    with pytest.raises(IntegrityError):
        unit_of_work.store()


def test_nothing_to_store_is_stored_easily(house: House) -> None:
    unit_of_work = UnitOfWork(house.app, [uuid4()])
    assert unit_of_work.find(Call, uuid4()) is None
    unit_of_work.store()
