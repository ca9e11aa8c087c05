"""Waiting contacts of suppressed numbers: withheld in every campaign, resumably."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from application.contacts.withholding import SuppressedContact
from application.suppression_lists.service import ListTerms
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
from tests.wiring import BY, NOON, Clock, House, phones

PHONE = "+12025550000"
SOON = NOON + timedelta(seconds=5)
NEW_YORK = "+12125550143"
AFTERNOON = datetime(2026, 3, 2, 19, 5, tzinfo=UTC)


def suppress(house: House, phone: str = PHONE) -> UUID:
    person = SuppressionSource.PERSON
    number_id, _ = house.numbers.suppress(phone, source=person, reason=None, by=BY)
    house.settle()
    return number_id


def worker(house: House) -> SuppressedNumbers:
    """Return the work as a scheduler that has just started does it."""
    return SuppressedNumbers(
        house.reading,
        withhold=house.withholding.withhold,
        hang_up=house.calls.hang_up_before_ringing,
        now=house.now,
        blocks=house.suppression_blocks,
    )


def run(house: House, work: SuppressedNumbers | None = None) -> None:
    work = work or worker(house)
    house.settle()
    while work.run():
        house.settle()
    house.settle()


def contacts(house: House, campaign_id: UUID) -> list[ContactRow]:
    house.settle()
    with house.reading.connection() as conn:
        return list(contact_log.page(conn, campaign_id, first=100).nodes)


def statuses(house: House, campaign_id: UUID) -> list[ContactStatus]:
    return [contact.status for contact in contacts(house, campaign_id)]


def test_waiting_contacts_are_withheld_in_all_campaigns(house: House) -> None:
    campaigns = [house.campaign(2), house.campaign(2, start=False)]
    suppress(house)
    run(house)
    for campaign_id in campaigns:
        withheld, other = contacts(house, campaign_id)
        assert (withheld.status, other.status) == (
            ContactStatus.CANCELED,
            ContactStatus.PENDING,
        )
        contact = house.app.load(Contact, withheld.id)
        assert contact.withheld is Withheld.SUPPRESSED
        board = house.board(campaign_id)
        assert (board.pending, board.canceled) == (1, 1)


def test_a_deferred_call_of_the_contact_is_withdrawn_in_the_same_append(
    house: House,
) -> None:
    campaign_id = house.campaign(1)
    [call_id] = house.claim(campaign_id, 1)
    house.calls.defer(call_id, reason="busy", until=SOON)
    suppress(house)
    run(house)
    assert house.load_call(call_id).status is CallStatus.CANCELED
    assert statuses(house, campaign_id) == [ContactStatus.CANCELED]
    board = house.board(campaign_id)
    assert (board.pending, board.canceled) == (0, 1)


def test_a_live_call_of_a_suppressed_number_is_not_hung_up(house: House) -> None:
    campaign_id = house.campaign(1)
    [call_id] = house.claim(campaign_id, 1)
    assert house.calls.request(call_id, dial_before=SOON)
    place(house, call_id)
    record_message(house, status(call_id, "in-progress"))
    suppress(house)
    run(house)
    assert statuses(house, campaign_id) == [ContactStatus.IN_PROGRESS]
    assert not house.load_call(call_id).hang_up_requested


def test_a_placed_call_that_has_not_rung_is_hung_up(house: House) -> None:
    [call_id] = house.claim(house.campaign(1), 1)
    assert house.calls.request(call_id, dial_before=SOON)
    place(house, call_id)
    suppress(house)
    run(house)
    assert house.load_call(call_id).hang_up_requested


def test_a_call_placed_after_the_opt_out_is_hung_up(house: House) -> None:
    """It was requested before, and its placing is recorded afterwards."""
    [call_id] = house.claim(house.campaign(1), 1)
    assert house.calls.request(call_id, dial_before=SOON)
    suppress(house)
    work = worker(house)
    run(house, work)
    assert not house.load_call(call_id).hang_up_requested
    place(house, call_id)
    run(house, work)
    assert house.load_call(call_id).hang_up_requested
    run(house, work)
    assert house.topics(call_id).count("hang_up_requested") == 1


def import_list(house: House, phone: str = PHONE, **terms: Any) -> None:
    wanted = ListTerms(**{"name": "Registry", "as_of": NOON.date(), **terms})
    house.suppression_lists.receive(wanted, [phone.encode()], by=BY)


def placed(house: House, *statuses: str) -> UUID:
    [call_id] = house.claim(house.campaign(1), 1)
    assert house.calls.request(call_id, dial_before=SOON)
    place(house, call_id)
    for one in statuses:
        record_message(house, status(call_id, one))
    return call_id


def test_a_placed_call_is_hung_up_if_a_list_with_its_number_becomes_active(
    house: House,
) -> None:
    call_id = placed(house)
    import_list(house, "+12025550999")
    run(house)
    assert not house.load_call(call_id).hang_up_requested
    import_list(house)
    run(house)
    assert house.load_call(call_id).hang_up_requested


def test_a_call_placed_after_the_activation_of_a_list_is_hung_up(house: House) -> None:
    [call_id] = house.claim(house.campaign(1), 1)
    assert house.calls.request(call_id, dial_before=SOON)
    import_list(house)
    run(house)
    place(house, call_id)
    run(house)
    assert house.load_call(call_id).hang_up_requested


@pytest.mark.parametrize("standing", ["ringing", "in-progress"])
def test_a_call_that_rings_goes_on_when_a_list_becomes_active(
    house: House, standing: str
) -> None:
    call_id = placed(house, standing)
    import_list(house)
    run(house)
    assert not house.load_call(call_id).hang_up_requested


@pytest.mark.parametrize(
    "terms",
    [
        {"covers": ("+1305",)},
        {"purposes": (CallPurpose.SURVEY,)},
        {"as_of": NOON.date() - timedelta(days=40), "max_age_days": 31},
    ],
)
def test_a_call_goes_on_if_the_new_list_does_not_forbid_it(
    house: House, terms: dict[str, Any]
) -> None:
    call_id = placed(house)
    import_list(house, **terms)
    run(house)
    assert not house.load_call(call_id).hang_up_requested


def placed_before_the_hours_end(house: House) -> UUID:
    """Return a call that was placed at 14:05 in New York, where hours end at 21:00."""
    house.settings.amend({"calling_rules": RulesMode.ENFORCED}, by=BY)
    clock = house.now
    assert isinstance(clock, Clock)
    clock.time = AFTERNOON
    [call_id] = house.claim(house.campaign((NEW_YORK,)), 1)
    soon = AFTERNOON + timedelta(seconds=5)
    assert house.calls.request(call_id, dial_before=soon)
    place(house, call_id)
    run(house)
    assert not house.load_call(call_id).hang_up_requested
    return call_id


def pass_time(house: House, **units: float) -> None:
    clock = house.now
    assert isinstance(clock, Clock)
    clock.pass_(**units)


def test_a_placed_call_that_has_not_rung_when_the_hours_end_is_hung_up(
    house: House,
) -> None:
    call_id = placed_before_the_hours_end(house)
    pass_time(house, hours=6, minutes=54)
    run(house)
    assert not house.load_call(call_id).hang_up_requested
    pass_time(house, minutes=1)
    run(house)
    assert house.load_call(call_id).hang_up_requested


def test_a_call_that_rang_within_the_hours_goes_on_after_them(house: House) -> None:
    call_id = placed_before_the_hours_end(house)
    record_message(house, status(call_id, "ringing"))
    pass_time(house, hours=8)
    run(house)
    assert not house.load_call(call_id).hang_up_requested


def test_a_call_that_rings_is_not_hung_up(house: House) -> None:
    [call_id] = house.claim(house.campaign(1), 1)
    assert house.calls.request(call_id, dial_before=SOON)
    place(house, call_id)
    suppress(house)
    house.settle()
    record_message(house, status(call_id, "ringing"))
    work = worker(house)
    work.run()  # The read model does not show yet that it rings.
    assert not house.load_call(call_id).hang_up_requested


def test_contacts_imported_after_the_opt_out_are_withheld(house: House) -> None:
    suppress(house)
    work = worker(house)
    run(house, work)
    campaign_id = house.campaign(2)
    run(house, work)
    assert statuses(house, campaign_id)[0] is ContactStatus.CANCELED


def test_a_lifted_number_is_not_withheld(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the read model still shows it as suppressed."""
    campaign_id = house.campaign(1)
    number_id = suppress(house)
    monkeypatch.setattr(house.read_model, "held", True)
    house.numbers.lift(number_id, reason="a mistake", by=BY)
    worker(house).run()
    monkeypatch.undo()
    assert statuses(house, campaign_id) == [ContactStatus.PENDING]


