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
from tests.wiring import BY, Clock, Services, phones

REASONS = {
    CallOutcome.BUSY: "customer-busy",
    CallOutcome.NO_ANSWER: "customer-did-not-answer",
    CallOutcome.VOICEMAIL: "voicemail",
}


class Crash(Exception):
    """The process is gone."""


def call(services: Services, campaign_id: UUID, outcome: CallOutcome) -> UUID:
    """Call the next contact of the campaign with this outcome; return the contact."""
    [call_id] = services.claim(campaign_id)
    services.calls.request(call_id, dial_before=services.now() + timedelta(seconds=5))
    services.calls.place(
        call_id, provider_call_id=str(call_id), placed_at=services.now()
    )
    body = report(call_id, endedReason=REASONS[outcome], startedAt=None, cost=0.0)
    body["message"]["call"]["id"] = str(call_id)
    record_message(services, body)
    services.settle()
    return services.load_call(call_id).contact_id


@pytest.fixture
def source(services: Services) -> UUID:
    """A campaign of six: two busy, one not answered, one voicemail, two not called."""
    campaign_id = services.campaign(6)
    for outcome in ("BUSY", "NO_ANSWER", "BUSY", "VOICEMAIL"):
        call(services, campaign_id, CallOutcome(outcome))
    return campaign_id


def asked(services: Services, **wanted: Any) -> NewCampaign:
    return replace(services.new_campaign(uuid4(), name="Again"), **wanted)


def redial(
    services: Services, source: UUID, *, new: NewCampaign | None = None, **filters: Any
) -> UUID:
    """Create a redial and return the new campaign."""
    selection = RedialSelection(source, **filters)
    made = services.redials.create_campaign(
        new or asked(services), selection, default_cap=8, by=BY
    )
    services.settle()
    return made.campaign_id


def count(services: Services, source: UUID, **filters: Any) -> int:
    services.settle()
    return services.redials.count(RedialSelection(source, **filters))


def numbers(people: list[ContactRow]) -> list[str]:
    return [person.phone for person in people]


def later(services: Services, **units: float) -> None:
    clock = services.now
    assert isinstance(clock, Clock)
    clock.pass_(**units)


# --- Who is included ------------------------------------------------------------------


def test_a_redial_copies_the_finished_contacts_in_the_order_of_the_file(
    services: Services, source: UUID
) -> None:
    again = redial(services, source)
    copied = contacts(services, again)
    assert numbers(copied) == phones(4)
    assert [person.name for person in copied] == [f"Person {n}" for n in range(1, 5)]
    assert {person.variables["plan"] for person in copied} == {"gold"}
    assert {person.status for person in copied} == {ContactStatus.PENDING}
    assert not problems(services)


def test_a_copied_contact_is_a_contact_of_its_own(
    services: Services, source: UUID
) -> None:
    before = {person.id for person in contacts(services, source)}
    again = redial(services, source)
    assert not before & {person.id for person in contacts(services, again)}


def test_time_zones_and_other_attributes_are_copied(
    services: Services, source: UUID
) -> None:
    person = contacts(services, source)[0]
    attributes = {"time_zone": "America/Chicago", "phone_as_given": "(202) 555"}
    with services.writing.connection() as conn:
        conn.execute(
            "update contact_vault set attributes = %s where contact_id = %s",
            (json.dumps(attributes), person.id),
        )
    again = redial(services, source)
    copied = services.lookups.contact(contacts(services, again)[0].id)
    assert copied is not None
    assert copied.attributes == attributes


def test_extensions_are_copied(services: Services) -> None:
    source = services.campaign(["+12025550140 ext. 5"])
    call(services, source, CallOutcome.BUSY)
    [copied] = contacts(services, redial(services, source))
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
    services: Services, source: UUID, filters: dict[str, Any], chosen: list[int]
) -> None:
    third = contacts(services, source)[2]
    services.contacts.set_disposition(third.id, Disposition.NOT_INTERESTED, None, by=BY)
    assert count(services, source, **filters) == len(chosen)
    again = redial(services, source, **filters)
    assert numbers(contacts(services, again)) == [phones(4)[n] for n in chosen]


