"""A list on its way into a campaign, in steps that can be taken up again."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.domain import CanMutateAggregate

from domain.contact_list import ContactList, RejectCount, Skipped
from domain.errors import Conflict, WrongState
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


def accepted(first: int, staged_up_to: int) -> Fact:
    fields = {"contact_ids": CONTACTS, "digest": "d2", "staged_up_to": staged_up_to}
    return fact(ContactList.RowsAccepted, first=first, **fields)


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


def contacts(*facts: Fact) -> ContactList:
    return given(ContactList, *facts)


def accept(told: ContactList, staged_up_to: int) -> None:
    progress = {"staged_up_to": staged_up_to}
    told.accept(contact_ids=CONTACTS, digest="d2", at=AT, by=BY, **progress)


def skip(told: ContactList, *rows: Skipped, **progress: int) -> None:
    told.skip(skipped=rows, digest="d3", at=AT, by=BY, **progress)


def test_a_list_opens_where_its_campaign_stands() -> None:
    told = ContactList.create(
        list_id=LIST,
        campaign_id=CAMPAIGN,
        starts_at=10,
        filename=FILENAME,
        key_digest="k1",
        columns=COLUMNS,
        at=AT,
        by=BY,
    )
    assert new_events(told) == [CREATED]
    assert (told.id, told.starts_at, told.closed) == (LIST, 10, False)


def test_a_list_belongs_to_one_campaign() -> None:
    told = contacts(CREATED)
    told.must_belong_to(CAMPAIGN)
    with pytest.raises(Conflict):
        told.must_belong_to(uuid4())


def test_accepted_rows_are_numbered_on() -> None:
    told = contacts(CREATED, accepted(0, 3))
    accept(told, 6)
    assert new_events(told) == [accepted(3, 6)]
    assert (told.accepted, told.staged_up_to) == (6, 6)


def test_people_whom_the_campaign_has_are_skipped() -> None:
    told = contacts(CREATED)
    skip(told, KNOWN, staged_up_to=7)
    assert new_events(told) == [skipped(KNOWN, staged_up_to=7, rejects_up_to=0)]


def test_rejects_of_the_file_are_skipped() -> None:
    told = contacts(CREATED)
    skip(told, BAD_PHONE, rejects_up_to=4)
    assert new_events(told) == [skipped(BAD_PHONE, staged_up_to=0, rejects_up_to=4)]


def test_rejects_whose_text_is_not_kept_are_counted_once() -> None:
    counts = (RejectCount(SkipReason.INVALID_PHONE, 7), RejectCount(NO_NAME, 5))
    told = contacts(CREATED, skipped(BAD_PHONE, staged_up_to=0, rejects_up_to=4))
    told.count_rejects(counts, at=AT, by=BY)
    told.count_rejects(counts, at=AT, by=BY)
    assert new_events(told) == [fact(ContactList.RejectsCounted, counts=counts)]
    assert (told.skipped, told.rejects_not_kept) == (13, 12)


def test_without_rejects_to_count_nothing_is_recorded() -> None:
    told = contacts(CREATED)
    told.count_rejects((), at=AT, by=BY)
    assert new_events(told) == []


def test_a_broken_import_goes_on_where_the_facts_end() -> None:
    told = contacts(
        CREATED,
        accepted(0, 3),
        skipped(BAD_PHONE, staged_up_to=3, rejects_up_to=4),
        skipped(KNOWN, staged_up_to=7, rejects_up_to=4),
    )
    assert (told.accepted, told.skipped) == (3, 2)
    assert (told.staged_up_to, told.rejects_up_to) == (7, 4)
    assert not told.closed


def test_one_kind_of_progress_leaves_the_other() -> None:
    past = (CREATED, accepted(0, 3), skipped(staged_up_to=3, rejects_up_to=4))
    told = contacts(*past)
    skip(told, KNOWN, staged_up_to=7)
    skip(told, BAD_PHONE, rejects_up_to=9)
    assert new_events(told) == [
        skipped(KNOWN, staged_up_to=7, rejects_up_to=4),
        skipped(BAD_PHONE, staged_up_to=7, rejects_up_to=9),
    ]


def test_a_list_closes_with_its_counts_once() -> None:
    told = contacts(CREATED, accepted(0, 3))
    told.close(at=AT, by=BY)
    told.close(at=AT, by=BY)
    assert new_events(told) == [CLOSED]
    assert told.closed


def test_a_closed_list_takes_no_rows() -> None:
    told = contacts(CREATED, accepted(0, 3), CLOSED)
    with pytest.raises(WrongState):
        accept(told, 6)
    with pytest.raises(WrongState):
        skip(told, KNOWN, staged_up_to=7)
    with pytest.raises(WrongState):
        told.count_rejects((RejectCount(NO_NAME, 1),), at=AT, by=BY)
    assert new_events(told) == []


def test_rejects_that_were_counted_before_the_list_closed_stay_counted() -> None:
    """A second request for the same import may get here after the first is done."""
    counts = (RejectCount(NO_NAME, 5),)
    counted = fact(ContactList.RejectsCounted, counts=counts)
    told = contacts(CREATED, counted, fact(ContactList.Closed, accepted=0, skipped=5))
    told.count_rejects(counts, at=AT, by=BY)
    told.count_rejects((), at=AT, by=BY)
    assert new_events(told) == []
