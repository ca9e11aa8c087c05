"""Opt-outs by a tool: stored before the answer, whatever is repeated."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.contacts.erasure import ErasureService
from application.errors import StoreUnavailable
from application.installation_key import KeyUnusable
from domain.calls.call import Call
from domain.calls.unmatched_message import unmatched_id_of
from domain.numbers.number import number_id_of
from domain.outcomes import Disposition, DispositionSource
from domain.values import CallStatus
from projections.registers import suppression_board
from projections.registers.suppression_board import SuppressionRow
from provider.vapi.messages.reading import read_message
from storage.database import connect
from tests.application.calls.messages import (
    PROVIDER_ID,
    SOON,
    place,
    report,
    requested,
    status,
)
from tests.application.calls.tool_messages import (
    PHONE,
    answer,
    in_a_call,
    tool_calls,
)
from tests.wiring import BY, Services


def is_suppressed(services: Services, phone: str = PHONE) -> bool:
    return entry(services, phone) is not None


def entry(services: Services, phone: str = PHONE) -> SuppressionRow | None:
    services.settle()
    with services.reading.connection() as conn:
        return suppression_board.get(conn, services.numbers.id_of(phone))


def may_be_called(services: Services, phone: str = PHONE) -> bool:
    [call_id] = services.claim(services.campaign([phone]), 1)
    return services.calls.request(call_id, dial_before=SOON) is not None


# --- Opt-outs -------------------------------------------------------------------------


def test_an_opt_out_is_acknowledged_and_holds_in_every_campaign(
    services: Services,
) -> None:
    call_id = in_a_call(services)
    [result] = answer(services, tool_calls(call_id, quote="stop calling me"))
    assert result.startswith("Recorded")
    call = services.load_call(call_id)
    assert call.disposition is Disposition.OPTED_OUT
    assert call.disposition_source is DispositionSource.TOOL
    assert not may_be_called(services)


def test_two_opt_outs_in_one_message_are_both_acknowledged(services: Services) -> None:
    call_id = in_a_call(services)
    body = tool_calls(call_id)
    [one] = body["message"]["toolCallList"]
    body["message"]["toolCallList"] = [one, one | {"id": "call_2"}]
    assert len(answer(services, body)) == 2
    assert services.topics(number_id(services)) == ["requested", "suppressed"]


def test_the_register_names_the_call_and_what_the_person_said(
    services: Services,
) -> None:
    call_id = in_a_call(services)
    answer(services, tool_calls(call_id, quote="stop calling me"))
    row = entry(services)
    assert row is not None
    assert (row.call_id, row.added_by) == (call_id, services.provider.actor)
    assert services.vault.words(row.phone_id or uuid4()) == PHONE
    assert services.vault.words(row.reason_id or uuid4()) == "stop calling me"


def test_message_number_and_disposition_are_stored_in_one_append(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = in_a_call(services)
    before = services.topics(call_id)

    def fail(*_: Any, **__: Any) -> int:
        raise StoreUnavailable("the connection was lost")

    monkeypatch.setattr(services.app.recorder, "insert_events", fail)
    with pytest.raises(StoreUnavailable):
        answer(services, tool_calls(call_id))
    monkeypatch.undo()
    assert services.topics(call_id) == before
    assert not is_suppressed(services)
    answer(services, tool_calls(call_id))
    new = services.topics(call_id)[len(before) :]
    assert new == ["message_received", "disposition_set"]
    first = services.app.recorder.select_notifications(None, 1000)
    topics = [one.topic for one in first][-3:]
    assert sorted(topics) == [
        "call.disposition_set",
        "call.message_received",
        "number.suppressed",
    ]


def test_a_repeated_opt_out_is_answered_again_and_stored_once(
    services: Services,
) -> None:
    call_id = in_a_call(services)
    first, again = answer(services, *[tool_calls(call_id)] * 2)
    assert again == first
    assert services.topics(number_id(services)) == ["requested", "suppressed"]
    assert services.topics(call_id).count("message_received") == 1


def number_id(services: Services) -> UUID:
    return services.numbers.id_of(PHONE)


def test_a_repeated_message_does_not_undo_a_lift(services: Services) -> None:
    call_id = in_a_call(services)
    answer(services, tool_calls(call_id))
    services.numbers.lift(number_id(services), reason="a mistake", by=BY)
    answer(services, tool_calls(call_id))
    assert not is_suppressed(services)
    answer(services, tool_calls(call_id, tool_id="call_again"))
    assert is_suppressed(services)


def test_an_opt_out_that_arrives_after_the_report_still_counts(
    services: Services,
) -> None:
    call_id = in_a_call(services)
    answer(services, status(call_id, "ended"), report(call_id))
    answer(services, tool_calls(call_id))
    assert services.load_call(call_id).status is CallStatus.ENDED
    assert services.load_call(call_id).disposition is Disposition.OPTED_OUT
    assert not may_be_called(services)


def test_an_opt_out_before_the_answer_of_the_request_counts(services: Services) -> None:
    call_id = requested(services)
    answer(services, tool_calls(call_id))
    assert services.load_call(call_id).provider_call_id == PROVIDER_ID
    assert is_suppressed(services)


def test_the_number_is_the_requested_one_whatever_the_message_says(
    services: Services,
) -> None:
    call_id = in_a_call(services)
    answer(services, tool_calls(call_id, phone="+12025559999"))
    assert is_suppressed(services)
    assert not is_suppressed(services, "+12025559999")


def test_a_message_without_a_number_suffices_for_a_known_call(
    services: Services,
) -> None:
    call_id = in_a_call(services)
    answer(services, tool_calls(call_id, phone=None))
    row = entry(services)
    assert row is not None
    assert services.vault.words(row.phone_id or uuid4()) == PHONE


def test_an_opt_out_in_an_unknown_call_suppresses_the_messages_number(
    services: Services,
) -> None:
    """For example in a call that the person made to a line of the account."""
    [result] = answer(services, tool_calls(None, phone="+12025550177"))
    assert result.startswith("Recorded")
    row = entry(services, "+12025550177")
    assert row is not None
    assert row.call_id is None
    assert not may_be_called(services, "+12025550177")


def test_a_call_that_becomes_known_later_gets_the_opt_out(services: Services) -> None:
    """Its webhook arrived without our id, before the answer to the request."""
    call_id = requested(services)
    answer(services, tool_calls(None))
    assert services.load_call(call_id).disposition is None
    place(services, call_id)
    assert services.load_call(call_id).disposition is Disposition.OPTED_OUT
    assert services.topics(number_id(services)) == ["requested", "suppressed"]


def test_an_opt_out_of_an_unknown_call_without_a_number_is_not_acknowledged(
    services: Services,
) -> None:
    [result] = answer(services, tool_calls(None, phone=None))
    assert result.startswith("Not recorded")
    assert services.topics(unmatched_id_of(PROVIDER_ID)) == ["created", "received"]


def test_an_opt_out_names_another_provider_call_and_still_counts(
    services: Services,
) -> None:
    """The message may be forged or about a duplicate; the number is suppressed."""
    call_id = in_a_call(services)
    body = tool_calls(call_id)
    body["message"]["call"]["id"] = "another"
    [result] = answer(services, body)
    assert result.startswith("Recorded")
    assert is_suppressed(services)
    assert "duplicate_suspected" in services.topics(call_id)


def test_without_the_key_an_opt_out_of_an_unknown_call_is_not_acknowledged(
    services: Services,
) -> None:
    services.installation_key.prepare()
    with connect(services.url, name="test") as conn:
        conn.execute("delete from key_vault")
    with pytest.raises(KeyUnusable):
        answer(replace(services), tool_calls(None))
    assert services.topics(unmatched_id_of(PROVIDER_ID)) == []


def test_an_opt_out_between_reading_and_storing_a_request_wins(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    talking = in_a_call(services)
    [other] = services.claim(services.campaign([PHONE]), 1)
    append, done = services.app.append, list[bool]()

    def opt_out_first(*changed: Any, **how: Any) -> int | None:
        is_request = isinstance(changed[0], Call) and changed[0].id == other
        if is_request and not done:
            done.append(True)
            answer(services, tool_calls(talking))
        return append(*changed, **how)

    monkeypatch.setattr(services.app, "append", opt_out_first)
    assert services.calls.request(other, dial_before=SOON) is None
    assert services.load_call(other).status is CallStatus.CANCELED


def test_an_erased_person_who_opts_out_is_suppressed_without_a_trace_of_the_number(
    services: Services,
) -> None:
    call_id = in_a_call(services)
    ErasureService(services.app, services.context, services.erasure).erase(PHONE, by=BY)
    answer(services, tool_calls(call_id, quote=f"never call {PHONE}"))
    row = entry(services)
    assert row is not None
    assert (
        services.vault.words_of([i for i in (row.phone_id, row.reason_id) if i]) == {}
    )
    assert not may_be_called(services)


def test_an_erasure_keeps_the_number_suppressed(services: Services) -> None:
    call_id = in_a_call(services)
    answer(services, tool_calls(call_id))
    ErasureService(services.app, services.context, services.erasure).erase(PHONE, by=BY)
    row = entry(services)
    assert row is not None
    assert (
        services.vault.words_of([i for i in (row.phone_id, row.reason_id) if i]) == {}
    )
    assert not may_be_called(services)


# --- Other tools ----------------------------------------------------------------------


def test_an_unknown_tool_gets_a_polite_result(services: Services) -> None:
    call_id = in_a_call(services)
    [result] = answer(services, tool_calls(call_id, "getWeather"))
    assert "not available" in result
    assert "message_received" in services.topics(call_id)


def test_each_tool_call_of_a_message_is_answered_by_its_id(services: Services) -> None:
    call_id = in_a_call(services)
    body = tool_calls(call_id)
    other = {"id": "call_2", "function": {"name": "getWeather", "arguments": "{}"}}
    body["message"]["toolCallList"] = [*body["message"]["toolCallList"], other]
    receipt = services.calls.record_message(read_message(body))
    assert [one.tool_call_id for one in receipt.answers] == ["call_51kj", "call_2"]
    assert is_suppressed(services)


def test_tool_calls_are_not_recorded_in_batches(services: Services) -> None:
    """Their decisions need a unit of work of their own."""
    call_id = in_a_call(services)
    before = services.topics(call_id)
    with pytest.raises(Exception, match="one by one"):
        services.calls.record_messages([read_message(tool_calls(call_id))])
    assert services.topics(call_id) == before


def test_the_stream_of_a_number_is_found_by_the_requests_key(
    services: Services,
) -> None:
    call_id = in_a_call(services)
    key = services.load_call(call_id).number_key
    assert key is not None
    assert number_id_of(key) == number_id(services)
