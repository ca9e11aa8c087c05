"""At most one voicemail message is left to a contact."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.calls.call import Call
from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy, RetryRule
from domain.outcomes import CallOutcome
from tests.application.contacts.campaign_line import BUSY, HUMAN, Line
from tests.wiring import BY, Services

POLICY = RetryPolicy(
    attempts=4,
    per_day=5,
    min_gap_minutes=1,
    expires_after_days=7,
    rules=(
        RetryRule(
            (
                CallOutcome.VOICEMAIL,
                CallOutcome.BUSY,
                CallOutcome.SILENT,
                CallOutcome.FAULT,
            ),
            3,
            (5,),
        ),
    ),
)
VOICEMAIL = {"endedReason": "voicemail"}
SILENT = {"endedReason": "silence-timed-out"}
NOT_CONNECTED = {
    "endedReason": "twilio-failed-to-connect-call",
    "startedAt": None,
    "cost": 0.0,
}
FAULT = {"endedReason": "pipeline-error-openai-500-server-error"}


@pytest.fixture
def line(services: Services) -> Line:
    return Line(services, CallingTerms(POLICY))


def allowed(services: Services, call_id: UUID) -> list[bool]:
    """Return for each request of a call whether a message was allowed."""
    return [
        event.voicemail_allowed
        for event in services.app.events.get(call_id)
        if isinstance(event, Call.Requested)
    ]


def next_call(line: Line) -> UUID:
    line.later(minutes=10)
    return line.place()


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (VOICEMAIL, False),
        (SILENT, False),  # A machine may have answered without a word.
        (FAULT, False),  # Somebody or something answered.
        (NOT_CONNECTED, True),
        (BUSY, True),
    ],
)
def test_a_call_that_may_have_reached_a_machine_left_the_message(
    line: Line, ended: dict[str, Any], expected: bool
) -> None:
    first = line.call(**ended)
    assert allowed(line.services, first) == [True]
    assert allowed(line.services, next_call(line)) == [expected]


def test_no_later_call_leaves_a_message_once_one_may_have_been_left(line: Line) -> None:
    line.call(**VOICEMAIL)
    second = next_call(line)
    line.end(second, **BUSY)
    assert allowed(line.services, next_call(line)) == [False]


def test_a_late_report_of_a_machine_counts_for_the_next_request(line: Line) -> None:
    first = line.call(**BUSY)
    line.later(minutes=10)
    [second] = line.services.claim(line.campaign_id)
    line.end(first, **VOICEMAIL, artifact={"transcript": "User: After the tone."})
    soon = line.services.now() + timedelta(seconds=5)
    permission = line.services.calls.request(second, dial_before=soon)
    assert permission is not None
    assert not permission.order.voicemail_allowed
    assert allowed(line.services, second) == [False]


def test_a_report_between_reading_and_storing_a_request_is_not_missed(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request expects the version of the earlier call, so it is decided again."""
    services, first = line.services, line.call(**BUSY)
    line.later(minutes=10)
    [second] = services.claim(line.campaign_id)
    append, reported = services.app.append, False

    def report_first(*changed: Any, **how: Any) -> int | None:
        nonlocal reported
        if not reported:
            reported = True
            line.end(first, **VOICEMAIL, artifact={"transcript": "User: The tone."})
        return append(*changed, **how)

    monkeypatch.setattr(services.app, "append", report_first)
    soon = services.now() + timedelta(seconds=5)
    permission = services.calls.request(second, dial_before=soon)
    assert permission is not None
    assert not permission.order.voicemail_allowed


def test_a_request_after_one_without_an_answer_leaves_no_message(
    services: Services,
) -> None:
    """The provider may have acted on the first request of the same call."""
    line = Line(services)
    [call_id] = services.claim(line.campaign_id)
    soon = services.now() + timedelta(seconds=5)
    assert services.calls.request(call_id, dial_before=soon)
    services.calls.lose_outcome(call_id, reason="no answer")
    services.calls.settle_absent(call_id)
    assert services.claim(line.campaign_id) == [call_id]
    permission = services.calls.request(call_id, dial_before=soon)
    assert permission is not None
    assert not permission.order.voicemail_allowed
    assert allowed(services, call_id) == [True, False]


def test_a_call_that_a_member_orders_leaves_no_second_message(
    services: Services,
) -> None:
    line = Line(services, CallingTerms())
    line.call(**VOICEMAIL)
    services.planned_calls.call_again(
        line.contact_id, line.campaign_id, not_before=None, by=BY
    )
    assert allowed(services, line.place()) == [False]


def test_a_contact_that_was_reached_may_get_a_message(services: Services) -> None:
    line = Line(services, CallingTerms())
    line.call(**HUMAN)
    services.planned_calls.call_again(
        line.contact_id, line.campaign_id, not_before=None, by=BY
    )
    assert allowed(services, line.place()) == [True]
