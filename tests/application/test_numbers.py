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
from tests.wiring import BY, NOON, Services

PHONE = "+12025550143"
SOON = NOON + timedelta(seconds=5)


def suppress(services: Services, phone: str = PHONE, reason: str | None = None) -> UUID:
    person = SuppressionSource.PERSON
    return services.numbers.suppress(phone, source=person, reason=reason, by=BY)[0]


def register(services: Services, **how: Any) -> list[SuppressionRow]:
    services.settle()
    with services.reading.connection() as conn:
        return list(suppression_board.page(conn, **{"first": 50, **how}).nodes)


def phones_of(services: Services, rows: list[SuppressionRow]) -> list[str | None]:
    return [services.vault.words(row.phone_id) for row in rows if row.phone_id]


# --- The register -----------------------------------------------------------------


def test_a_suppressed_number_is_listed_with_reason_and_member(
    services: Services,
) -> None:
    number_id = suppress(services, reason=" asked by letter ")
    [row] = register(services)
    assert (row.id, row.source) == (number_id, SuppressionSource.PERSON)
    assert (row.added_by, row.added_at, row.call_id) == (BY, NOON, None)
    assert row.reason_id is not None
    assert services.vault.words(row.reason_id) == "asked by letter"
    assert phones_of(services, [row]) == [PHONE]


def test_the_log_does_not_contain_the_number(services: Services) -> None:
    number_id = suppress(services, reason="he said so")
    [stored] = services.app.recorder.select_events(number_id)
    assert b"2025550143" not in stored.state
    assert b"said so" not in stored.state


def test_suppressing_a_number_again_changes_nothing(services: Services) -> None:
    first = suppress(services)
    again, position = services.numbers.suppress(
        PHONE, source=SuppressionSource.API, reason="again", by=BY
    )
    assert (again, position) == (first, None)
    assert services.topics(first) == ["suppressed"]


@pytest.mark.parametrize(
    ("in_browser", "source"),
    [(True, SuppressionSource.PERSON), (False, SuppressionSource.API)],
)
def test_a_member_without_a_browser_suppresses_a_number_by_the_api(
    services: Services,
    in_browser: bool,
    source: SuppressionSource,
) -> None:
    entry = services.numbers.suppress_by_member(
        "(202) 555-0143", region="US", in_browser=in_browser, reason=None, by=BY
    )
    assert (entry.source, entry.originator_id) == (
        source,
        services.numbers.id_of(PHONE),
    )
    again = services.numbers.suppress_by_member(
        PHONE, region="US", in_browser=not in_browser, reason="again", by=BY
    )
    assert again == entry


def test_a_lifted_number_is_no_longer_listed(services: Services) -> None:
    number_id = suppress(services)
    services.numbers.lift(number_id, reason="a mistake", by=BY)
    assert register(services) == []
    assert services.topics(number_id) == ["suppressed", "lifted"]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001])
def test_a_number_is_lifted_with_a_reason_only(services: Services, reason: str) -> None:
    number_id = suppress(services)
    with pytest.raises(Invalid):
        services.numbers.lift(number_id, reason=reason, by=BY)
    assert services.topics(number_id) == ["suppressed"]


def test_a_number_that_was_never_suppressed_cannot_be_lifted(
    services: Services,
) -> None:
    with pytest.raises(NotFound):
        services.numbers.lift(uuid4(), reason="a mistake", by=BY)


def test_a_number_is_lifted_once(services: Services) -> None:
    number_id = suppress(services)
    services.numbers.lift(number_id, reason="a mistake", by=BY)
    with pytest.raises(WrongState):
        services.numbers.lift(number_id, reason="a mistake", by=BY)


def test_the_register_is_listed_newest_first_page_by_page(services: Services) -> None:
    ids = [suppress(services, f"+1202555014{n}") for n in range(5)]
    services.settle()
    with services.reading.connection() as conn:
        first = suppression_board.page(conn, first=3)
        second = suppression_board.page(conn, first=3, after=first.end_cursor)
    assert [row.id for row in (*first.nodes, *second.nodes)] == ids[::-1]
    assert (first.has_next, second.has_next, first.total) == (True, False, 5)


