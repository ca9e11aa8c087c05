"""Callbacks that a person agrees on during a call, by a tool of the assistant."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.numbers.number import SuppressionSource
from domain.outcomes import Disposition
from tests.application.calls.tool_messages import PHONE, answer, in_a_call, tool_calls
from tests.wiring import BY, Services

TOMORROW = "2026-03-03T15:00"


def wish(call_id: UUID | None, time: str = TOMORROW, **how: Any) -> dict[str, Any]:
    return tool_calls(call_id, "schedule_callback", local_datetime=time, **how)


def test_a_callback_is_confirmed_in_the_persons_time(services: Services) -> None:
    call_id = in_a_call(services)
    [result] = answer(services, wish(call_id))
    assert "Tuesday, 3 March 2026 at 15:00 (America/New_York)" in result
    call = services.load_call(call_id)
    assert call.callback_at == datetime(2026, 3, 3, 20, tzinfo=UTC)
    assert call.disposition is Disposition.CALLBACK_REQUESTED


def test_a_time_that_has_passed_is_answered_with_possible_times(
    services: Services,
) -> None:
    call_id = in_a_call(services)
    [result] = answer(services, wish(call_id, "2026-03-02T06:00"))
    assert result.startswith("Not possible: that time has passed. Possible times: Mon")
    assert services.load_call(call_id).callback_at is None


@pytest.mark.parametrize("time", ["tomorrow", "2026-03-03", "", 15, None, "25:00"])
def test_an_unreadable_time_is_asked_for_again(services: Services, time: Any) -> None:
    call_id = in_a_call(services)
    [result] = answer(services, wish(call_id, time))
    assert "could not be read" in result
    assert services.load_call(call_id).callback_at is None


def test_the_last_callback_of_a_call_counts(services: Services) -> None:
    call_id = in_a_call(services)
    later = wish(call_id, "2026-03-04T10:00", tool_id="call_2")
    answer(services, wish(call_id), later)
    assert services.load_call(call_id).callback_at == datetime(
        2026, 3, 4, 15, tzinfo=UTC
    )


def test_a_repeated_callback_does_not_replace_a_later_one(services: Services) -> None:
    call_id = in_a_call(services)
    later = wish(call_id, "2026-03-04T10:00", tool_id="call_2")
    answer(services, wish(call_id), later, wish(call_id))
    assert services.load_call(call_id).callback_at == datetime(
        2026, 3, 4, 15, tzinfo=UTC
    )


def test_a_person_who_opted_out_gets_no_callback(services: Services) -> None:
    call_id = in_a_call(services)
    _, result = answer(services, tool_calls(call_id), wish(call_id, tool_id="call_2"))
    assert "asked not to be called" in result
    assert services.load_call(call_id).callback_at is None
    assert services.load_call(call_id).disposition is Disposition.OPTED_OUT


def test_a_number_that_a_member_suppressed_gets_no_callback(
    services: Services,
) -> None:
    call_id = in_a_call(services)
    person = SuppressionSource.PERSON
    services.numbers.suppress(PHONE, source=person, reason=None, by=BY)
    [result] = answer(services, wish(call_id))
    assert "asked not to be called" in result
    assert services.load_call(call_id).callback_at is None


def test_an_opt_out_after_a_callback_replaces_it(services: Services) -> None:
    call_id = in_a_call(services)
    answer(services, wish(call_id), tool_calls(call_id, tool_id="call_2"))
    assert services.load_call(call_id).disposition is Disposition.OPTED_OUT


def test_an_unknown_call_gets_no_callback(services: Services) -> None:
    [result] = answer(services, wish(None))
    assert "not possible" in result


def test_a_canceled_campaign_calls_nobody_back(services: Services) -> None:
    call_id = in_a_call(services)
    services.campaigns.cancel(
        services.load_call(call_id).campaign_id, by=BY, hang_up=False
    )
    [result] = answer(services, wish(call_id))
    assert "not possible" in result
    assert services.load_call(call_id).callback_at is None
