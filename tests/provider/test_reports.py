"""Reading of reports, with each value in every place and form."""

import json
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls.reports import ReasonDetail
from provider.vapi.messages.reading import read_message
from provider.vapi.messages.reports import read_report

TIMES = {
    "startedAt": "2026-09-14T15:02:20.350Z",
    "endedAt": "2026-09-14T15:03:04.905Z",
}
NONSENSE: list[Any] = [None, "", "soon", "NaN", "Infinity", "-1", -1, True, [], {}]
NONSENSE += [1e300, "1e400", 10**40, "9" * 300]


def report_of(call: dict[str, Any] | None = None, **own: Any) -> Any:
    """Read a report after its redaction, as in production."""
    message = {"type": "end-of-call-report", "call": {"id": "c-1", **(call or {})}}
    return read_message({"message": {**message, **own}})


# --- Cost -----------------------------------------------------------------------------

BREAKDOWN = {"transport": 0.01, "llm": "0.02", "total": 0.0616}


@pytest.mark.parametrize(
    ("sent", "cost"),
    [
        ({"cost": 0.1}, "0.1"),
        ({"cost": "0.1"}, "0.1"),
        ({"cost": " 0.10 "}, "0.1"),
        ({"cost": 0}, "0"),
        ({"cost": 0, "costBreakdown": BREAKDOWN}, "0"),
        ({"costBreakdown": BREAKDOWN}, "0.0616"),
        ({"cost": None, "costBreakdown": {"total": "0.0616"}}, "0.0616"),
        ({"cost": "NaN", "costBreakdown": BREAKDOWN}, "0.0616"),
        ({"costs": [{"cost": 0.1}, {"cost": "0.2"}]}, "0.3"),
        ({"costBreakdown": {"total": None}, "costs": [{"cost": 0.5}, None]}, "0.5"),
        ({"costs": [{"cost": None}, {"cost": 0.2}]}, "0.2"),
        ({"costs": [{"cost": 0}]}, "0"),
    ],
)
def test_a_cost_is_read_from_the_first_place_that_names_one(
    sent: dict[str, Any], cost: str
) -> None:
    assert report_of(**sent).report.cost == Decimal(cost)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"costs": []},
        {"costs": None},
        {"costs": [{"type": "vapi"}, {"cost": None}]},
        {"costBreakdown": {}},
        {"costBreakdown": {"total": None}},
        {"costs": [{"cost": 999_999}, {"cost": 999_999}]},
        *({"cost": value} for value in NONSENSE),
    ],
    ids=str,
)
def test_a_missing_cost_is_not_zero(sent: dict[str, Any]) -> None:
    assert report_of(**sent).report.cost is None


def test_the_cost_of_the_call_inside_a_report_is_never_read() -> None:
    stale = {"cost": 0, "costBreakdown": {"total": 0}, "costs": [{"cost": 0}]}
    assert report_of(call=stale).report.cost is None


# --- Reason and duration --------------------------------------------------------------


def test_a_reason_is_read_from_the_call_where_the_report_has_none() -> None:
    call = {"endedReason": "customer-ended-call"}
    assert report_of(call).report.ended_reason == "customer-ended-call"
    named = report_of(call, endedReason="voicemail").report
    assert named.ended_reason == "voicemail"


def test_a_status_message_may_name_the_reason_in_its_call() -> None:
    call = {"id": "c-1", "endedReason": "voicemail"}
    body = {"type": "status-update", "status": "ended", "call": call}
    assert read_message({"message": body}).ended_reason == "voicemail"


@pytest.mark.parametrize(
    ("reason", "detail"),
    [
        ("call.in-progress.twilio-completed-call", ReasonDetail.GENERIC),
        ("call.in-progress.sip-completed-call", ReasonDetail.GENERIC),
        ("vonage-completed", ReasonDetail.GENERIC),
        ("vonage-disconnected", ReasonDetail.GENERIC),
        ("phone-call-provider-closed-websocket", ReasonDetail.GENERIC),
        ("unknown-error", ReasonDetail.GENERIC),
        ("customer-ended-call", ReasonDetail.SPECIFIC),
        ("customer-did-not-answer", ReasonDetail.SPECIFIC),
        ("call.start.error-get-transport", ReasonDetail.SPECIFIC),
        ("something-new-of-next-year", ReasonDetail.SPECIFIC),
    ],
)
def test_a_reason_that_only_names_a_closed_connection_is_generic(
    reason: str, detail: ReasonDetail
) -> None:
    assert report_of(endedReason=reason).report.reason_detail is detail