def test_contacts_that_still_wait_are_not_copied_until_the_campaign_is_canceled(
    services: Services, source: UUID
) -> None:
    pending = {"statuses": [ContactStatus.PENDING, ContactStatus.CANCELED]}
    assert count(services, source, **pending) == 0
    services.campaigns.cancel(source, hang_up=False, by=BY)
    assert count(services, source, **pending) == 2


def test_erased_withheld_and_opted_out_contacts_are_not_copied(
    services: Services, source: UUID
) -> None:
    people = contacts(services, source)
    erase(services, people[0].phone)
    opted_out = people[1]
    services.contacts.set_disposition(opted_out.id, Disposition.OPTED_OUT, None, by=BY)
    services.planned_calls.withhold(people[4].id, source, Withheld.REMOVED, by=BY)
    services.campaigns.cancel(source, hang_up=False, by=BY)
    left = [people[2].phone, people[3].phone, people[5].phone]
    assert count(services, source) == len(left)
    assert numbers(contacts(services, redial(services, source))) == left


def test_a_redial_of_nobody_is_refused_and_stores_nothing(
    services: Services, source: UUID
) -> None:
    with pytest.raises(Invalid, match="No finished contact"):
        redial(services, source, outcomes=[CallOutcome.HUMAN])
    with services.writing.connection() as conn:
        assert conn.execute("select count(*) from upload").fetchone() == (0,)


def test_a_redial_of_an_unknown_campaign_is_refused(services: Services) -> None:
    with pytest.raises(NotFound):
        redial(services, uuid4())
    with pytest.raises(NotFound):
        count(services, uuid4())


def test_wrong_input_is_refused_before_anything_is_copied(
    services: Services, source: UUID
) -> None:
    with pytest.raises(Invalid):
        redial(services, source, new=asked(services, name=" "))
    with services.writing.connection() as conn:
        assert conn.execute("select count(*) from upload_row").fetchone() == (0,)


# --- Linked both ways -----------------------------------------------------------------


def test_both_campaigns_know_each_other(services: Services, source: UUID) -> None:
    first = redial(services, source, outcomes=[CallOutcome.BUSY])
    second = redial(services, source, outcomes=[CallOutcome.VOICEMAIL])
    assert services.board(first).redial_of == source
    with services.reading.connection() as conn:
        linked = campaign_board.redials_of(conn, source)
    assert [row.id for row in linked] == sorted([first, second])


# --- The same request -----------------------------------------------------------------


def test_the_same_request_id_returns_the_same_campaign(
    services: Services, source: UUID
) -> None:
    request = uuid4()
    new = asked(services, request_id=request, upload_id=redial_list_id(request, uuid4))
    again = redial(services, source, new=new)
    assert again == campaign_id_of_request(request)
    later(services, days=3)
    assert redial(services, source, new=new) == again
    assert len(contacts(services, again)) == 4


def test_equal_input_within_ten_minutes_returns_the_same_campaign(
    services: Services, source: UUID
) -> None:
    again = redial(services, source)
    later(services, minutes=9, seconds=59)
    assert redial(services, source) == again
    later(services, seconds=2)
    assert redial(services, source) != again


def test_other_input_or_another_member_gets_another_campaign(
    services: Services, source: UUID
) -> None:
    busy = [CallOutcome.BUSY]
    again = redial(services, source, outcomes=busy)
    other_name = redial(services, source, new=asked(services, name="X"), outcomes=busy)
    other_filter = redial(services, source, outcomes=[*busy, CallOutcome.VOICEMAIL])
    made = services.redials.create_campaign(
        asked(services),
        RedialSelection(source, outcomes=busy),
        default_cap=8,
        by="bob@example.com",
    )
    assert len({again, other_name, other_filter, made.campaign_id}) == 4


