"""The register of suppressed numbers, and the fence before each request."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.numbers import read_number
from domain.calls.call import Call
from domain.errors import Invalid, NotFound, WrongState
from domain.numbers.number import SuppressionSource
from domain.values import CallStatus, ContactStatus
from projections.registers import suppression_board
from projections.registers.suppression_board import SuppressionRow
from tests.wiring import BY, NOON, House

PHONE = "+12025550143"
SOON = NOON + timedelta(seconds=5)


def suppress(house: House, phone: str = PHONE, reason: str | None = None) -> UUID:
    person = SuppressionSource.PERSON
    return house.numbers.suppress(phone, source=person, reason=reason, by=BY)[0]


def register(house: House, **how: Any) -> list[SuppressionRow]:
    house.settle()
    with house.reading.connection() as conn:
        return list(suppression_board.page(conn, **{"first": 50, **how}).nodes)


def phones_of(house: House, rows: list[SuppressionRow]) -> list[str | None]:
    return [house.vault.words(row.phone_id) for row in rows if row.phone_id]


# --- The register -----------------------------------------------------------------


def test_a_suppressed_number_is_listed_with_reason_and_member(house: House) -> None:
    number_id = suppress(house, reason=" asked by letter ")
    [row] = register(house)
    assert (row.id, row.source) == (number_id, SuppressionSource.PERSON)
    assert (row.added_by, row.added_at, row.call_id) == (BY, NOON, None)
    assert row.reason_id is not None
    assert house.vault.words(row.reason_id) == "asked by letter"
    assert phones_of(house, [row]) == [PHONE]


def test_the_log_does_not_contain_the_number(house: House) -> None:
    number_id = suppress(house, reason="he said so")
    [stored] = house.app.recorder.select_events(number_id)
    assert b"2025550143" not in stored.state
    assert b"said so" not in stored.state


def test_suppressing_a_number_again_changes_nothing(house: House) -> None:
    first = suppress(house)
    again, position = house.numbers.suppress(
        PHONE, source=SuppressionSource.API, reason="again", by=BY
    )
    assert (again, position) == (first, None)
    assert house.topics(first) == ["suppressed"]


def test_a_lifted_number_is_no_longer_listed(house: House) -> None:
    number_id = suppress(house)
    house.numbers.lift(number_id, reason="a mistake", by=BY)
    assert register(house) == []
    assert house.topics(number_id) == ["suppressed", "lifted"]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001])
def test_a_number_is_lifted_with_a_reason_only(house: House, reason: str) -> None:
    number_id = suppress(house)
    with pytest.raises(Invalid):
        house.numbers.lift(number_id, reason=reason, by=BY)
    assert house.topics(number_id) == ["suppressed"]


def test_a_number_that_was_never_suppressed_cannot_be_lifted(house: House) -> None:
    with pytest.raises(NotFound):
        house.numbers.lift(uuid4(), reason="a mistake", by=BY)


def test_a_number_is_lifted_once(house: House) -> None:
    number_id = suppress(house)
    house.numbers.lift(number_id, reason="a mistake", by=BY)
    with pytest.raises(WrongState):
        house.numbers.lift(number_id, reason="a mistake", by=BY)


def test_the_register_is_listed_newest_first_page_by_page(house: House) -> None:
    ids = [suppress(house, f"+1202555014{n}") for n in range(5)]
    house.settle()
    with house.reading.connection() as conn:
        first = suppression_board.page(conn, first=3)
        second = suppression_board.page(conn, first=3, after=first.end_cursor)
    assert [row.id for row in (*first.nodes, *second.nodes)] == ids[::-1]
    assert (first.has_next, second.has_next, first.total) == (True, False, 5)


@pytest.mark.parametrize("search", ["+1 (202) 555-0143", "5550143", "0143"])
def test_the_register_is_searched_by_digits(house: House, search: str) -> None:
    wanted = suppress(house)
    suppress(house, "+12025550199")
    assert [row.id for row in register(house, search=search)] == [wanted]
    assert register(house, search="Dana") == []
    assert len(register(house, search=" ")) == 2


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("(202) 555-0143", "US", "+12025550143"),
        ("+44 20 7946 0018", "US", "+442079460018"),
        ("0900 1234567", "DE", "+499001234567"),
    ],
)
def test_a_number_is_read_as_a_member_writes_it(
    written: str, region: str, number: str
) -> None:
    assert read_number(written, region) == number


@pytest.mark.parametrize("written", ["", "123", "do not call", "+1 202 555 01"])
def test_an_invalid_number_is_refused(written: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_number(written, "US")
    assert refusal.value.fields.keys() == {"phone"}


# --- The fence ----------------------------------------------------------------------


def claimed(house: House, *numbers: str) -> list[UUID]:
    wanted = numbers or (PHONE,)
    return house.claim(house.campaign(wanted), len(wanted))


def test_a_request_names_the_key_of_its_number(house: House) -> None:
    [call_id] = claimed(house)
    assert house.calls.request(call_id, dial_before=SOON)
    number_key = house.installation_key.of_number(PHONE)
    assert house.load_call(call_id).number_key == number_key


def test_a_suppressed_number_is_not_called_in_any_campaign(house: House) -> None:
    calls = claimed(house) + claimed(house)
    suppress(house)
    for call_id in calls:
        assert house.calls.request(call_id, dial_before=SOON) is None
        call = house.load_call(call_id)
        assert call.status is CallStatus.CANCELED
        assert call.standing is ContactStatus.CANCELED
        assert call.requests == 0


def test_other_numbers_are_still_called(house: House) -> None:
    [call_id] = claimed(house, "+12025550144")
    suppress(house)
    assert house.calls.request(call_id, dial_before=SOON)


def test_a_lifted_number_is_called_again(house: House) -> None:
    [call_id] = claimed(house)
    house.numbers.lift(suppress(house), reason="a mistake", by=BY)
    assert house.calls.request(call_id, dial_before=SOON)


def test_a_request_that_never_left_is_not_repeated_to_a_suppressed_number(
    house: House,
) -> None:
    [call_id] = claimed(house)
    assert house.calls.request(call_id, dial_before=SOON)
    suppress(house)
    assert house.calls.renew_request(call_id, dial_before=SOON) is None
    assert house.load_call(call_id).status is CallStatus.CANCELED


def test_a_call_of_unknown_outcome_keeps_its_slot(house: House) -> None:
    [call_id] = claimed(house)
    assert house.calls.request(call_id, dial_before=SOON)
    house.calls.lose_outcome(call_id, reason="no clear answer")
    suppress(house)
    assert house.calls.renew_request(call_id, dial_before=SOON) is None
    assert house.load_call(call_id).status is CallStatus.QUEUED


def test_an_opt_out_between_reading_and_storing_prevents_the_request(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Number's version is expected: the request is decided again, and refused."""
    [call_id] = claimed(house)
    append, done = house.app.append, list[bool]()

    def suppress_first(*changed: Any, **how: Any) -> int | None:
        if isinstance(changed[0], Call) and not done:
            done.append(True)
            suppress(house)
        return append(*changed, **how)

    monkeypatch.setattr(house.app, "append", suppress_first)
    assert house.calls.request(call_id, dial_before=SOON) is None
    assert house.topics(call_id) == ["created", "canceled"]


def test_a_request_is_decided_again_up_to_eight_times(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    [call_id] = claimed(house)
    append, tries = house.app.append, list[bool]()

    def move_the_number(*changed: Any, **how: Any) -> int | None:
        if isinstance(changed[0], Call):
            tries.append(True)
            house.numbers.lift(suppress(house), reason="a mistake", by=BY)
        return append(*changed, **how)

    monkeypatch.setattr(house.app, "append", move_the_number)
    assert house.calls.request(call_id, dial_before=SOON) is None
    assert len(tries) == 8
    assert house.topics(call_id) == ["created"]
