"""Waiting contacts of suppressed numbers: withheld in every campaign, resumably."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from application.contacts.withholding import SuppressedContact
from application.suppression_lists.service import ListTerms
from domain.calls.deferrals import DeferralReason
from domain.contacts.contact import Contact
from domain.gate.rules import CallPurpose
from domain.numbers.number import SuppressionSource
from domain.outcomes import Withheld
from domain.settings import RulesMode
from domain.values import CallStatus, CampaignState, ContactStatus
from projections.contacts import contact_log, suppressed_contacts
from projections.contacts.contact_row import ContactRow
from projections.contacts.suppressed_contacts import Scan
from scheduler.maintenance.suppressed_numbers import SuppressedNumbers
from tests.application.calls.messages import place, record_message, status
from tests.wiring import BY, NOON, Clock, Services, phones

PHONE = "+12025550000"
SOON = NOON + timedelta(seconds=5)
NEW_YORK = "+12125550143"
AFTERNOON = datetime(2026, 3, 2, 19, 5, tzinfo=UTC)


def suppress(services: Services, phone: str = PHONE) -> UUID:
    person = SuppressionSource.PERSON
    number_id, _ = services.numbers.suppress(phone, source=person, reason=None, by=BY)
    services.settle()
    return number_id


def worker(services: Services) -> SuppressedNumbers:
    """Return the work as a scheduler that has just started does it."""
    return SuppressedNumbers(
        services.reading,
        withhold=services.withholding.withhold,
        hang_up=services.calls.hang_up_before_ringing,
        now=services.now,
        blocks=services.suppression_blocks,
    )


def run(services: Services, work: SuppressedNumbers | None = None) -> None:
    work = work or worker(services)
    services.settle()
    while work.run():
        services.settle()
    services.settle()


def contacts(services: Services, campaign_id: UUID) -> list[ContactRow]:
    services.settle()
    with services.reading.connection() as conn:
        return list(contact_log.page(conn, campaign_id, first=100).nodes)


def statuses(services: Services, campaign_id: UUID) -> list[ContactStatus]:
    return [contact.status for contact in contacts(services, campaign_id)]


def test_waiting_contacts_are_withheld_in_all_campaigns(services: Services) -> None:
    campaigns = [services.campaign(2), services.campaign(2, start=False)]
    suppress(services)
    run(services)
    for campaign_id in campaigns:
        withheld, other = contacts(services, campaign_id)
        assert (withheld.status, other.status) == (
            ContactStatus.CANCELED,
            ContactStatus.PENDING,
        )
        contact = services.app.load(Contact, withheld.id)
        assert contact.withheld is Withheld.SUPPRESSED
        board = services.board(campaign_id)
        assert (board.pending, board.canceled) == (1, 1)


def test_a_deferred_call_of_the_contact_is_withdrawn_in_the_same_append(
    services: Services,
) -> None:
    campaign_id = services.campaign(1)
    [call_id] = services.claim(campaign_id, 1)
    services.calls.defer(call_id, reason=DeferralReason.NOT_NOW, until=SOON)
    suppress(services)
    run(services)
    assert services.load_call(call_id).status is CallStatus.CANCELED
    assert statuses(services, campaign_id) == [ContactStatus.CANCELED]
    board = services.board(campaign_id)
    assert (board.pending, board.canceled) == (0, 1)


def test_a_live_call_of_a_suppressed_number_is_not_hung_up(services: Services) -> None:
    campaign_id = services.campaign(1)
    [call_id] = services.claim(campaign_id, 1)
    assert services.calls.request(call_id, dial_before=SOON)
    place(services, call_id)
    record_message(services, status(call_id, "in-progress"))
    suppress(services)
    run(services)
    assert statuses(services, campaign_id) == [ContactStatus.IN_PROGRESS]
    assert not services.load_call(call_id).hang_up_requested


def test_a_placed_call_that_has_not_rung_is_hung_up(services: Services) -> None:
    [call_id] = services.claim(services.campaign(1), 1)
    assert services.calls.request(call_id, dial_before=SOON)
    place(services, call_id)
    suppress(services)
    run(services)
    assert services.load_call(call_id).hang_up_requested


def test_a_call_placed_after_the_opt_out_is_hung_up(services: Services) -> None:
    """It was requested before, and its placing is recorded afterwards."""
    [call_id] = services.claim(services.campaign(1), 1)
    assert services.calls.request(call_id, dial_before=SOON)
    suppress(services)
    work = worker(services)
    run(services, work)
    assert not services.load_call(call_id).hang_up_requested
    place(services, call_id)
    run(services, work)
    assert services.load_call(call_id).hang_up_requested
    run(services, work)
    assert services.topics(call_id).count("hang_up_requested") == 1


def import_list(services: Services, phone: str = PHONE, **terms: Any) -> None:
    wanted = ListTerms(**{"name": "Registry", "as_of": NOON.date(), **terms})
    services.suppression_lists.receive(wanted, [phone.encode()], by=BY)


def placed(services: Services, *statuses: str) -> UUID:
    [call_id] = services.claim(services.campaign(1), 1)
    assert services.calls.request(call_id, dial_before=SOON)
    place(services, call_id)
    for one in statuses:
        record_message(services, status(call_id, one))
    return call_id


def test_a_placed_call_is_hung_up_if_a_list_with_its_number_becomes_active(
    services: Services,
) -> None:
    call_id = placed(services)
    import_list(services, "+12025550999")
    run(services)
    assert not services.load_call(call_id).hang_up_requested
    import_list(services)
    run(services)
    assert services.load_call(call_id).hang_up_requested


def test_a_call_placed_after_the_activation_of_a_list_is_hung_up(
    services: Services,
) -> None:
    [call_id] = services.claim(services.campaign(1), 1)
    assert services.calls.request(call_id, dial_before=SOON)
    import_list(services)
    run(services)
    place(services, call_id)
    run(services)
    assert services.load_call(call_id).hang_up_requested


@pytest.mark.parametrize("call_status", ["ringing", "in-progress"])
def test_a_call_that_rings_goes_on_when_a_list_becomes_active(
    services: Services, call_status: str
) -> None:
    call_id = placed(services, call_status)
    import_list(services)
    run(services)
    assert not services.load_call(call_id).hang_up_requested


@pytest.mark.parametrize(
    "terms",
    [
        {"covers": ("+1305",)},
        {"purposes": (CallPurpose.SURVEY,)},
        {"as_of": NOON.date() - timedelta(days=40), "max_age_days": 31},
    ],
)
def test_a_call_goes_on_if_the_new_list_does_not_forbid_it(
    services: Services, terms: dict[str, Any]
) -> None:
    call_id = placed(services)
    import_list(services, **terms)
    run(services)
    assert not services.load_call(call_id).hang_up_requested


def placed_before_the_hours_end(services: Services) -> UUID:
    """Return a call that was placed at 14:05 in New York, where hours end at 21:00."""
    services.settings.amend({"calling_rules": RulesMode.ENFORCED}, by=BY)
    clock = services.now
    assert isinstance(clock, Clock)
    clock.time = AFTERNOON
    [call_id] = services.claim(services.campaign((NEW_YORK,)), 1)
    soon = AFTERNOON + timedelta(seconds=5)
    assert services.calls.request(call_id, dial_before=soon)
    place(services, call_id)
    run(services)
    assert not services.load_call(call_id).hang_up_requested
    return call_id


def pass_time(services: Services, **units: float) -> None:
    clock = services.now
    assert isinstance(clock, Clock)
    clock.pass_(**units)


def test_a_placed_call_that_has_not_rung_when_the_hours_end_is_hung_up(
    services: Services,
) -> None:
    call_id = placed_before_the_hours_end(services)
    pass_time(services, hours=6, minutes=54)
    run(services)
    assert not services.load_call(call_id).hang_up_requested
    pass_time(services, minutes=1)
    run(services)
    assert services.load_call(call_id).hang_up_requested


def test_a_call_that_rang_within_the_hours_goes_on_after_them(
    services: Services,
) -> None:
    call_id = placed_before_the_hours_end(services)
    record_message(services, status(call_id, "ringing"))
    pass_time(services, hours=8)
    run(services)
    assert not services.load_call(call_id).hang_up_requested


def test_a_call_that_rings_is_not_hung_up(services: Services) -> None:
    [call_id] = services.claim(services.campaign(1), 1)
    assert services.calls.request(call_id, dial_before=SOON)
    place(services, call_id)
    suppress(services)
    services.settle()
    record_message(services, status(call_id, "ringing"))
    work = worker(services)
    work.run()  # The read model does not show yet that it rings.
    assert not services.load_call(call_id).hang_up_requested


def test_contacts_imported_after_the_opt_out_are_withheld(services: Services) -> None:
    suppress(services)
    work = worker(services)
    run(services, work)
    campaign_id = services.campaign(2)
    run(services, work)
    assert statuses(services, campaign_id)[0] is ContactStatus.CANCELED


def test_a_lifted_number_is_not_withheld(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the read model still shows it as suppressed."""
    campaign_id = services.campaign(1)
    number_id = suppress(services)
    monkeypatch.setattr(services.read_model, "held", True)
    services.numbers.lift(number_id, reason="a mistake", by=BY)
    worker(services).run()
    monkeypatch.undo()
    assert statuses(services, campaign_id) == [ContactStatus.PENDING]


