from datetime import datetime, timedelta
from uuid import UUID

import pytest

from application.ports import CallOrder, Origin
from domain.values import CallStatus, call_id_of
from projections.dial_queue import Phase
from scheduler.adopt import Adoption
from tests.fakes import an_order
from tests.wiring import NOON, House


def an_adoption(house: House, since: datetime | None = NOON) -> Adoption:
    adoption = Adoption(
        calls=house.calls,
        claims=house.claims,
        provider=house.provider,
        last_event_at=lambda: since,
    )
    adoption.begin()
    return adoption


def lacking(house: House, campaign_id: UUID) -> CallOrder:
    """Order a call that the provider has, and our restored log has not."""
    contact_id = house.candidates(campaign_id)[0].contact_id
    order = an_order(
        call_id=call_id_of(contact_id, 1),
        campaign_id=campaign_id,
        contact_id=contact_id,
    )
    house.provider.show(order, "p1")
    return order


def test_claims_that_were_never_requested_are_freed(house: House) -> None:
    [call_id] = house.claim(house.campaign(1))
    assert an_adoption(house).run(house.snapshot()) is None
    assert house.topics(call_id) == ["created", "deferred"]


def test_a_claim_that_was_requested_meanwhile_is_not_freed(house: House) -> None:
    """The view is older than the old leader's last request: it may be ringing."""
    [call_id] = house.claim(house.campaign(1))
    old = house.snapshot()
    assert old.calls[0].phase is Phase.CLAIMED
    house.calls.request(call_id, dial_before=NOON)
    an_adoption(house).run(old)
    assert house.topics(call_id) == ["created", "requested"]


def test_a_call_that_the_log_lacks_is_taken_over(house: House) -> None:
    campaign_id = house.campaign(2)
    order = lacking(house, campaign_id)
    an_adoption(house).run(house.snapshot())
    assert house.topics(order.call_id) == ["created", "placed"]
    assert [one.attempt for one in house.candidates(campaign_id)] == [1]
    assert house.board(campaign_id).queued == 1


def test_of_two_calls_that_the_log_lacks_the_first_counts(house: House) -> None:
    order = lacking(house, house.campaign(1))
    house.provider.show(order, "p0", NOON - timedelta(seconds=1))
    an_adoption(house).run(house.snapshot())
    assert house.load_call(order.call_id).provider_call_id == "p0"
    assert house.snapshot().duplicates_open


def test_what_names_no_campaign_of_ours_is_left_alone(house: House) -> None:
    house.campaign(1)
    house.provider.show(an_order(), "foreign")
    events = house.app.recorder.max_notification_id()
    an_adoption(house).run(house.snapshot())
    assert house.app.recorder.max_notification_id() == events


def test_what_was_called_before_the_last_events_is_not_searched(house: House) -> None:
    order = lacking(house, house.campaign(1))
    since = NOON + timedelta(minutes=11)
    an_adoption(house, since).run(house.snapshot())
    assert house.topics(order.call_id) == []


def test_nothing_may_be_claimed_until_the_provider_was_searched(house: House) -> None:
    order = lacking(house, house.campaign(1))
    adoption, house.provider.down = an_adoption(house), True
    assert adoption.run(house.snapshot()) == "the provider is down"
    house.provider.down = False
    assert adoption.run(house.snapshot()) is None
    assert house.load_call(order.call_id).status is CallStatus.QUEUED


def test_a_term_searches_once(house: House) -> None:
    adoption = an_adoption(house)
    adoption.run(house.snapshot())
    order = lacking(house, house.campaign(1))
    adoption.run(house.snapshot())
    assert house.topics(order.call_id) == []
    adoption.begin()
    adoption.run(house.snapshot())
    assert house.topics(order.call_id) == ["created", "placed"]


def test_one_call_that_cannot_be_taken_over_leaves_the_others(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = lacking(house, house.campaign(1))
    adopt = house.claims.adopt

    def broken(call_id: UUID, origin: Origin) -> bool:
        if call_id != order.call_id:
            raise ValueError("no such attempt")
        return adopt(call_id, origin)

    house.provider.show(an_order(), "bad", NOON - timedelta(seconds=1))
    monkeypatch.setattr(house.claims, "adopt", broken)
    assert an_adoption(house).run(house.snapshot()) is None
    assert house.topics(order.call_id) == ["created", "placed"]
