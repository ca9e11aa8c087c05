"""Several commands in one append: as if one after the other, or none of them."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import IntegrityError
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from application.ports import ProviderMessage
from application.unit_of_work import AlreadyChanged, UnitOfWork
from domain.calls.call import Call
from domain.calls.unmatched_message import unmatched_id_of
from domain.campaigns.campaign import Campaign
from domain.values import CallStatus
from provider.vapi.messages.reading import read_message
from tests.application.calls.messages import SOON, documents, report, requested, status
from tests.examples import examples
from tests.wiring import NOON, Services, open_services

KINDS = (
    *("ringing", "in-progress", "ended", "report", "busy"),
    *("start error", "account", "another call", "no call of ours"),
)
CALLS = 2
REPEATS = {"reported", "message_received"}


@pytest.fixture(scope="module")
def shared(shared_database: str) -> Iterator[Services]:
    with open_services(shared_database) as services:
        yield services


def messages(*bodies: dict[str, Any]) -> list[ProviderMessage]:
    return [read_message(body) for body in bodies]


def message_of(kind: str, call_id: UUID, provider_id: str) -> ProviderMessage:
    match kind:
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
            body = status(call_id, kind)
    body["message"]["call"]["id"] = provider_id
    return read_message(body)


def dialled(services: Services) -> list[UUID]:
    calls = services.claim(services.campaign(CALLS), CALLS)
    for call_id in calls:
        assert services.calls.request(call_id, dial_before=SOON)
    return calls


def facts_of(services: Services, call_id: UUID) -> list[str]:
    """Return the topics of a call; a repeated report counts as a received message.

    Which of two equally rich reports is shown depends on their ids, which differ here.
    """
    topics = services.topics(call_id)
    end = topics.index("reported") + 1 if "reported" in topics else len(topics)
    later = ["received" if one in REPEATS else one for one in topics[end:]]
    return topics[:end] + later


def outcome(services: Services, call_id: UUID) -> tuple[object, ...]:
    call = services.app.load(Call, call_id)
    campaign = services.app.load(Campaign, call.campaign_id)
    strangers = unmatched_id_of(f"stranger {call_id}")
    return (
        *(facts_of(services, call_id), services.topics(campaign.id)),
        services.topics(strangers),
        *(call.status, call.cost, call.deferred, len(call.evidence)),
        *(len(call.other_provider_call_ids), campaign.state),
        *(len(documents(services, call_id)), len(documents(services, strangers))),
    )


MESSAGES = st.lists(
    st.tuples(st.integers(0, CALLS - 1), st.sampled_from(KINDS)),
    min_size=1,
    max_size=10,
)


@examples(
    12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(received=MESSAGES, sizes=st.lists(st.integers(1, 5), min_size=10, max_size=10))
def test_messages_in_one_unit_have_the_effect_of_single_messages(
    shared: Services, received: Sequence[tuple[int, str]], sizes: list[int]
) -> None:
    alone, together = dialled(shared), dialled(shared)
    for which, kind in received:
        shared.calls.record_message(message_of(kind, alone[which], f"{alone[which]}"))
    rest = [
        message_of(kind, together[which], f"{together[which]}")
        for which, kind in received
    ]
    for size in sizes:
        shared.calls.record_messages(rest[:size])
        del rest[:size]
    for one, other in zip(alone, together, strict=True):
        assert outcome(shared, one) == outcome(shared, other)


def test_repeats_and_unknown_calls_are_recognised_within_a_unit(
    services: Services,
) -> None:
    call_id = requested(services)
    ringing, stray = status(call_id, "ringing"), status(None, "ringing")
    stray["message"]["call"]["id"] = "a stranger"
    heard = services.calls.record_messages(messages(ringing, stray, ringing, stray))
    assert [(one.call_id, one.repeated) for one in heard] == [
        (call_id, False),
        (None, False),
        (call_id, True),
        (None, True),
    ]
    assert len(documents(services, call_id)) == 1
    assert len(documents(services, unmatched_id_of("a stranger"))) == 1


def test_all_messages_of_a_unit_are_stored_or_none(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process records a message about one of the calls meanwhile."""
    one, other = services.claim(services.campaign(2), 2)
    for call_id in (one, other):
        services.calls.request(call_id, dial_before=SOON)
    append = services.app.append

    def overtaken(*changed: Any, **rest: Any) -> int | None:
        monkeypatch.setattr(services.app, "append", append)
        services.calls.record_message(message_of("in-progress", one, "one"))
        return append(*changed, **rest)

    monkeypatch.setattr(services.app, "append", overtaken)
    both = [
        message_of("ringing", other, "other"),
        message_of("ringing", one, "one"),
    ]
    with pytest.raises(IntegrityError):
        services.calls.record_messages(both)
    assert services.topics(other) == ["created", "requested"]
    assert documents(services, other) == []
    services.calls.record_messages(both)
    assert services.app.load(Call, other).status is CallStatus.RINGING


def test_a_failed_append_leaves_no_trace_in_caches(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = requested(services)
    append, failures = services.app.append, count()

    def fails_once(*changed: Any, **rest: Any) -> int | None:
        if next(failures) == 0:
            raise IntegrityError("another append was first")
        return append(*changed, **rest)

    monkeypatch.setattr(services.app, "append", fails_once)
    ringing = messages(status(call_id, "ringing"))
    with pytest.raises(IntegrityError):
        services.calls.record_messages(ringing)
    services.calls.record_message(*ringing)
    campaign = services.app.load(Campaign, services.app.load(Call, call_id).campaign_id)
    assert campaign.started_at is not None


def test_a_campaign_that_rang_before_is_not_loaded_for_later_messages(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = calls = services.claim(services.campaign(4), 4)
    for call_id in calls:
        services.calls.request(call_id, dial_before=SOON)
    services.calls.record_message(message_of("ringing", first, f"{first}"))
    loaded: list[UUID] = []
    find = services.app.find

    def recording(kind: type[Any], id_: UUID) -> Any:
        loaded.append(id_)
        return find(kind, id_)

    monkeypatch.setattr(services.app, "find", recording)
    services.calls.record_messages(
        [message_of("ringing", one, f"{one}") for one in others]
    )
    services.calls.record_message(message_of("in-progress", first, f"{first}"))
    assert loaded == [first]


def test_an_aggregate_with_unappended_events_cannot_be_loaded(
    services: Services,
) -> None:
    call_id = requested(services)
    unit_of_work = UnitOfWork(services.app, [call_id])
    call = unit_of_work.load(Call, call_id)
    call.place(provider_call_id="p", placed_at=NOON, at=NOON, by="test")
    with pytest.raises(AlreadyChanged):
        unit_of_work.load(Call, call_id)


def test_expected_versions_are_checked_when_the_unit_is_stored(
    services: Services,
) -> None:
    call_id = requested(services)
    unit_of_work = UnitOfWork(services.app, [call_id])
    call = unit_of_work.load(Call, call_id)
    call.place(provider_call_id="p", placed_at=NOON, at=NOON, by="test")
    unit_of_work.append(call, expect={call.campaign_id: 99})
    with pytest.raises(IntegrityError):
        unit_of_work.store()


def test_an_empty_unit_stores_nothing(services: Services) -> None:
    unit_of_work = UnitOfWork(services.app, [uuid4()])
    assert unit_of_work.find(Call, uuid4()) is None
    unit_of_work.store()