def test_a_finished_campaign_is_left_alone(services: Services) -> None:
    campaign_id = services.campaign(1)
    services.campaigns.cancel(campaign_id, by=BY, hang_up=False)
    suppress(services)
    run(services)
    [contact] = contacts(services, campaign_id)
    assert services.app.find(Contact, contact.id) is None
    assert services.load_campaign(campaign_id).state is CampaignState.CANCELED


def test_the_register_is_searched_page_by_page(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.maintenance.suppressed_numbers.MOST", 2)
    monkeypatch.setattr("scheduler.maintenance.suppressed_numbers.ENTRIES", 3)
    first, second = services.campaign(7), services.campaign(7)
    for phone in phones(6):
        suppress(services, phone)
    run(services)
    expected = [ContactStatus.CANCELED] * 6 + [ContactStatus.PENDING]
    assert statuses(services, first) == statuses(services, second) == expected


def test_a_scheduler_that_dies_half_way_is_continued_by_the_next(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.contacts.withholding.TOGETHER", 1)
    campaign_id = services.campaign(4)
    for phone in phones(3):
        suppress(services, phone)
    append, calls = services.app.append, list[bool]()

    def die(*changed: Any, **how: Any) -> int | None:
        calls.append(True)
        if len(calls) == 2:
            raise ConnectionError("the process was killed")
        return append(*changed, **how)

    monkeypatch.setattr(services.app, "append", die)
    with pytest.raises(ConnectionError):
        worker(services).run()
    monkeypatch.setattr(services.app, "append", append)
    run(services)
    canceled = [ContactStatus.CANCELED] * 3
    assert statuses(services, campaign_id) == [*canceled, ContactStatus.PENDING]


def test_a_contact_that_is_claimed_meanwhile_is_left_to_the_fence(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = services.campaign(2)
    for phone in phones(2):
        suppress(services, phone)
    append, claimed = services.app.append, list[UUID]()

    def claim_first(*changed: Any, **how: Any) -> int | None:
        if not claimed:
            monkeypatch.setattr(services.app, "append", append)
            claimed.extend(services.claim(campaign_id, 1))
        return append(*changed, **how)

    monkeypatch.setattr(services.app, "append", claim_first)
    worker(services).run()
    [call_id] = claimed
    assert services.load_call(call_id).status is CallStatus.QUEUED
    assert statuses(services, campaign_id)[1] is ContactStatus.CANCELED
    assert services.calls.request(call_id, dial_before=SOON) is None
    contact = services.app.load(Contact, services.load_call(call_id).contact_id)
    assert contact.withheld is Withheld.SUPPRESSED


def test_many_contacts_share_an_append(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = services.campaign(5)
    for phone in phones(5):
        suppress(services, phone)
    insert, appends = services.app.recorder.insert_events, list[Sequence[Any]]()

    def count(events: Sequence[Any], **how: Any) -> Sequence[int] | None:
        appends.append(events)
        return insert(events, **how)

    monkeypatch.setattr(services.app.recorder, "insert_events", count)
    worker(services).run()
    assert [len(events) for events in appends] == [5]
    assert set(statuses(services, campaign_id)) == {ContactStatus.CANCELED}


def test_a_pass_returns_at_most_the_wanted_number_of_contacts(
    services: Services,
) -> None:
    services.campaign(5)
    for phone in phones(5):
        suppress(services, phone)
    with services.reading.connection() as conn:
        scan: Scan = suppressed_contacts.waiting_contacts(
            conn, after=0, entries=10, most=2
        )
    assert (len(scan.contacts), scan.is_last) == (2, False)
    assert isinstance(scan.contacts[0], SuppressedContact)