# --- Crashes --------------------------------------------------------------------------


def crashing_at(services: Services, step: int, *, stored: bool) -> Callable[..., Any]:
    append, seen = services.app.append, 0

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
    services: Services,
    source: UUID,
    step: int,
    stored: bool,
    request_id: UUID | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(list_import, "ROWS_PER_EVENT", 1)
    monkeypatch.setattr(list_import, "ROWS_PER_TRANSACTION", 2)
    new = asked(services, request_id=request_id)
    if request_id is not None:
        new = replace(new, upload_id=redial_list_id(request_id, uuid4))
    with monkeypatch.context() as patched:
        patched.setattr(
            services.app, "append", crashing_at(services, step, stored=stored)
        )
        with pytest.raises(Crash):
            redial(services, source, new=new)
    services.settle()
    done = step == 6 and stored
    with services.reading.connection() as conn:
        assert len(campaign_board.redials_of(conn, source)) == int(done)

    call(services, source, CallOutcome.BUSY)  # A contact more is finished now.
    retry = new if request_id else replace(new, upload_id=uuid4())
    again = redial(services, source, new=retry)
    assert numbers(contacts(services, again)) == phones(4)
    with services.reading.connection() as conn:
        assert [row.id for row in campaign_board.redials_of(conn, source)] == [again]
    assert not problems(services)


def test_an_interrupted_redial_is_not_mixed_with_contacts_that_finished_later(
    services: Services, source: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = uuid4()
    new = asked(services, request_id=request, upload_id=redial_list_id(request, uuid4))
    with monkeypatch.context() as patched:
        patched.setattr(services.app, "append", crashing_at(services, 2, stored=True))
        with pytest.raises(Crash):
            redial(services, source, new=new)
    assert services.app.find(ContactList, new.upload_id) is not None
    later(services, days=1, seconds=1)
    services.uploads.remove_expired(services.now())
    with pytest.raises(Conflict, match="another requestId"):
        redial(services, source, new=new)


# --- Erasure --------------------------------------------------------------------------


def test_an_erasure_covers_the_copies(services: Services, source: UUID) -> None:
    again = redial(services, source)
    gone = contacts(services, source)[0].phone
    done = erase(services, gone)
    assert len(done.contacts) == 2
    assert numbers(contacts(services, again)) == ["", *phones(4)[1:]]
    assert gone.encode() not in dumped(services.url)
    assert not problems(services)


def test_a_person_erased_after_the_copy_does_not_enter_the_campaign(
    services: Services, source: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = contacts(services, source)[0].phone
    with monkeypatch.context() as patched:
        patched.setattr(services.app, "append", crashing_at(services, 1, stored=False))
        with pytest.raises(Crash):
            redial(services, source)
    erase(services, gone)
    assert numbers(contacts(services, redial(services, source))) == phones(4)[1:]
    assert gone.encode() not in dumped(services.url)


def test_an_erasure_under_way_while_contacts_are_copied_is_waited_for(
    services: Services, source: UUID
) -> None:
    gone = contacts(services, source)[0]
    empty = "update contact_vault set name = null, phone = null, salt = null"

    def waits() -> bool:
        # A transaction caches its first look at pg_stat_activity, so each look
        # needs its own.
        look = (
            "select from pg_stat_activity where wait_event_type = 'Lock'"
            " and datname = current_database()"
        )
        with services.reading.connection() as looking:
            return looking.execute(look).fetchone() is not None

    with ThreadPoolExecutor(1) as copying, services.writing.connection() as conn:
        with conn.transaction():
            conn.execute(empty + " where contact_id = %s", (gone.id,))
            copied = copying.submit(redial, services, source)
            eventually(waits, what="the copy waits for the erasure")
        again = copied.result()
    assert numbers(contacts(services, again)) == phones(4)[1:]
