"""Calls are counted in the stream of their number, over all campaigns."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent

from application.calls.called_numbers import NEWEST_EVENTS, newest_number
from application.ports import Origin
from domain.calls.deferrals import DeferralReason
from domain.gate.rules import FrequencyCap
from domain.numbers.number import Number, number_id_of
from domain.values import Refusal, RefusalKind, call_id_of
from tests.application.calls.messages import (
    PROVIDER_ID,
    message,
    place,
    record_message,
)
from tests.wiring import NOON, Clock, Services

PHONE = "+12025550143"
SOON = NOON + timedelta(seconds=5)
FULL = Refusal(RefusalKind.CAPACITY, None, "full")
BAD_NUMBER = Refusal(RefusalKind.CONTACT, None, "bad-number")


def number_of(services: Services, phone: str = PHONE) -> Number:
    number_id = number_id_of(services.installation_key.of_number(phone))
    return newest_number(services.app, number_id, NOON)


def requested(services: Services, *numbers: str) -> UUID:
    """Return a call that was claimed and requested."""
    [call_id] = services.claim(services.campaign(numbers or (PHONE,)))
    assert services.calls.request(call_id, dial_before=SOON)
    return call_id


def pass_time(services: Services, **units: float) -> None:
    clock = services.now
    assert isinstance(clock, Clock)
    clock.pass_(**units)


def test_calls_of_all_campaigns_count_for_their_number(services: Services) -> None:
    calls = {requested(services), requested(services)}
    other = requested(services, "+12025550144")
    assert number_of(services).requested == dict.fromkeys(calls, NOON)
    assert number_of(services, "+12025550144").requested == {other: NOON}


def test_the_request_and_its_count_are_stored_together(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    [call_id] = services.claim(services.campaign((PHONE,)))
    services.installation_key.prepare()
    insert, stored = services.app.recorder.insert_events, list[list[str]]()

    def record(events: Sequence[StoredEvent], **how: Any) -> Any:
        stored.append([event.topic for event in events])
        return insert(events, **how)

    monkeypatch.setattr(services.app.recorder, "insert_events", record)
    services.calls.request(call_id, dial_before=SOON)
    assert stored == [["call.requested", "number.requested"]]


def test_a_repeated_request_counts_once(services: Services) -> None:
    call_id = requested(services)
    assert services.calls.renew_request(call_id, dial_before=SOON)
    assert number_of(services).requested == {call_id: NOON}
    assert services.topics(number_of(services).id) == ["requested"]


def test_a_request_repeated_after_an_hour_counts_once_at_its_own_time(
    services: Services,
) -> None:
    call_id = requested(services)
    pass_time(services, hours=1)
    assert services.calls.renew_request(call_id, dial_before=SOON + timedelta(hours=1))
    assert number_of(services).requested == {call_id: NOON + timedelta(hours=1)}


def test_a_request_that_never_left_does_not_count(services: Services) -> None:
    call_id = requested(services)
    services.calls.defer(call_id, reason=DeferralReason.NEVER_LEFT, until=NOON)
    assert number_of(services).requested == {}


@pytest.mark.parametrize("refusal", [FULL, BAD_NUMBER])
def test_a_request_that_the_provider_refused_does_not_count(
    services: Services, refusal: Refusal
) -> None:
    call_id = requested(services)
    services.calls.refuse(call_id, refusal, explanation="no", until=NOON)
    assert number_of(services).requested == {}
    assert services.topics(number_of(services).id) == ["requested", "released"]


def test_a_request_of_unknown_outcome_counts_even_if_the_provider_lacks_it(
    services: Services,
) -> None:
    call_id = requested(services)
    services.calls.lose_outcome(call_id, reason="no clear answer")
    services.calls.settle_absent(call_id)
    assert number_of(services).requested == {call_id: NOON}


def test_a_refusal_after_a_request_of_unknown_outcome_releases_nothing(
    services: Services,
) -> None:
    """The first request may have rung the phone, whatever became of the second."""
    call_id = requested(services)
    services.calls.lose_outcome(call_id, reason="no clear answer")
    services.calls.settle_absent(call_id)
    services.claim_again(call_id)
    assert services.calls.request(call_id, dial_before=SOON)
    services.calls.refuse(call_id, FULL, explanation="full", until=NOON)
    assert number_of(services).requested == {call_id: NOON}


def ended_early(services: Services, call_id: UUID, provider_id: str) -> None:
    """Record a webhook that arrives before the provider's answer to the request."""
    reason = "call.start.error-subscription-concurrency-limit-reached"
    fields = {"endedReason": reason, "timestamp": 1}
    body = message(call_id, "status-update", provider_id, status="ended", **fields)
    record_message(services, body)


def test_an_early_end_counts_until_the_provider_gives_the_same_id(
    services: Services,
) -> None:
    call_id = requested(services)
    ended_early(services, call_id, PROVIDER_ID)
    assert services.load_call(call_id).ended
    assert number_of(services).requested == {call_id: NOON}
    place(services, call_id)
    assert number_of(services).requested == {}
    place(services, call_id)
    assert services.topics(number_of(services).id) == ["requested", "released"]


def test_a_forged_early_end_never_allows_a_call_beyond_the_cap(
    services: Services,
) -> None:
    services.set(frequency_caps=(FrequencyCap(1, 24),))
    call_id = requested(services)
    ended_early(services, call_id, "forged")
    [other] = services.claim(services.campaign((PHONE,)))
    assert services.calls.request(other, dial_before=SOON) is None
    place(services, call_id)
    assert services.load_call(call_id).provider_call_id == PROVIDER_ID
    assert number_of(services).requested == {call_id: NOON}


def test_an_early_end_after_the_phone_rang_counts(services: Services) -> None:
    call_id = requested(services)
    body = message(call_id, "status-update", PROVIDER_ID, status="ringing", timestamp=1)
    record_message(services, body)
    ended_early(services, call_id, PROVIDER_ID)
    place(services, call_id)
    assert number_of(services).requested == {call_id: NOON}


def test_a_released_call_counts_again_once_it_is_requested_again(
    services: Services,
) -> None:
    call_id = requested(services)
    services.calls.refuse(call_id, FULL, explanation="full", until=NOON)
    services.claim_again(call_id)
    assert services.calls.request(call_id, dial_before=SOON)
    assert number_of(services).requested == {call_id: NOON}


def test_an_adopted_call_counts(services: Services) -> None:
    campaign_id = services.campaign((PHONE,))
    [contact] = services.candidates(campaign_id)
    call_id = call_id_of(contact.contact_id, 1)
    origin = Origin(campaign_id, contact.contact_id, 1)
    assert services.claims.adopt(call_id, origin)
    assert number_of(services).requested == {call_id: NOON}


def test_only_the_newest_events_of_a_number_are_read(services: Services) -> None:
    number = number_of(services)
    for n in range(NEWEST_EVENTS + 6):
        number.request(UUID(int=n), at=NOON + timedelta(minutes=n), by="scheduler")
    services.app.append(number)
    read = number_of(services)
    assert (len(read.requested), read.unread) == (NEWEST_EVENTS, 6)
    assert read.version == number.version
    assert read.is_known_since(NOON + timedelta(minutes=6))
    assert not read.is_known_since(NOON + timedelta(minutes=5))
