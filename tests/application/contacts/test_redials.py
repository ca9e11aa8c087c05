"""A redial: a new campaign from selected finished contacts of another, on Postgres."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.contacts import list_import
from application.contacts.imports import NewCampaign
from application.contacts.redials import (
    RedialSelection,
    redial_list_id,
)
from domain.contacts.contact_list import ContactList
from domain.errors import Conflict, Invalid, NotFound
from domain.outcomes import CallOutcome, Disposition, Withheld
from domain.values import ContactStatus, campaign_id_of_request
from projections.campaigns import campaign_board
from projections.contacts.contact_row import ContactRow
from tests.application.calls.messages import record_message, report
from tests.application.contacts.erasing import contacts, erase, problems
from tests.database_dump import dumped
from tests.support import eventually
from tests.wiring import BY, Clock, House, phones

REASONS = {
    CallOutcome.BUSY: "customer-busy",
    CallOutcome.NO_ANSWER: "customer-did-not-answer",
    CallOutcome.VOICEMAIL: "voicemail",
}


class Crash(Exception):
    """The process is gone."""


def call(house: House, campaign_id: UUID, outcome: CallOutcome) -> UUID:
    """Call the next contact of the campaign with this outcome; return the contact."""
    [call_id] = house.claim(campaign_id)
    house.calls.request(call_id, dial_before=house.now() + timedelta(seconds=5))
    house.calls.place(call_id, provider_call_id=str(call_id), placed_at=house.now())
    body = report(call_id, endedReason=REASONS[outcome], startedAt=None, cost=0.0)
    body["message"]["call"]["id"] = str(call_id)
    record_message(house, body)
    house.settle()
    return house.load_call(call_id).contact_id


@pytest.fixture
def source(house: House) -> UUID:
    """A campaign of six: two busy, one not answered, one voicemail, two not called."""
    campaign_id = house.campaign(6)
    for outcome in ("BUSY", "NO_ANSWER", "BUSY", "VOICEMAIL"):
        call(house, campaign_id, CallOutcome(outcome))
    return campaign_id


def asked(house: House, **wanted: Any) -> NewCampaign:
    return replace(house.new_campaign(uuid4(), name="Again"), **wanted)


def redial(
    house: House, source: UUID, *, new: NewCampaign | None = None, **filters: Any
) -> UUID:
    """Create a redial and return the new campaign."""
    selection = RedialSelection(source, **filters)
    made = house.redials.create_campaign(
        new or asked(house), selection, default_cap=8, by=BY
    )
    house.settle()
    return made.campaign_id


def count(house: House, source: UUID, **filters: Any) -> int:
    house.settle()
    return house.redials.count(RedialSelection(source, **filters))


def numbers(people: list[ContactRow]) -> list[str]:
    return [person.phone for person in people]


def later(house: House, **units: float) -> None:
    clock = house.now
    assert isinstance(clock, Clock)
    clock.pass_(**units)


# --- Who is included ------------------------------------------------------------------


def test_a_redial_copies_the_finished_contacts_in_the_order_of_the_file(
    house: House, source: UUID
) -> None:
    again = redial(house, source)
    copied = contacts(house, again)
    assert numbers(copied) == phones(4)
    assert [person.name for person in copied] == [f"Person {n}" for n in range(1, 5)]
    assert {person.variables["plan"] for person in copied} == {"gold"}
    assert {person.status for person in copied} == {ContactStatus.PENDING}
    assert not problems(house)


def test_a_copied_contact_is_a_contact_of_its_own(house: House, source: UUID) -> None:
    before = {person.id for person in contacts(house, source)}
    again = redial(house, source)
    assert not before & {person.id for person in contacts(house, again)}


def test_time_zones_and_other_attributes_are_copied(house: House, source: UUID) -> None:
    person = contacts(house, source)[0]
    attributes = {"time_zone": "America/Chicago", "phone_as_given": "(202) 555"}
    with house.writing.connection() as conn:
        conn.execute(
            "update contact_vault set attributes = %s where contact_id = %s",
            (json.dumps(attributes), person.id),
        )
    again = redial(house, source)
    copied = house.lookups.contact(contacts(house, again)[0].id)
    assert copied is not None
    assert copied.attributes == attributes


def test_extensions_are_copied(house: House) -> None:
    source = house.campaign(["+12025550140 ext. 5"])
    call(house, source, CallOutcome.BUSY)
    [copied] = contacts(house, redial(house, source))
    assert (copied.phone, copied.extension) == ("+12025550140", "5")


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        ({"outcomes": [CallOutcome.BUSY]}, [0, 2]),
        ({"outcomes": [CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL]}, [1, 3]),
        ({"statuses": [ContactStatus.ENDED]}, [0, 1, 2, 3]),
        ({"dispositions": [Disposition.NOT_INTERESTED]}, [2]),
        (
            {
                "outcomes": [CallOutcome.BUSY],
                "dispositions": [Disposition.NOT_INTERESTED],
            },
            [2],
        ),
    ],
)
def test_all_given_filters_apply_and_the_count_is_the_same(
    house: House, source: UUID, filters: dict[str, Any], chosen: list[int]
) -> None:
    third = contacts(house, source)[2]
    house.contacts.set_disposition(third.id, Disposition.NOT_INTERESTED, None, by=BY)
    assert count(house, source, **filters) == len(chosen)
    again = redial(house, source, **filters)
    assert numbers(contacts(house, again)) == [phones(4)[n] for n in chosen]


def test_contacts_that_still_wait_are_not_copied_until_the_campaign_is_canceled(
    house: House, source: UUID
) -> None:
    pending = {"statuses": [ContactStatus.PENDING, ContactStatus.CANCELED]}
    assert count(house, source, **pending) == 0
    house.campaigns.cancel(source, hang_up=False, by=BY)
    assert count(house, source, **pending) == 2


def test_erased_withheld_and_opted_out_contacts_are_not_copied(
    house: House, source: UUID
) -> None:
    people = contacts(house, source)
    erase(house, people[0].phone)
    opted_out = people[1]
    house.contacts.set_disposition(opted_out.id, Disposition.OPTED_OUT, None, by=BY)
    house.planned_calls.withhold(people[4].id, source, Withheld.REMOVED, by=BY)
    house.campaigns.cancel(source, hang_up=False, by=BY)
    left = [people[2].phone, people[3].phone, people[5].phone]
    assert count(house, source) == len(left)
    assert numbers(contacts(house, redial(house, source))) == left


def test_a_redial_of_nobody_is_refused_and_stores_nothing(
    house: House, source: UUID
) -> None:
    with pytest.raises(Invalid, match="No finished contact"):
        redial(house, source, outcomes=[CallOutcome.HUMAN])
    with house.writing.connection() as conn:
        assert conn.execute("select count(*) from upload").fetchone() == (0,)


def test_a_redial_of_an_unknown_campaign_is_refused(house: House) -> None:
    with pytest.raises(NotFound):
        redial(house, uuid4())
    with pytest.raises(NotFound):
        count(house, uuid4())


def test_wrong_input_is_refused_before_anything_is_copied(
    house: House, source: UUID
) -> None:
    with pytest.raises(Invalid):
        redial(house, source, new=asked(house, name=" "))
    with house.writing.connection() as conn:
        assert conn.execute("select count(*) from upload_row").fetchone() == (0,)


# --- Linked both ways -----------------------------------------------------------------


def test_both_campaigns_know_each_other(house: House, source: UUID) -> None:
    first = redial(house, source, outcomes=[CallOutcome.BUSY])
    second = redial(house, source, outcomes=[CallOutcome.VOICEMAIL])
    assert house.board(first).redial_of == source
    with house.reading.connection() as conn:
        linked = campaign_board.redials_of(conn, source)
    assert [row.id for row in linked] == sorted([first, second])


# --- The same request -----------------------------------------------------------------


def test_the_same_request_id_returns_the_same_campaign(
    house: House, source: UUID
) -> None:
    request = uuid4()
    new = asked(house, request_id=request, upload_id=redial_list_id(request))
    again = redial(house, source, new=new)
    assert again == campaign_id_of_request(request)
    later(house, days=3)
    assert redial(house, source, new=new) == again
    assert len(contacts(house, again)) == 4


def test_equal_input_within_ten_minutes_returns_the_same_campaign(
    house: House, source: UUID
) -> None:
    again = redial(house, source)
    later(house, minutes=9, seconds=59)
    assert redial(house, source) == again
    later(house, seconds=2)
    assert redial(house, source) != again


def test_other_input_or_another_member_gets_another_campaign(
    house: House, source: UUID
) -> None:
    busy = [CallOutcome.BUSY]
    again = redial(house, source, outcomes=busy)
    other_name = redial(house, source, new=asked(house, name="X"), outcomes=busy)
    other_filter = redial(house, source, outcomes=[*busy, CallOutcome.VOICEMAIL])
    made = house.redials.create_campaign(
        asked(house),
        RedialSelection(source, outcomes=busy),
        default_cap=8,
        by="bob@example.com",
    )
    assert len({again, other_name, other_filter, made.campaign_id}) == 4


# --- Crashes --------------------------------------------------------------------------


def crashing_at(house: House, step: int, *, stored: bool) -> Callable[..., Any]:
    append, seen = house.app.append, 0

    def crash(*changed: Any, **rest: Any) -> int | None:
        nonlocal seen
        seen += 1
        if seen == step and not stored:
            raise Crash
        position = append(*changed, **rest)
        if seen == step:
            raise Crash
        return position

    return crash


@pytest.mark.parametrize("request_id", [None, UUID(int=7)])
@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("step", [1, 3, 4, 5, 6])
def test_a_redial_that_crashes_continues_when_it_is_requested_again(  # noqa: PLR0917 - fixtures
    house: House,
    source: UUID,
    step: int,
    stored: bool,
    request_id: UUID | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(list_import, "ROWS_PER_EVENT", 1)
    monkeypatch.setattr(list_import, "ROWS_PER_TRANSACTION", 2)
    new = asked(house, request_id=request_id)
    if request_id is not None:
        new = replace(new, upload_id=redial_list_id(request_id))
    with monkeypatch.context() as patched:
        patched.setattr(house.app, "append", crashing_at(house, step, stored=stored))
        with pytest.raises(Crash):
            redial(house, source, new=new)
    house.settle()
    done = step == 6 and stored
    with house.reading.connection() as conn:
        assert len(campaign_board.redials_of(conn, source)) == int(done)

    call(house, source, CallOutcome.BUSY)  # A contact more is finished now.
    retry = new if request_id else replace(new, upload_id=uuid4())
    again = redial(house, source, new=retry)
    assert numbers(contacts(house, again)) == phones(4)
    with house.reading.connection() as conn:
        assert [row.id for row in campaign_board.redials_of(conn, source)] == [again]
    assert not problems(house)


def test_an_interrupted_redial_is_not_mixed_with_contacts_that_finished_later(
    house: House, source: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = uuid4()
    new = asked(house, request_id=request, upload_id=redial_list_id(request))
    with monkeypatch.context() as patched:
        patched.setattr(house.app, "append", crashing_at(house, 2, stored=True))
        with pytest.raises(Crash):
            redial(house, source, new=new)
    assert house.app.find(ContactList, new.upload_id) is not None
    later(house, days=1, seconds=1)
    house.uploads.remove_expired(house.now())
    with pytest.raises(Conflict, match="another requestId"):
        redial(house, source, new=new)


# --- Erasure --------------------------------------------------------------------------


def test_an_erasure_covers_the_copies(house: House, source: UUID) -> None:
    again = redial(house, source)
    gone = contacts(house, source)[0].phone
    done = erase(house, gone)
    assert len(done.contacts) == 2
    assert numbers(contacts(house, again)) == ["", *phones(4)[1:]]
    assert gone.encode() not in dumped(house.url)
    assert not problems(house)


def test_a_person_erased_after_the_copy_does_not_enter_the_campaign(
    house: House, source: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = contacts(house, source)[0].phone
    with monkeypatch.context() as patched:
        patched.setattr(house.app, "append", crashing_at(house, 1, stored=False))
        with pytest.raises(Crash):
            redial(house, source)
    erase(house, gone)
    assert numbers(contacts(house, redial(house, source))) == phones(4)[1:]
    assert gone.encode() not in dumped(house.url)


def test_an_erasure_under_way_while_contacts_are_copied_is_waited_for(
    house: House, source: UUID
) -> None:
    gone = contacts(house, source)[0]
    empty = "update contact_vault set name = null, phone = null, salt = null"

    def waits() -> bool:
        # A transaction caches its first look at pg_stat_activity, so each look
        # needs its own.
        look = (
            "select from pg_stat_activity where wait_event_type = 'Lock'"
            " and datname = current_database()"
        )
        with house.reading.connection() as looking:
            return looking.execute(look).fetchone() is not None

    with ThreadPoolExecutor(1) as copying, house.writing.connection() as conn:
        with conn.transaction():
            conn.execute(empty + " where contact_id = %s", (gone.id,))
            copied = copying.submit(redial, house, source)
            eventually(waits, said="the copy waits for the erasure")
        again = copied.result()
    assert numbers(contacts(house, again)) == phones(4)[1:]
