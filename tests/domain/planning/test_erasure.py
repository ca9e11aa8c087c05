"""The erasure of a contact: whom it cancels, and which texts it removes."""

from typing import Any
from uuid import uuid4

import pytest

from domain.calls.call import Call
from domain.calls.unmatched_message import unmatched_id_of
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.outcomes import Withheld
from domain.planning.contact_status import status_of
from domain.planning.erasure import erase_contact, erased_subjects
from domain.values import ContactStatus, call_id_of
from tests.domain.calls import call_facts as do
from tests.domain.campaigns.campaign_facts import (
    LIST,
    OTHER_LIST,
    WAS_CANCELED,
    WAS_COMPLETED,
    WAS_CREATED,
    WAS_PAUSED,
    WAS_QUEUED,
    imported,
)
from tests.support import Fact, given

PENDING, CANCELED = ContactStatus.PENDING, ContactStatus.CANCELED
WITH_CONTACTS = (WAS_CREATED, imported(LIST, 3, 3))
BY = "ann@example.com"


def erase(
    *calls: Call, campaign: Campaign | None, lists: Any = frozenset({LIST})
) -> Contact:
    contact = Contact.unrecorded(do.CONTACT, do.CAMPAIGN, do.AT)
    erase_contact(
        contact,
        list_ids=lists,
        campaign=campaign,
        last_call=calls[-1] if calls else None,
        at=do.AT,
        by=BY,
    )
    return contact


def change_of_status(contact: Contact) -> tuple[ContactStatus, ContactStatus]:
    [event] = contact.collect_events()
    assert isinstance(event, Contact.Erased)
    assert (event.originator_id, event.campaign_id) == (do.CONTACT, do.CAMPAIGN)
    assert (event.actor, event.timestamp) == (BY, do.AT)
    return event.was, event.standing


@pytest.mark.parametrize("later", [(), (WAS_QUEUED,), (WAS_QUEUED, WAS_PAUSED)])
def test_a_contact_that_was_never_called_is_canceled(later: tuple[Fact, ...]) -> None:
    campaign = given(Campaign, *WITH_CONTACTS, *later)
    assert change_of_status(erase(campaign=campaign)) == (PENDING, CANCELED)


@pytest.mark.parametrize("end", [(WAS_QUEUED, WAS_COMPLETED), (WAS_CANCELED,)])
def test_a_contact_of_a_finished_campaign_keeps_its_status(
    end: tuple[Fact, ...],
) -> None:
    campaign = given(Campaign, *WITH_CONTACTS, *end)
    assert change_of_status(erase(campaign=campaign)) == (PENDING, PENDING)


def test_a_contact_whose_import_is_not_complete_keeps_its_status() -> None:
    """It is not counted in the campaign, so nothing may be subtracted there."""
    campaign = given(Campaign, *WITH_CONTACTS)
    contact = erase(campaign=campaign, lists={OTHER_LIST})
    assert change_of_status(contact) == (PENDING, PENDING)
    contact = erase(campaign=None)
    assert change_of_status(contact) == (PENDING, PENDING)


def test_a_contact_in_two_lists_counts_as_soon_as_one_is_imported() -> None:
    contact = erase(campaign=given(Campaign, *WITH_CONTACTS), lists={OTHER_LIST, LIST})
    assert change_of_status(contact) == (PENDING, CANCELED)


def test_a_contact_that_was_finished_without_a_call_keeps_its_status() -> None:
    contact = Contact.unrecorded(do.CONTACT, do.CAMPAIGN, do.AT)
    by: Any = {"at": do.AT, "by": BY}
    contact.withhold(Withheld.REMOVED, was=PENDING, last_attempt=0, **by)
    contact.collect_events()
    erased: Any = {"list_ids": {LIST}, "campaign": given(Campaign, *WITH_CONTACTS)}
    erase_contact(contact, **erased, last_call=None, **by)
    assert change_of_status(contact) == (CANCELED, CANCELED)
    assert status_of(contact, None) is CANCELED


def test_a_deferred_call_is_withdrawn() -> None:
    call = do.call_after(*do.IS_DEFERRED)
    contact = erase(call, campaign=given(Campaign, *WITH_CONTACTS))
    withdrawn = do.moved(Call.Canceled, PENDING, CANCELED)
    event, fields = withdrawn
    assert do.new_events(call) == [(event, fields | {"actor": BY})]
    assert change_of_status(contact) == (CANCELED, CANCELED)


def test_a_contact_that_waits_for_another_attempt_is_canceled() -> None:
    another = do.ended(do.UNRUNG, do.LATER, standing=PENDING, another_attempt=True)
    call = do.call_after(*do.IS_PLACED, another)
    contact = erase(call, campaign=given(Campaign, *WITH_CONTACTS))
    assert do.new_events(call) == []
    assert change_of_status(contact) == (PENDING, CANCELED)


@pytest.mark.parametrize("name", [name for name in do.HISTORIES if name != "deferred"])
def test_a_call_that_was_made_or_is_live_does_not_change(name: str) -> None:
    call = do.call_after(*do.HISTORIES[name])
    status = call.contact_status
    contact = erase(call, campaign=given(Campaign, *WITH_CONTACTS))
    assert do.new_events(call) == []
    assert change_of_status(contact) == (status, status)


def test_texts_of_all_attempts_and_of_unknown_calls_are_removed() -> None:
    first, second = uuid4(), uuid4()
    call = do.call_after(*do.IS_PLACED)
    other = call_with_other_ids("p-2")
    subjects = erased_subjects([first, second], [call, other])
    attempts = [call_id_of(id_, n) for id_ in (first, second) for n in range(1, 5)]
    assert subjects == [
        first,
        second,
        *attempts,
        unmatched_id_of("p-1"),
        unmatched_id_of("p-2"),
    ]


def call_with_other_ids(provider_call_id: str) -> Call:
    call = do.call_after(*do.IS_PLACED)
    call.detect_duplicate(provider_call_id=provider_call_id, at=do.AT, by=BY)
    call.collect_events()
    return call


def test_texts_of_attempts_that_the_log_lacks_are_removed() -> None:
    contact = uuid4()
    attempts = [call_id_of(contact, n) for n in (1, 2, 3)]
    assert erased_subjects([contact], []) == [contact, *attempts]