@pytest.mark.parametrize(
    ("reason", "is_unanswered"),
    [
        ("customer-did-not-answer", True),
        ("customer-busy", True),
        ("twilio-failed-to-connect-call", True),
        ("call.start.error-get-transport", True),
        ("customer-ended-call", False),
        ("voicemail", False),
        ("call.in-progress.twilio-completed-call", False),
        (None, False),
    ],
)
def test_only_some_reasons_prove_that_nobody_answered(
    reason: str | None, is_unanswered: bool
) -> None:
    assert report_of(endedReason=reason).report.is_unanswered is is_unanswered
    assert report_of(None, endedReason=reason, **TIMES).report.is_unanswered is False


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ({"durationSeconds": 44.5}, 45),
        ({"durationSeconds": "44.4"}, 44),
        ({"durationMs": 44_499}, 44),
        ({"durationMinutes": 0.75}, 45),
        ({"durationMinutes": "1.5"}, 90),
        ({"durationSeconds": None, "durationMinutes": 2}, 120),
        ({"durationSeconds": 0}, 0),
        *(({"durationSeconds": value, "durationMs": 9000}, 9) for value in NONSENSE),
        (TIMES, 45),
        ({"durationMs": -5, **TIMES}, 45),
        ({"startedAt": TIMES["endedAt"], "endedAt": TIMES["startedAt"]}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_first_plausible_duration_is_read(
    sent: dict[str, Any], seconds: int | None
) -> None:
    assert report_of(**sent).report.duration_seconds == seconds


def test_times_are_read_from_the_call_where_the_report_has_none() -> None:
    report = report_of(call=TIMES).report
    assert report.duration_seconds == 45
    assert None not in {report.started_at, report.ended_at}


SENT = st.one_of(
    st.sampled_from(NONSENSE),
    st.floats(),
    st.integers(),
    st.text(max_size=8),
    st.lists(st.dictionaries(st.just("cost"), st.floats() | st.none()), max_size=3),
    st.dictionaries(st.just("total"), st.floats() | st.text(max_size=5)),
)
PLACES = st.sampled_from(
    [
        "cost",
        "costBreakdown",
        "costs",
        "durationSeconds",
        "durationMs",
        "durationMinutes",
        "startedAt",
        "endedAt",
        "endedReason",
    ]
)


@given(st.dictionaries(PLACES, SENT))
def test_any_content_gives_plausible_values_or_none(sent: dict[str, Any]) -> None:
    report = read_report(sent)
    assert report.cost is None or 0 <= report.cost < 1_000_000
    seconds = report.duration_seconds
    assert seconds is None or 0 <= seconds <= 10_000_000


# --- Which messages are repetitions ---------------------------------------------------


def test_a_second_report_with_other_content_is_not_a_repetition() -> None:
    empty = report_of(endedReason="call.in-progress.twilio-completed-call")
    full = report_of(endedReason="customer-ended-call", cost=0.1)
    assert empty.key != full.key


def test_a_report_sent_again_later_is_a_repetition() -> None:
    first = report_of(cost=0.1, timestamp=1789398131230, analysis={})
    again = report_of(cost=0.1, timestamp=1789398139999, transcript="")
    assert first.key == again.key


def test_a_second_end_with_another_reason_is_not_a_repetition() -> None:
    body = {"type": "status-update", "status": "ended", "call": {"id": "c-1"}}
    ends = [
        read_message({"message": {**body, "endedReason": reason}})
        for reason in ("voicemail", "customer-ended-call", "voicemail")
    ]
    assert ends[0].key == ends[2].key != ends[1].key


# --- Transcript -----------------------------------------------------------------------

SPOKEN = [
    {"role": "bot", "message": "Hi, this is the clinic.", "secondsFromStart": 1},
    {"role": "user", "message": "Yes?"},
]
UNSPOKEN = [
    {"role": "system", "message": "You confirm appointments. The code is 4711."},
    {
        "role": "tool_calls",
        "toolCalls": [{"function": {"name": "book", "arguments": '{"pin": "4711"}'}}],
    },
    {"role": "tool_call_result", "name": "book", "result": "booked, pin 4711"},
    {"role": "developer", "content": "pin 4711"},
    {"role": "tool", "content": "pin 4711"},
    {"role": "function", "content": "pin 4711"},
    {"role": "assistant", "content": None, "tool_calls": [{"arguments": "4711"}]},
    {"message": "of nobody, pin 4711"},
    "pin 4711",
    None,
]


def test_prompts_and_tool_arguments_are_not_in_the_transcript() -> None:
    mixed = [UNSPOKEN[0], SPOKEN[0], *UNSPOKEN[1:], SPOKEN[1]]
    assert report_of(artifact={"messages": mixed}).report.transcript == SPOKEN


def test_words_beside_a_tool_call_are_kept_without_the_call() -> None:
    said = {"role": "assistant", "message": "One moment.", "toolCalls": [{"a": 4711}]}
    kept = report_of(messages=[said]).report.transcript
    assert kept == [{"role": "assistant", "message": "One moment."}]


def test_the_text_is_the_transcript_if_no_message_was_spoken() -> None:
    report = report_of(artifact={"messages": UNSPOKEN, "transcript": "AI: Hi"}).report
    assert report.transcript == "AI: Hi"
    assert report_of(artifact={"messages": UNSPOKEN}).report.transcript is None


@pytest.mark.parametrize("sent", [b'{"cost": 1e999}', b'{"cost": -0.0}'])
def test_an_impossible_cost_does_not_stop_the_reading(sent: bytes) -> None:
    body = json.loads(sent)
    assert read_report(body).cost in {None, Decimal(0)}
    assert orjson.dumps(report_of(**body).document)
