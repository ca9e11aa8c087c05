from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from application.calls.claims import ClaimResult
from application.ports import Origin
from domain.dial_view import PlannedCall
from domain.dispatcher import DISPATCHER_ID
from domain.values import call_id_of
from tests.wiring import NOON, House, as_chosen


def chosen_of(house: House, campaign_id: UUID) -> list[PlannedCall]:
    return [as_chosen(campaign_id, one) for one in house.candidates(campaign_id)]


def claims_made(house: House) -> int:
    return house.app.highest_version(DISPATCHER_ID)


def test_a_claim_stores_itself_and_the_calls_that_it_makes(house: House) -> None:
    chosen = chosen_of(house, house.campaign(3))
    claimed = house.claims.claim(chosen, seen=0)
    assert claimed.calls == tuple(one.call_id for one in chosen)
    assert claimed.position == house.app.recorder.max_notification_id()
    assert [house.topics(call_id) for call_id in claimed.calls] == [["created"]] * 3
    assert house.snapshot().claims_seen == 1


def test_of_two_claims_on_one_snapshot_exactly_one_succeeds(house: House) -> None:
    chosen = chosen_of(house, house.campaign(3))
    ready = Barrier(4)

    def claim(_: int) -> ClaimResult:
        ready.wait(10)
        return house.claims.claim(chosen, seen=0)

    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(claim, range(4)))
    assert sorted(len(one.calls) for one in claimed) == [0, 0, 0, 3]
    assert sum(one.stale for one in claimed) == 3
    assert claims_made(house) == 1


def test_a_claim_on_an_outdated_snapshot_is_refused_for_all_contacts(
    house: House,
) -> None:
    first, second, third = chosen_of(house, house.campaign(3))
    house.claims.claim([first], seen=0)
    assert house.claims.claim([second, third], seen=0) == ClaimResult(stale=True)
    assert house.topics(second.call_id) == []


def test_a_call_that_exists_already_is_dropped_and_the_others_claimed(
    house: House,
) -> None:
    first, second, third = chosen_of(house, house.campaign(3))
    house.claims.claim([second], seen=0)
    claimed = house.claims.claim([first, second, third], seen=1)
    assert claimed.calls == (first.call_id, third.call_id)
    assert claimed.dropped == (second.call_id,)


def test_a_call_that_is_not_deferred_is_not_claimed_again(house: House) -> None:
    campaign_id = house.campaign(2)
    [call_id] = house.claim(campaign_id)
    claimed = house.claim_again(call_id)
    assert (claimed.calls, claimed.dropped) == ((), (call_id,))
    assert claims_made(house) == 1


def test_a_deferred_call_is_claimed_again_as_the_same_call(house: House) -> None:
    [call_id] = house.claim(house.campaign(1))
    house.calls.defer(call_id, reason="not now", until=NOON)
    assert house.claim_again(call_id).calls == (call_id,)
    assert house.topics(call_id) == ["created", "deferred", "requeued"]


def test_a_call_that_cannot_be_read_is_dropped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = house.campaign(2)
    bad, good = house.claim(campaign_id, 2)
    for call_id in (bad, good):
        house.calls.defer(call_id, reason="not now", until=NOON)
    chosen, load = chosen_of(house, campaign_id), house.app.load

    def broken(kind: Any, id_: UUID) -> Any:
        if id_ == bad:
            raise ValueError("an event that nobody can read")
        return load(kind, id_)

    monkeypatch.setattr(house.app, "load", broken)
    claimed = house.claims.claim(chosen, seen=1)
    assert (claimed.calls, claimed.dropped) == ((good,), (bad,))


def test_an_empty_claim_stores_nothing(house: House) -> None:
    assert house.claims.claim([], seen=0) == ClaimResult()
    assert claims_made(house) == 0


# --- Claimed after the fact ----------------------------------------------------------


def test_only_a_call_of_that_contact_and_attempt_is_adopted(house: House) -> None:
    campaign_id = house.campaign(1)
    contact_id = house.candidates(campaign_id)[0].contact_id
    call_id = call_id_of(contact_id, 1)
    assert not house.claims.adopt(call_id, Origin(campaign_id, contact_id, 2))
    assert house.claims.adopt(call_id, Origin(campaign_id, contact_id, 1))
    assert not house.claims.adopt(call_id, Origin(campaign_id, contact_id, 1))
    assert house.topics(call_id) == ["created"]


def test_a_call_is_adopted_despite_a_concurrent_claim(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost to a stale version, the call would be made a second time."""
    campaign_id = house.campaign(2)
    contact, other = house.candidates(campaign_id)
    highest = house.app.highest_version

    def overtaken(stream_id: UUID) -> int:
        monkeypatch.setattr(house.app, "highest_version", highest)
        version = highest(stream_id)
        house.claims.claim([as_chosen(campaign_id, other)], seen=version)
        return version

    monkeypatch.setattr(house.app, "highest_version", overtaken)
    origin = Origin(campaign_id, contact.contact_id, 1)
    assert house.claims.adopt(call_id_of(contact.contact_id, 1), origin)
