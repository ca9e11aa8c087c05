from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from application.calls.claims import ClaimResult
from application.ports import Origin
from domain.calls.deferrals import DeferralReason
from domain.dial_view import PlannedCall
from domain.dispatcher import DISPATCHER_ID
from domain.values import call_id_of
from tests.wiring import NOON, Services, as_chosen


def chosen_of(services: Services, campaign_id: UUID) -> list[PlannedCall]:
    return [as_chosen(campaign_id, one) for one in services.candidates(campaign_id)]


def claims_made(services: Services) -> int:
    return services.app.highest_version(DISPATCHER_ID)


def test_a_claim_stores_itself_and_the_calls_that_it_makes(services: Services) -> None:
    chosen = chosen_of(services, services.campaign(3))
    claimed = services.claims.claim(chosen, seen=0)
    assert claimed.calls == tuple(one.call_id for one in chosen)
    assert claimed.position == services.app.recorder.max_notification_id()
    assert [services.topics(call_id) for call_id in claimed.calls] == [["created"]] * 3
    assert services.snapshot().claims_seen == 1


def test_of_two_claims_on_one_snapshot_exactly_one_succeeds(services: Services) -> None:
    chosen = chosen_of(services, services.campaign(3))
    ready = Barrier(4)

    def claim(_: int) -> ClaimResult:
        ready.wait(10)
        return services.claims.claim(chosen, seen=0)

    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(claim, range(4)))
    assert sorted(len(one.calls) for one in claimed) == [0, 0, 0, 3]
    assert sum(one.stale for one in claimed) == 3
    assert claims_made(services) == 1


def test_a_claim_on_an_outdated_snapshot_is_refused_for_all_contacts(
    services: Services,
) -> None:
    first, second, third = chosen_of(services, services.campaign(3))
    services.claims.claim([first], seen=0)
    assert services.claims.claim([second, third], seen=0) == ClaimResult(stale=True)
    assert services.topics(second.call_id) == []


def test_a_call_that_exists_already_is_dropped_and_the_others_claimed(
    services: Services,
) -> None:
    first, second, third = chosen_of(services, services.campaign(3))
    services.claims.claim([second], seen=0)
    claimed = services.claims.claim([first, second, third], seen=1)
    assert claimed.calls == (first.call_id, third.call_id)
    assert claimed.dropped == (second.call_id,)


def test_a_call_that_is_not_deferred_is_not_claimed_again(services: Services) -> None:
    campaign_id = services.campaign(2)
    [call_id] = services.claim(campaign_id)
    claimed = services.claim_again(call_id)
    assert (claimed.calls, claimed.dropped) == ((), (call_id,))
    assert claims_made(services) == 1


def test_a_deferred_call_is_claimed_again_as_the_same_call(services: Services) -> None:
    [call_id] = services.claim(services.campaign(1))
    services.calls.defer(call_id, reason=DeferralReason.NOT_NOW, until=NOON)
    assert services.claim_again(call_id).calls == (call_id,)
    assert services.topics(call_id) == ["created", "deferred", "requeued"]


def test_a_call_that_cannot_be_read_is_dropped(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = services.campaign(2)
    bad, good = services.claim(campaign_id, 2)
    for call_id in (bad, good):
        services.calls.defer(call_id, reason=DeferralReason.NOT_NOW, until=NOON)
    chosen, load = chosen_of(services, campaign_id), services.app.load

    def broken(kind: Any, id_: UUID) -> Any:
        if id_ == bad:
            raise ValueError("an event that nobody can read")
        return load(kind, id_)

    monkeypatch.setattr(services.app, "load", broken)
    claimed = services.claims.claim(chosen, seen=1)
    assert (claimed.calls, claimed.dropped) == ((good,), (bad,))


def test_an_empty_claim_stores_nothing(services: Services) -> None:
    assert services.claims.claim([], seen=0) == ClaimResult()
    assert claims_made(services) == 0


# --- Claimed after the fact ----------------------------------------------------------


def test_only_a_call_of_that_contact_and_attempt_is_adopted(services: Services) -> None:
    campaign_id = services.campaign(1)
    contact_id = services.candidates(campaign_id)[0].contact_id
    call_id = call_id_of(contact_id, 1)
    assert not services.claims.adopt(call_id, Origin(campaign_id, contact_id, 2))
    assert services.claims.adopt(call_id, Origin(campaign_id, contact_id, 1))
    assert not services.claims.adopt(call_id, Origin(campaign_id, contact_id, 1))
    assert services.topics(call_id) == ["created"]


def test_a_call_is_adopted_despite_a_concurrent_claim(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost to a stale version, the call would be made a second time."""
    campaign_id = services.campaign(2)
    contact, other = services.candidates(campaign_id)
    highest = services.app.highest_version

    def overtaken(stream_id: UUID) -> int:
        monkeypatch.setattr(services.app, "highest_version", highest)
        version = highest(stream_id)
        services.claims.claim([as_chosen(campaign_id, other)], seen=version)
        return version

    monkeypatch.setattr(services.app, "highest_version", overtaken)
    origin = Origin(campaign_id, contact.contact_id, 1)
    assert services.claims.adopt(call_id_of(contact.contact_id, 1), origin)