def test_a_finished_campaign_is_left_alone(house: House) -> None:
    campaign_id = house.campaign(1)
    house.campaigns.cancel(campaign_id, by=BY, hang_up=False)
    suppress(house)
    run(house)
    [contact] = contacts(house, campaign_id)
    assert house.app.find(Contact, contact.id) is None
    assert house.load_campaign(campaign_id).state is CampaignState.CANCELED


def test_the_register_is_searched_page_by_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.maintenance.suppressed_numbers.MOST", 2)
    monkeypatch.setattr("scheduler.maintenance.suppressed_numbers.ENTRIES", 3)
    first, second = house.campaign(7), house.campaign(7)
    for phone in phones(6):
        suppress(house, phone)
    run(house)
    expected = [ContactStatus.CANCELED] * 6 + [ContactStatus.PENDING]
    assert statuses(house, first) == statuses(house, second) == expected


def test_a_scheduler_that_dies_half_way_is_continued_by_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.contacts.withholding.TOGETHER", 1)
    campaign_id = house.campaign(4)
    for phone in phones(3):
        suppress(house, phone)
    append, calls = house.app.append, list[bool]()

    def die(*changed: Any, **how: Any) -> int | None:
        calls.append(True)
        if len(calls) == 2:
            raise ConnectionError("the process was killed")
        return append(*changed, **how)

    monkeypatch.setattr(house.app, "append", die)
    with pytest.raises(ConnectionError):
        worker(house).run()
    monkeypatch.setattr(house.app, "append", append)
    run(house)
    canceled = [ContactStatus.CANCELED] * 3
    assert statuses(house, campaign_id) == [*canceled, ContactStatus.PENDING]


