from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from application.ports import CallOrder, Origin
from domain.dial_view import Phase
from domain.values import CallStatus, call_id_of
from projections.contacts import contact_log
from scheduler.reconciliation.adopt import LAGGING, SEARCHING, Adoption, ClaimingBlocked
from storage.database import Conn
from storage.process.timeline_guard import TimelineGuard
from tests.conftest import fresh_database
from tests.fakes import an_order
from tests.wiring import BY, NOON, Clock, Services, open_services

QUARANTINE = timedelta(seconds=90)


def an_adoption(services: Services) -> Adoption:
    adoption = Adoption(
        calls=services.calls,
        claims=services.claims,
        provider=services.provider,
        open_lines=services.open_lines,
        position=services.app.recorder.max_notification_id,
        timeline_guard=TimelineGuard(services.writing),
        now=services.now,
        quarantine=lambda: QUARANTINE,
    )
    adoption.begin()
    return adoption


def pass_(services: Services, **units: float) -> None:
    assert isinstance(services.now, Clock)
    services.now.pass_(**units)


def lacking(services: Services, campaign_id: UUID, contact: int = 0) -> CallOrder:
    """Show a call at the provider that our restored log lacks."""
    return called(
        services, campaign_id, services.candidates(campaign_id)[contact].contact_id
    )


def called(services: Services, campaign_id: UUID, contact_id: UUID) -> CallOrder:
    call_id = call_id_of(contact_id, 1)
    order = an_order(call_id=call_id, campaign_id=campaign_id, contact_id=contact_id)
    services.provider.show(order, f"for {call_id}")
    return order


def test_claims_without_a_request_are_released(services: Services) -> None:
    [call_id] = services.claim(services.campaign(1))
    an_adoption(services).run(services.snapshot())
    assert services.topics(call_id) == ["created", "deferred"]


def test_a_claim_that_was_requested_meanwhile_is_not_released(
    services: Services,
) -> None:
    """The snapshot is older than the old leader's last request: the call may ring."""
    adoption = an_adoption(services)
    [call_id] = services.claim(services.campaign(1))
    old = services.snapshot()
    assert old.calls[0].phase is Phase.CLAIMED
    services.calls.request(call_id, dial_before=NOON)
    adoption.run(old)
    assert services.topics(call_id) == ["created", "requested"]


def test_a_call_that_the_log_lacks_is_adopted(services: Services) -> None:
    campaign_id = services.campaign(2)
    order = lacking(services, campaign_id)
    an_adoption(services).run(services.snapshot())
    assert services.topics(order.call_id) == ["created", "placed"]
    assert [one.attempt for one in services.candidates(campaign_id)] == [1]
    assert services.board(campaign_id).queued == 1


def test_a_missing_call_of_a_campaign_without_a_start_event_is_adopted(
    services: Services,
) -> None:
    """The back-up is older than the start, and the campaign will be started again."""
    campaign_id = services.campaign(2, start=False)
    with services.reading.connection() as conn:
        [contact] = contact_log.page(conn, campaign_id, first=1).nodes
    order = called(services, campaign_id, contact.id)
    an_adoption(services).run(services.snapshot())
    assert services.topics(order.call_id) == ["created", "placed"]
    services.campaigns.start(campaign_id, by=BY)
    assert len(services.candidates(campaign_id)) == 1


def test_the_older_of_two_missing_calls_is_adopted(services: Services) -> None:
    order = lacking(services, services.campaign(1))
    services.provider.show(order, "p0", NOON - timedelta(seconds=1))
    an_adoption(services).run(services.snapshot())
    assert services.load_call(order.call_id).provider_call_id == "p0"
    assert services.snapshot().duplicates_open


def test_a_call_of_an_unknown_campaign_is_ignored(services: Services) -> None:
    services.campaign(1)
    services.provider.show(an_order(), "foreign")
    events = services.app.recorder.max_notification_id()
    an_adoption(services).run(services.snapshot())
    assert services.app.recorder.max_notification_id() == events


# --- From when on --------------------------------------------------------------------


def test_calls_before_the_last_claim_are_not_searched(services: Services) -> None:
    campaign_id = services.campaign(2)
    order = lacking(services, campaign_id, contact=1)
    pass_(services, minutes=11)
    services.claim(campaign_id)
    an_adoption(services).run(services.snapshot())
    assert services.topics(order.call_id) == []


def test_an_event_after_a_restore_does_not_move_the_start_of_the_search(
    services: Services,
) -> None:
    """Webhooks and commands are stored before a scheduler leads again."""
    campaign_id = services.campaign(2)
    order = lacking(services, campaign_id)
    pass_(services, hours=3)
    services.campaigns.pause(campaign_id, by=BY)
    an_adoption(services).run(services.snapshot())
    assert services.topics(order.call_id) == ["created", "placed"]


