"""Callbacks, from the request of the person to the next claim, on Postgres."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.campaigns.campaign_terms import CallingTerms
from domain.contacts.contact_events import FinishReason
from domain.contacts.contact_history import PlanKind
from domain.outcomes import (
    DispositionSource,
)
from projections.contacts.callbacks import CallbackCounts, callback_counts
from tests.application.calls.messages import record_message, status
from tests.application.contacts.campaign_line import BUSY, HUMAN, Line
from tests.wiring import BY, NOON, Services


def ask_for_callback(line: Line, call_id: UUID, due_at: datetime) -> None:
    def command(call: Any, at: datetime) -> None:
        source = DispositionSource.TOOL
        call.request_callback(
            due_at=due_at, time_zone="America/New_York", source=source, at=at, by=BY
        )

    line.services.calls._unit.run(call_id, command)


TOMORROW = NOON + timedelta(days=1)


def test_a_callback_needs_no_policy_and_holds_for_a_call_that_timed_out(
    services: Services,
) -> None:
    line = Line(services, CallingTerms())
    call_id = line.place()
    ask_for_callback(line, call_id, TOMORROW)
    line.services.calls.time_out(call_id, reason="silent")
    plan = line.contact.planned
    assert plan is not None
    assert (plan.kind, plan.due_at) == (PlanKind.CALLBACK, TOMORROW)
    assert line.progress() == {"pending": 1}


def test_a_campaign_waits_for_the_report_of_a_call_with_a_callback(
    services: Services,
) -> None:
    line = Line(services, CallingTerms())
    call_id = line.place()
    ask_for_callback(line, call_id, TOMORROW)
    body = status(call_id, "ended", endedReason="customer-ended-call")
    body["message"]["call"]["id"] = str(call_id)
    record_message(services, body)
    [view] = services.snapshot().campaigns
    assert (view.pending, view.active, view.completable) == (0, 0, False)


def test_the_third_callback_is_not_made(services: Services) -> None:
    line = Line(services, CallingTerms())
    for _ in range(3):
        call_id = line.place()
        ask_for_callback(line, call_id, line.services.now() + timedelta(hours=1))
        line.end(call_id, **HUMAN)
        line.later(hours=1)
    assert line.progress() == {"ended": 1}


def test_callbacks_come_before_retries_and_retries_before_fresh_contacts(
    services: Services,
) -> None:
    line = Line(services, people=3)
    retried, called_back = line.call(**BUSY), line.place()
    ask_for_callback(line, called_back, NOON + timedelta(hours=1))
    line.end(called_back, **HUMAN)
    line.later(hours=1)
    attempts = [
        (one.plan, one.attempt) for one in services.candidates(line.campaign_id)
    ]
    assert attempts == [(PlanKind.CALLBACK, 2), (PlanKind.RETRY, 2), (None, 1)]
    assert (
        services.load_call(retried).contact_id
        != services.load_call(called_back).contact_id
    )


def test_a_callback_is_late_after_15_minutes_and_given_up_after_a_day(
    services: Services,
) -> None:
    line = Line(services, CallingTerms())
    call_id = line.place()
    ask_for_callback(line, call_id, NOON + timedelta(hours=1))
    line.end(call_id, **HUMAN)
    line.later(hours=1, minutes=16)
    [view] = services.snapshot().campaigns
    assert (view.late_callbacks, view.callbacks_later) == (1, 0)
    line.later(days=1)
    [view] = services.snapshot().campaigns
    assert (view.candidates, view.to_review) == ((), (line.contact_id,))
    services.planned_calls.review(line.campaign_id, view.to_review)
    assert line.contact.finished is FinishReason.CALLBACK_MISSED
    assert line.progress() == {"ended": 1}


def test_the_callbacks_of_a_campaign_are_counted_until_it_is_over(
    services: Services,
) -> None:
    line = Line(services, CallingTerms(), people=3)
    for hours in (1, 2, 5):
        call_id = line.place()
        ask_for_callback(line, call_id, NOON + timedelta(hours=hours))
        line.end(call_id, **HUMAN)
    assert counted(line) == CallbackCounts(0, 3, NOON + timedelta(hours=1))
    line.later(hours=2)
    assert counted(line) == CallbackCounts(2, 1, NOON + timedelta(hours=5))
    services.campaigns.cancel(line.campaign_id, hang_up=False, by=BY)
    assert counted(line) == CallbackCounts(0, 0, None)


def counted(line: Line) -> CallbackCounts:
    line.services.settle()
    with line.services.reading.connection() as conn:
        return callback_counts(conn, line.campaign_id, line.services.now())
