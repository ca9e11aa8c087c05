"""Contacts that are never called are withheld; contacts without a group get one."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.campaigns.campaign_terms import CallingTerms
from domain.contacts.contact import Contact
from domain.contacts.contact_list import ContactList
from domain.gate.decision import CallingHours, CallingWindow
from domain.gate.rules import WEEKDAYS, Window
from domain.outcomes import Withheld
from domain.values import CallStatus, ContactStatus, WaitingCode
from projections.contacts import contact_log
from projections.contacts.contact_row import ContactRow
from scheduler.maintenance.contact_groups import ContactGroups
from tests.wiring import NOON, House

CONSENT = CallingTerms(require_consent=True)
ALL_DAY = CallingWindow(WEEKDAYS, Window(0, 24 * 60))
OWN_HOURS = CallingTerms(calling_hours=CallingHours(windows=(ALL_DAY,)))
UNKNOWN = ("+17295550101", "+17295550102")
"""Numbers of an area code that is not known."""


def run(house: House) -> int:
    """Run passes until nothing is left; return how many had work."""
    work = ContactGroups(
        house.reading,
        group=house.grouping.group,
        withhold=house.group_withholding.withhold,
    )
    passes = 0
    while work.run(house.snapshot(1)):
        passes += 1
    house.settle()
    return passes


def contacts(house: House, campaign_id: UUID) -> list[ContactRow]:
    house.settle()
    with house.reading.connection() as conn:
        return list(contact_log.page(conn, campaign_id, first=100).nodes)


def withheld(house: House, campaign_id: UUID) -> list[Withheld | None]:
    return [one.withheld for one in contacts(house, campaign_id)]


def test_without_the_consent_that_a_campaign_requires_contacts_are_withheld(
    house: House,
) -> None:
    campaign_id = house.campaign(3, terms=CONSENT)
    assert house.candidates(campaign_id) == ()
    assert run(house) == 1
    assert withheld(house, campaign_id) == [Withheld.NO_CONSENT] * 3
    board = house.board(campaign_id)
    assert (board.pending, board.canceled) == (0, 3)
    [contact, *_] = contacts(house, campaign_id)
    assert house.app.load(Contact, contact.id).withheld is Withheld.NO_CONSENT


def test_contacts_of_an_unknown_place_are_withheld_if_the_campaign_has_hours(
    house: House,
) -> None:
    campaign_id = house.campaign(UNKNOWN, terms=OWN_HOURS)
    run(house)
    assert withheld(house, campaign_id) == [Withheld.PLACE_UNKNOWN] * 2


def test_contacts_of_an_unknown_place_are_called_if_no_hours_apply(
    house: House,
) -> None:
    campaign_id = house.campaign(UNKNOWN)
    assert run(house) == 0
    assert len(house.candidates(campaign_id)) == 2


def test_a_deferred_call_is_withdrawn_with_its_contact(house: House) -> None:
    campaign_id = house.campaign(2)
    [call_id] = house.claim(campaign_id, 1)
    house.calls.defer(call_id, reason="busy", until=NOON)
    require_consent(house, campaign_id)
    run(house)
    assert house.load_call(call_id).status is CallStatus.CANCELED
    assert withheld(house, campaign_id) == [Withheld.NO_CONSENT] * 2


def test_contacts_are_not_withheld_by_terms_that_have_changed_since_the_snapshot(
    house: House,
) -> None:
    campaign_id = house.campaign(2, terms=CONSENT)
    seen = house.snapshot(1)
    require_consent(house, campaign_id, required=False)
    house.settle()
    work = ContactGroups(
        house.reading,
        group=house.grouping.group,
        withhold=house.group_withholding.withhold,
    )
    assert not work.run(seen)
    assert withheld(house, campaign_id) == [None, None]


def require_consent(house: House, campaign_id: UUID, *, required: bool = True) -> None:
    campaign = house.load_campaign(campaign_id)
    campaign.change(
        name=campaign.name,
        cap=campaign.cap,
        line_quiet_gating=campaign.line_quiet_gating,
        budget=campaign.budget,
        terms=replace(campaign.terms, require_consent=required),
        at=house.now(),
        by="ann@example.com",
    )
    house.app.append(campaign)
    house.settle()


def test_contacts_of_release_1_wait_until_they_have_a_group(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as release_1:
        release_1.setattr("application.contacts.list_import.grouped", lambda groups: ())
        campaign_id = house.campaign(3)
    [view] = house.snapshot().campaigns
    assert view.candidates == ()
    [group] = view.groups
    assert (group.group, group.fresh) == (None, 3)
    assert getattr(group.decision, "code", None) is WaitingCode.RULES_UNAVAILABLE
    assert run(house) == 1
    assert [one.places for one in contacts(house, campaign_id)] == [["US-DC"]] * 3
    assert len(house.candidates(campaign_id)) == 3
    [list_id] = {one.list_id for one in contacts(house, campaign_id)}
    assert house.topics(list_id)[-1] == "contacts_grouped"
    assert house.app.load(ContactList, list_id).closed


def test_a_claim_stores_the_group_and_the_request_obeys_it(house: House) -> None:
    campaign_id = house.campaign(1)
    [call_id] = house.claim(campaign_id, 1)
    call = house.load_call(call_id)
    assert call.group is not None
    assert call.group.places.codes == ("US-DC",)
    [contact] = contacts(house, campaign_id)
    assert (contact.status, contact.places) == (ContactStatus.QUEUED, ["US-DC"])
