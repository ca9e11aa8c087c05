"""A contact list is filled in steps, closed once, and can be continued."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.domain import CanMutateAggregate

from domain.contacts.contact_list import ContactList, RejectCount, Skipped
from domain.errors import Conflict, WrongState
from domain.gate.groups import ContactGroup, grouped
from domain.gate.places import Places, PlaceSource
from domain.values import SkipReason, VaultText
from tests.support import EPOCH, Fact, given, new_events

CAMPAIGN, LIST = uuid4(), uuid4()
BY = "ann@example.com"
AT = EPOCH + timedelta(minutes=1)
FILENAME = VaultText(words_id=uuid4(), digest="d1")
CONTACTS = tuple(uuid4() for _ in range(3))
BAD_PHONE = Skipped(row=4, reason=SkipReason.INVALID_PHONE)
NO_NAME = SkipReason.MISSING_NAME
KNOWN = Skipped(row=7, reason=SkipReason.DUPLICATE_IN_CAMPAIGN)


def fact(event: type[CanMutateAggregate[UUID]], **own: Any) -> Fact:
    return event, {"actor": BY, "campaign_id": CAMPAIGN, **own}


FLORIDA = ContactGroup(
    Places(("US-FL",), ("America/New_York",), PlaceSource.SUBDIVISION), has_consent=True
)
IN_FLORIDA = grouped([FLORIDA] * len(CONTACTS))


def accepted(first: int, staged_up_to: int) -> Fact:
    fields = {"contact_ids": CONTACTS, "digest": "d2", "staged_up_to": staged_up_to}
    return fact(ContactList.RowsAccepted, first=first, groups=IN_FLORIDA, **fields)


def skipped(*rows: Skipped, staged_up_to: int, rejects_up_to: int) -> Fact:
    fields = {"staged_up_to": staged_up_to, "rejects_up_to": rejects_up_to}
    return fact(ContactList.RowsSkipped, skipped=rows, digest="d3", **fields)


COLUMNS = VaultText(words_id=uuid4(), digest="d4")
OPENING = {
    "starts_at": 10,
    "filename": FILENAME,
    "key_digest": "k1",
    "columns": COLUMNS,
}
CREATED = fact(ContactList.Created, **OPENING)
CLOSED = fact(ContactList.Closed, accepted=3, skipped=0)


def list_with(*facts: Fact) -> ContactList:
    return given(ContactList, *facts)


def accept(contacts: ContactList, staged_up_to: int) -> None:
    contacts.accept(
        contact_ids=CONTACTS,
        digest="d2",
        groups=IN_FLORIDA,
        staged_up_to=staged_up_to,
        at=AT,
        by=BY,
    )


def skip(contacts: ContactList, *rows: Skipped, **progress: int) -> None:
    contacts.skip(skipped=rows, digest="d3", at=AT, by=BY, **progress)


def test_a_list_begins_with_the_campaigns_next_contact() -> None:
    contacts = ContactList.create(
        list_id=LIST,
        campaign_id=CAMPAIGN,
        starts_at=10,
        filename=FILENAME,
        key_digest="k1",
        columns=COLUMNS,
        at=AT,
        by=BY,
    )
    assert new_events(contacts) == [CREATED]
    assert (contacts.id, contacts.starts_at, contacts.closed) == (LIST, 10, False)


def test_a_list_belongs_to_one_campaign() -> None:
    contacts = list_with(CREATED)
    contacts.must_belong_to(CAMPAIGN)
    with pytest.raises(Conflict):
        contacts.must_belong_to(uuid4())


def test_accepted_rows_continue_the_numbering() -> None:
    contacts = list_with(CREATED, accepted(0, 3))
    accept(contacts, 6)
    assert new_events(contacts) == [accepted(3, 6)]
    assert (contacts.accepted, contacts.staged_up_to) == (6, 6)


def test_contacts_of_the_campaign_are_skipped() -> None:
    contacts = list_with(CREATED)
    skip(contacts, KNOWN, staged_up_to=7)
    assert new_events(contacts) == [skipped(KNOWN, staged_up_to=7, rejects_up_to=0)]


def test_rejects_of_the_file_are_skipped() -> None:
    contacts = list_with(CREATED)
    skip(contacts, BAD_PHONE, rejects_up_to=4)
    assert new_events(contacts) == [skipped(BAD_PHONE, staged_up_to=0, rejects_up_to=4)]


def test_rejects_whose_text_is_not_kept_are_counted_once() -> None:
    counts = (RejectCount(SkipReason.INVALID_PHONE, 7), RejectCount(NO_NAME, 5))
    contacts = list_with(CREATED, skipped(BAD_PHONE, staged_up_to=0, rejects_up_to=4))
    contacts.count_rejects(counts, at=AT, by=BY)
    contacts.count_rejects(counts, at=AT, by=BY)
    assert new_events(contacts) == [fact(ContactList.RejectsCounted, counts=counts)]
    assert (contacts.skipped, contacts.rejects_not_kept) == (13, 12)


def test_counting_no_rejects_records_nothing() -> None:
    contacts = list_with(CREATED)
    contacts.count_rejects((), at=AT, by=BY)
    assert new_events(contacts) == []


def test_an_interrupted_import_knows_its_progress() -> None:
    contacts = list_with(
        CREATED,
        accepted(0, 3),
        skipped(BAD_PHONE, staged_up_to=3, rejects_up_to=4),
        skipped(KNOWN, staged_up_to=7, rejects_up_to=4),
    )
    assert (contacts.accepted, contacts.skipped) == (3, 2)
    assert (contacts.staged_up_to, contacts.rejects_up_to) == (7, 4)
    assert not contacts.closed


def test_progress_in_rejects_keeps_that_in_staged_rows() -> None:
    past = (CREATED, accepted(0, 3), skipped(staged_up_to=3, rejects_up_to=4))
    contacts = list_with(*past)
    skip(contacts, KNOWN, staged_up_to=7)
    skip(contacts, BAD_PHONE, rejects_up_to=9)
    assert new_events(contacts) == [
        skipped(KNOWN, staged_up_to=7, rejects_up_to=4),
        skipped(BAD_PHONE, staged_up_to=7, rejects_up_to=9),
    ]


def test_a_list_is_closed_once_with_its_counts() -> None:
    contacts = list_with(CREATED, accepted(0, 3))
    contacts.close(at=AT, by=BY)
    contacts.close(at=AT, by=BY)
    assert new_events(contacts) == [CLOSED]
    assert contacts.closed


def test_a_closed_list_takes_no_rows() -> None:
    contacts = list_with(CREATED, accepted(0, 3), CLOSED)
    with pytest.raises(WrongState):
        accept(contacts, 6)
    with pytest.raises(WrongState):
        skip(contacts, KNOWN, staged_up_to=7)
    with pytest.raises(WrongState):
        contacts.count_rejects((RejectCount(NO_NAME, 1),), at=AT, by=BY)
    assert new_events(contacts) == []


def test_counting_rejects_again_after_the_list_closed_changes_nothing() -> None:
    """A second request for the same import may arrive after the first is done."""
    counts = (RejectCount(NO_NAME, 5),)
    counted = fact(ContactList.RejectsCounted, counts=counts)
    contacts = list_with(
        CREATED, counted, fact(ContactList.Closed, accepted=0, skipped=5)
    )
    contacts.count_rejects(counts, at=AT, by=BY)
    contacts.count_rejects((), at=AT, by=BY)
    assert new_events(contacts) == []


def test_contacts_of_a_closed_list_get_their_group_later() -> None:
    contacts = list_with(CREATED, accepted(0, 3), CLOSED)
    contacts.group(CONTACTS[:1], grouped([FLORIDA]), at=AT, by=BY)
    assert new_events(contacts) == [
        fact(
            ContactList.ContactsGrouped,
            contact_ids=CONTACTS[:1],
            groups=grouped([FLORIDA]),
        )
    ]
