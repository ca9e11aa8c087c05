"""Callbacks from the outputs of a call's analysis, and when they are withdrawn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from application.campaigns.campaigns import CampaignChange
from domain.calls.call import Call
from domain.calls.callbacks import Obstacle
from domain.campaigns.campaign_terms import CallingTerms
from domain.contacts.contact_events import FinishReason
from domain.contacts.contact_history import PlanKind
from domain.outcomes import Disposition, DispositionSource
from tests.application.calls.messages import message, record_message
from tests.application.calls.test_output_rules import OPT_OUT, RULES, disposition
from tests.application.contacts.campaign_line import Line
from tests.application.contacts.test_planned_callbacks import ask_for_callback
from tests.wiring import BY, NOON, Services

OUTPUT, TOOL = DispositionSource.OUTPUT, DispositionSource.TOOL
CALLBACK = CallingTerms(callback_output="callback_at", ends_at=NOON + timedelta(days=9))


def wanted(value: object, **more: Any) -> dict[str, Any]:
    """Return a report of a conversation whose analysis contains a time."""
    output = {"o-1": {"name": "callback_at", "result": value}}
    spoken = [{"role": "user", "message": "Call me tomorrow, please."}]
    return {"artifact": {"structuredOutputs": output, "messages": spoken}, **more}


def ignored(services: Services, call_id: UUID) -> list[Obstacle]:
    return [
        event.obstacle
        for event in services.app.events.get(call_id)
        if isinstance(event, Call.CallbackIgnored)
    ]


@pytest.mark.parametrize(
    ("value", "due_at"),
    [
        # The contacts' area code, 202, is Washington: UTC-5 in winter.
        ("2026-03-03T15:00", datetime(2026, 3, 3, 20, tzinfo=UTC)),
        ("2026-03-03 15:00:00", datetime(2026, 3, 3, 20, tzinfo=UTC)),
        ("2026-03-03T15:00:00+01:00", datetime(2026, 3, 3, 14, tzinfo=UTC)),
    ],
)
def test_an_output_with_a_time_plans_a_callback_with_the_report(
    services: Services, value: str, due_at: datetime
) -> None:
    line = Line(services, CALLBACK)
    call_id = line.call(**wanted(value))
    call = services.load_call(call_id)
    assert (call.callback_at, call.callback_source) == (due_at, OUTPUT)
    assert call.disposition is Disposition.CALLBACK_REQUESTED
    plan = line.contact.planned
    assert plan is not None
    assert (plan.kind, plan.due_at, plan.attempt) == (PlanKind.CALLBACK, due_at, 2)
    assert line.progress() == {"pending": 1}


@pytest.mark.parametrize(
    ("value", "obstacle"),
    [
        ("2026-03-02T06:00", Obstacle.PAST),
        ("2026-03-12T06:00", Obstacle.AFTER_END),
        ("2026-03-08T02:30", Obstacle.NO_SUCH_TIME),
        ("0001-01-01T00:00", Obstacle.UNREADABLE),
        ("9999-12-31T23:59", Obstacle.UNREADABLE),
        ("2026-03-03", Obstacle.UNREADABLE),
        ("tomorrow at three", Obstacle.UNREADABLE),
        (["2026-03-03T15:00"], Obstacle.UNREADABLE),
        (1_772_550_000, Obstacle.UNREADABLE),
    ],
)
def test_a_time_that_is_not_possible_plans_nothing_and_leaves_a_trace(
    services: Services, value: object, obstacle: Obstacle
) -> None:
    line = Line(services, CALLBACK)
    call_id = line.call(**wanted(value))
    assert ignored(services, call_id) == [obstacle]
    call = services.load_call(call_id)
    assert (call.callback_at, call.disposition) == (None, None)
    assert line.progress() == {"ended": 1}


@pytest.mark.parametrize("value", [None, ""])
def test_an_output_without_a_value_asks_for_no_callback(
    services: Services, value: object
) -> None:
    line = Line(services, CALLBACK)
    call_id = line.call(**wanted(value))
    assert ignored(services, call_id) == []
    assert line.progress() == {"ended": 1}


def test_an_opt_out_in_the_same_report_prevents_the_callback(
    services: Services,
) -> None:
    line = Line(services, replace(CALLBACK, output_rules=RULES))
    call_id = line.call(**wanted("2026-03-03T15:00", **OPT_OUT))
    assert disposition(services, call_id) is Disposition.OPTED_OUT
    assert line.progress() == {"ended": 1}


def test_a_time_that_a_tool_agreed_is_not_replaced_by_an_output(
    services: Services,
) -> None:
    line = Line(services, CALLBACK)
    call_id = line.place()
    function = {
        "name": "schedule_callback",
        "arguments": {"local_datetime": "2026-03-04T09:00"},
    }
    listed = [{"id": "call_1", "type": "function", "function": function}]
    body = message(call_id, "tool-calls", toolCallList=listed)
    body["message"]["call"]["id"] = str(call_id)
    record_message(services, body)
    line.end(call_id, **wanted("2026-03-03T15:00"))
    agreed = datetime(2026, 3, 4, 14, tzinfo=UTC)
    call = services.load_call(call_id)
    assert (call.callback_at, call.callback_source) == (agreed, TOOL)
    plan = line.contact.planned
    assert plan is not None
    assert plan.due_at == agreed
    assert ignored(services, call_id) == []


def test_a_report_after_the_decision_changes_no_callback(services: Services) -> None:
    line = Line(services, CALLBACK)
    call_id = line.call(artifact={})
    assert line.progress() == {"ended": 1}
    better = {"analysis": {"summary": "Call back."}, "cost": 0.5}
    line.end(call_id, **wanted("2026-03-03T15:00", **better))
    assert ignored(services, call_id) == [Obstacle.TOO_LATE]
    assert line.progress() == {"ended": 1}


def test_a_repeated_report_keeps_the_callback_after_its_time(
    services: Services,
) -> None:
    line = Line(services, CALLBACK)
    poor = wanted("2026-03-03T15:00")
    del poor["artifact"]["messages"]
    call_id = line.call(**poor)
    line.later(days=2)
    better = {"analysis": {"summary": "Call back."}, "cost": 0.5}
    line.end(call_id, **wanted("2026-03-03T15:00", **better))
    assert disposition(services, call_id) is Disposition.CALLBACK_REQUESTED
    assert ignored(services, call_id) == []


# --- The present end, and reports that no longer ask ----------------------------------

POOR: dict[str, Any] = {"artifact": {"messages": []}, "cost": None, "endedReason": None}
BETTER: dict[str, Any] = {"analysis": {"summary": "A talk."}, "cost": 0.5}


def end_campaign_after(line: Line, days: int) -> None:
    change = CampaignChange(terms={"ends_at": NOON + timedelta(days=days)})
    line.services.campaigns.change(line.campaign_id, change, by=BY)


def test_an_output_names_a_time_before_an_end_that_was_put_off(
    services: Services,
) -> None:
    line = Line(services, CALLBACK)
    call_id = line.place()
    end_campaign_after(line, 20)
    line.end(call_id, **wanted("2026-03-12T15:00"))
    assert ignored(services, call_id) == []
    plan = line.contact.planned
    assert plan is not None
    assert plan.due_at == datetime(2026, 3, 12, 19, tzinfo=UTC)


def test_an_output_names_a_time_after_an_end_that_was_moved_forward(
    services: Services,
) -> None:
    line = Line(services, CALLBACK)
    call_id = line.place()
    end_campaign_after(line, 1)
    line.end(call_id, **wanted("2026-03-05T15:00"))
    assert ignored(services, call_id) == [Obstacle.AFTER_END]
    assert line.progress() == {"ended": 1}


def test_a_better_report_without_the_output_withdraws_the_planned_callback(
    services: Services,
) -> None:
    line = Line(services, CALLBACK)
    poor = wanted("2026-03-03T15:00")
    del poor["artifact"]["messages"]
    call_id = line.call(**poor)
    assert line.progress() == {"pending": 1}
    line.end(call_id, **wanted(None, **BETTER))
    call = services.load_call(call_id)
    assert (call.callback_at, call.callback_source, call.disposition) == (None,) * 3
    assert line.contact.finished is FinishReason.CALLBACK_WITHDRAWN
    assert line.progress() == {"ended": 1}


def test_a_claimed_callback_is_taken_back_by_a_report_that_asks_for_none(
    services: Services,
) -> None:
    line = Line(services, CALLBACK)
    poor = wanted("2026-03-03T15:00")
    del poor["artifact"]["messages"]
    first = line.call(**poor)
    line.later(days=2)
    [second] = services.claim(line.campaign_id)
    line.end(first, **wanted(None, **BETTER))
    assert services.topics(second) == ["created", "canceled"]
    assert line.contact.finished is FinishReason.CALLBACK_WITHDRAWN
    assert line.progress() == {"canceled": 1}


def test_a_callback_that_was_requested_goes_on_without_the_output(
    services: Services,
) -> None:
    line = Line(services, CALLBACK)
    poor = wanted("2026-03-03T15:00")
    del poor["artifact"]["messages"]
    first = line.call(**poor)
    line.later(days=2)
    second = line.place()
    line.end(first, **wanted(None, **BETTER))
    assert line.progress() == {"queued": 1}
    line.end(second, **wanted("2026-03-06T15:00"))
    assert line.progress() == {"pending": 1}


def test_reports_in_any_order_leave_the_callback_of_the_richest(
    services: Services,
) -> None:
    """No report is final until the last one, so nothing is decided before."""
    asks = wanted("2026-03-03T15:00") | {"cost": None, "endedReason": None}
    del asks["artifact"]["messages"]
    rich = wanted("2026-03-04T15:00", **BETTER) | {"cost": None, "endedReason": None}
    none = wanted(None, **BETTER) | {"cost": None, "endedReason": None}
    for richest, expected in (
        (rich, datetime(2026, 3, 4, 20, tzinfo=UTC)),
        (none, None),
    ):
        for order in permutations([asks, richest, POOR]):
            line = Line(services, CALLBACK)
            call_id = line.place()
            for fields in order:
                line.end(call_id, **fields)
            assert services.load_call(call_id).callback_at == expected


def test_a_callback_that_a_tool_agreed_stays_without_an_output(
    services: Services,
) -> None:
    line = Line(services, CALLBACK)
    call_id = line.place()
    agreed = NOON + timedelta(days=1)
    ask_for_callback(line, call_id, agreed)
    line.end(call_id, **wanted(None, **BETTER))
    plan = line.contact.planned
    assert plan is not None
    assert (plan.kind, plan.due_at) == (PlanKind.CALLBACK, agreed)