def test_a_contact_that_is_claimed_meanwhile_is_left_to_the_fence(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = house.campaign(2)
    for phone in phones(2):
        suppress(house, phone)
    append, claimed = house.app.append, list[UUID]()

    def claim_first(*changed: Any, **how: Any) -> int | None:
        if not claimed:
            monkeypatch.setattr(house.app, "append", append)
            claimed.extend(house.claim(campaign_id, 1))
        return append(*changed, **how)

    monkeypatch.setattr(house.app, "append", claim_first)
    worker(house).run()
    [call_id] = claimed
    assert house.load_call(call_id).status is CallStatus.QUEUED
    assert statuses(house, campaign_id)[1] is ContactStatus.CANCELED
    assert house.calls.request(call_id, dial_before=SOON) is None
    contact = house.app.load(Contact, house.load_call(call_id).contact_id)
    assert contact.withheld is Withheld.SUPPRESSED


def test_many_contacts_share_an_append(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = house.campaign(5)
    for phone in phones(5):
        suppress(house, phone)
    insert, appends = house.app.recorder.insert_events, list[Sequence[Any]]()

    def count(events: Sequence[Any], **how: Any) -> Sequence[int] | None:
        appends.append(events)
        return insert(events, **how)

    monkeypatch.setattr(house.app.recorder, "insert_events", count)
    worker(house).run()
    assert [len(events) for events in appends] == [5]
    assert set(statuses(house, campaign_id)) == {ContactStatus.CANCELED}


def test_a_pass_returns_at_most_the_wanted_number_of_contacts(house: House) -> None:
    house.campaign(5)
    for phone in phones(5):
        suppress(house, phone)
    with house.reading.connection() as conn:
        scan: Scan = suppressed_contacts.waiting_contacts(
            conn, after=0, entries=10, most=2
        )
    assert (len(scan.contacts), scan.is_last) == (2, False)
    assert isinstance(scan.contacts[0], SuppressedContact)