@pytest.mark.parametrize("search", ["+1 (202) 555-0143", "5550143", "0143"])
def test_the_register_is_searched_by_digits(services: Services, search: str) -> None:
    wanted = suppress(services)
    suppress(services, "+12025550199")
    assert [row.id for row in register(services, search=search)] == [wanted]
    assert register(services, search="Dana") == []
    assert len(register(services, search=" ")) == 2


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


def claimed(services: Services, *numbers: str) -> list[UUID]:
    wanted = numbers or (PHONE,)
    return services.claim(services.campaign(wanted), len(wanted))


def test_a_request_names_the_key_of_its_number(services: Services) -> None:
    [call_id] = claimed(services)
    assert services.calls.request(call_id, dial_before=SOON)
    number_key = services.installation_key.of_number(PHONE)
    assert services.load_call(call_id).number_key == number_key


def test_a_suppressed_number_is_not_called_in_any_campaign(services: Services) -> None:
    calls = claimed(services) + claimed(services)
    suppress(services)
    for call_id in calls:
        assert services.calls.request(call_id, dial_before=SOON) is None
        call = services.load_call(call_id)
        assert call.status is CallStatus.CANCELED
        assert call.contact_status is ContactStatus.CANCELED
        assert call.requests == 0


def test_other_numbers_are_still_called(services: Services) -> None:
    [call_id] = claimed(services, "+12025550144")
    suppress(services)
    assert services.calls.request(call_id, dial_before=SOON)


def test_a_lifted_number_is_called_again(services: Services) -> None:
    [call_id] = claimed(services)
    services.numbers.lift(suppress(services), reason="a mistake", by=BY)
    assert services.calls.request(call_id, dial_before=SOON)


def test_a_request_that_never_left_is_not_repeated_to_a_suppressed_number(
    services: Services,
) -> None:
    [call_id] = claimed(services)
    assert services.calls.request(call_id, dial_before=SOON)
    suppress(services)
    assert services.calls.renew_request(call_id, dial_before=SOON) is None
    assert services.load_call(call_id).status is CallStatus.CANCELED


def test_a_call_of_unknown_outcome_keeps_its_slot(services: Services) -> None:
    [call_id] = claimed(services)
    assert services.calls.request(call_id, dial_before=SOON)
    services.calls.lose_outcome(call_id, reason="no clear answer")
    suppress(services)
    assert services.calls.renew_request(call_id, dial_before=SOON) is None
    assert services.load_call(call_id).status is CallStatus.QUEUED


def test_an_opt_out_between_reading_and_storing_prevents_the_request(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Number's version is expected: the request is decided again, and refused."""
    [call_id] = claimed(services)
    append, done = services.app.append, list[bool]()

    def suppress_first(*changed: Any, **how: Any) -> int | None:
        if isinstance(changed[0], Call) and not done:
            done.append(True)
            suppress(services)
        return append(*changed, **how)

    monkeypatch.setattr(services.app, "append", suppress_first)
    assert services.calls.request(call_id, dial_before=SOON) is None
    assert services.topics(call_id) == ["created", "canceled"]


def test_a_request_is_decided_again_up_to_eight_times(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    [call_id] = claimed(services)
    append, tries = services.app.append, list[bool]()

    def move_the_number(*changed: Any, **how: Any) -> int | None:
        if isinstance(changed[0], Call):
            tries.append(True)
            services.numbers.lift(suppress(services), reason="a mistake", by=BY)
        return append(*changed, **how)

    monkeypatch.setattr(services.app, "append", move_the_number)
    assert services.calls.request(call_id, dial_before=SOON) is None
    assert len(tries) == 8
    assert services.topics(call_id) == ["created"]