def test_an_interrupted_search_starts_again_at_the_same_time(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls adopted first already look like claims of today."""
    campaign_id = services.campaign(2)
    orders = [lacking(services, campaign_id, contact) for contact in range(2)]
    pass_(services, hours=1)
    adoption, adopt = an_adoption(services), services.claims.adopt

    def dies(call_id: UUID, origin: Origin) -> bool:
        monkeypatch.setattr(services.claims, "adopt", broken)
        return adopt(call_id, origin)

    def broken(call_id: UUID, origin: Origin) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(services.claims, "adopt", dies)
    with pytest.raises(KeyboardInterrupt):
        adoption.run(services.snapshot())
    monkeypatch.undo()
    an_adoption(services).run(services.snapshot())
    for order in orders:
        assert services.topics(order.call_id) == ["created", "placed"]


# --- Until it is enough --------------------------------------------------------------


def test_nothing_is_claimed_until_the_provider_was_searched(services: Services) -> None:
    campaign_id = services.campaign(1)
    adoption, services.provider.down = an_adoption(services), True
    assert adoption.run(services.snapshot()) == ClaimingBlocked("the provider is down")
    services.provider.down = False
    assert adoption.run(services.snapshot()) is None
    assert services.board(campaign_id).queued == 0


def test_nothing_is_claimed_until_the_read_model_includes_the_whole_log(
    services: Services,
) -> None:
    """Lines of a campaign that the read model lacks would not be searched."""
    old = services.snapshot()
    services.campaign(1)
    adoption = an_adoption(services)
    assert adoption.run(old) == ClaimingBlocked(LAGGING, NOON + timedelta(seconds=1))
    assert adoption.run(services.snapshot()) is None


def test_after_an_adoption_nothing_is_claimed_for_a_quarantine(
    services: Services,
) -> None:
    """The log is older than the calls: the provider may not list all of them yet."""
    campaign_id = services.campaign(3)
    adoption = an_adoption(services)
    first = lacking(services, campaign_id)
    assert adoption.run(services.snapshot()) == ClaimingBlocked(
        SEARCHING, NOON + QUARANTINE
    )
    pass_(services, seconds=89)
    second = lacking(services, campaign_id)
    assert second.call_id != first.call_id
    until = NOON + timedelta(seconds=89) + QUARANTINE
    assert adoption.run(services.snapshot()) == ClaimingBlocked(SEARCHING, until)
    assert services.load_call(second.call_id).status is CallStatus.QUEUED
    pass_(services, seconds=89)
    assert adoption.run(services.snapshot()) == ClaimingBlocked(SEARCHING, until)
    pass_(services, seconds=1)
    assert adoption.run(services.snapshot()) is None


def test_the_provider_is_searched_once_in_a_term(services: Services) -> None:
    adoption = an_adoption(services)
    adoption.run(services.snapshot())
    order = lacking(services, services.campaign(1))
    adoption.run(services.snapshot())
    assert services.topics(order.call_id) == []
    adoption.begin()
    adoption.run(services.snapshot())
    assert services.topics(order.call_id) == ["created", "placed"]


def test_an_error_with_one_call_does_not_stop_other_adoptions(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = lacking(services, services.campaign(1))
    adopt = services.claims.adopt

    def broken(call_id: UUID, origin: Origin) -> bool:
        if call_id != order.call_id:
            raise ValueError("no such attempt")
        return adopt(call_id, origin)

    services.provider.show(an_order(), "bad", NOON - timedelta(seconds=1))
    monkeypatch.setattr(services.claims, "adopt", broken)
    an_adoption(services).run(services.snapshot())
    assert services.topics(order.call_id) == ["created", "placed"]


# --- Another database ----------------------------------------------------------------


@pytest.fixture
def copy(server: Conn, postgres_url: str, model: str) -> Iterator[Services]:
    """The services on a copy of a database that had a leader and a campaign."""
    with fresh_database(server, postgres_url, model) as url:
        with open_services(url) as services:
            services.campaign(2)
            an_adoption(services).run(services.snapshot())
            TimelineGuard(services.writing).lead()
        original = urlsplit(url).path.lstrip("/")
        with (
            fresh_database(server, postgres_url, original) as copied,
            open_services(copied) as copy,
        ):
            yield copy


def test_on_a_copy_nothing_is_claimed_for_a_quarantine(copy: Services) -> None:
    adoption = an_adoption(copy)
    assert adoption.run(copy.snapshot()) == ClaimingBlocked(
        SEARCHING, NOON + QUARANTINE
    )
    pass_(copy, seconds=90)
    assert adoption.run(copy.snapshot()) is None
    assert an_adoption(copy).run(copy.snapshot()) is None, "it is led by now"


def test_on_a_copy_a_missing_call_is_adopted_from_a_line_that_the_log_does_not_name(
    copy: Services,
) -> None:
    """The change to the other line, and the call from it, are newer than the copy."""
    [view] = copy.snapshot().campaigns
    contact_id = view.candidates[0].contact_id
    order = an_order(
        call_id=call_id_of(contact_id, 1),
        campaign_id=view.id,
        contact_id=contact_id,
        phone_number_id="line-2",
    )
    copy.provider.show(order, "p1")
    an_adoption(copy).run(copy.snapshot())
    assert copy.topics(order.call_id) == ["created", "placed"]


def test_the_quarantine_starts_again_after_a_crash(copy: Services) -> None:
    an_adoption(copy).run(copy.snapshot())
    pass_(copy, seconds=60)
    adoption = an_adoption(copy)
    adoption.end()
    assert adoption.run(copy.snapshot()) is not None
