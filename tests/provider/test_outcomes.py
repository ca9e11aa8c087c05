"""The outcome of a call, from its ended reason and the other data of a message."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls.reports import OutcomeBasis, OutcomeFinding
from domain.calls.upcasts import add_outcome
from domain.outcomes import CallOutcome
from domain.values import RefusalKind
from provider.vapi.messages.outcomes import EndedCall, outcome_of
from provider.vapi.messages.reading import read_message
from provider.vapi.messages.speech import Speech, speech_in
from provider.vapi.refusals import refusal_of_reason

FILE = Path(__file__).parent / "ended_reasons.tsv"
CLASSES = dict(line.split("\t") for line in FILE.read_text().splitlines()[1:])
"""The class of each of the 604 reasons of the provider's SDK 3.0.0."""

ALONE = {
    "busy": CallOutcome.BUSY,
    "no-answer": CallOutcome.NO_ANSWER,
    "voicemail": CallOutcome.VOICEMAIL,
    "invalid-number": CallOutcome.INVALID_NUMBER,
    "declined": CallOutcome.DECLINED,
    "canceled": CallOutcome.CANCELED,
    "not-started": CallOutcome.NOT_STARTED,
    "fault": CallOutcome.FAULT,
    "lost": CallOutcome.FAULT,
    "callee-ended": CallOutcome.HUMAN,
    "conversation": CallOutcome.HUMAN,
    "silence": CallOutcome.SILENT,
    "closed": CallOutcome.UNKNOWN,
    "unexpected": CallOutcome.UNKNOWN,
    "ringing-hook": CallOutcome.UNKNOWN,
}
"""The outcome by the class of the reason, where nothing else is known."""

TALKED = {"callee-ended", "conversation", "silence", "closed", "ringing-hook"}
"""Classes of reasons after which the transcript decides."""

BY_SPEECH = {
    Speech.PERSON: CallOutcome.HUMAN,
    Speech.NOBODY: CallOutcome.SILENT,
    Speech.VOICEMAIL: CallOutcome.VOICEMAIL,
    Speech.SCREENER: CallOutcome.SCREENED,
}


def found(
    reason: str | None,
    *,
    answered: bool | None = None,
    speech: Speech | None = None,
    seconds: int | None = None,
    message: str | None = None,
) -> OutcomeFinding:
    refusal = refusal_of_reason(reason, message)
    finding = outcome_of(EndedCall(reason, answered, speech, seconds, refusal))
    assert finding is not None
    return finding


def outcome(reason: str | None, **known: Any) -> CallOutcome:
    return found(reason, **known).outcome.outcome


def test_the_table_has_every_reason_of_the_sdk() -> None:
    assert len(CLASSES) == 604
    assert Counter(CLASSES.values()).keys() == ALONE.keys()


def test_every_reason_gives_an_outcome_by_itself() -> None:
    outcomes = {reason: outcome(reason) for reason in CLASSES}
    assert outcomes == {reason: ALONE[class_] for reason, class_ in CLASSES.items()}


@pytest.mark.parametrize("speech", Speech)
def test_the_transcript_decides_only_if_the_reason_does_not(speech: Speech) -> None:
    known: dict[str, Any] = {"answered": True, "speech": speech, "seconds": 60}
    expected = ALONE | dict.fromkeys(TALKED, BY_SPEECH[speech])
    # A transcript proves that somebody picked up.
    expected["not-started"] = CallOutcome.FAULT
    outcomes = {reason: outcome(reason, **known) for reason in CLASSES}
    assert outcomes == {reason: expected[class_] for reason, class_ in CLASSES.items()}


@given(
    reason=st.sampled_from([None, "made-up", *CLASSES]),
    answered=st.sampled_from([None, True, False]),
    speech=st.sampled_from([Speech.NOBODY, Speech.VOICEMAIL, Speech.SCREENER]),
    seconds=st.none() | st.integers(0, 600),
)
def test_a_transcript_without_a_word_of_a_person_is_never_human(
    reason: str | None, answered: bool | None, speech: Speech, seconds: int | None
) -> None:
    known: dict[str, Any] = {"answered": answered, "speech": speech, "seconds": seconds}
    assert outcome(reason, **known) is not CallOutcome.HUMAN


def test_reasons_after_which_nobody_was_rung_are_a_fault_if_somebody_answered() -> None:
    reason = "call.start.error-get-transport"
    assert outcome(reason, answered=False) is CallOutcome.NOT_STARTED
    assert outcome(reason, answered=True) is CallOutcome.FAULT


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "DROPPED_EARLY"), (9, "DROPPED_EARLY"), (10, "HUMAN"), (None, "HUMAN")],
)
@pytest.mark.parametrize("speech", [None, Speech.PERSON])
def test_a_person_who_hangs_up_within_ten_seconds_dropped_the_call_early(
    speech: Speech | None, seconds: int | None, expected: str
) -> None:
    assert outcome("customer-ended-call", speech=speech, seconds=seconds) == expected


def test_a_short_voicemail_greeting_is_no_early_hang_up() -> None:
    known = {"speech": Speech.VOICEMAIL, "seconds": 5}
    assert outcome("customer-ended-call", **known) is CallOutcome.VOICEMAIL


@pytest.mark.parametrize(
    ("answered", "seconds", "expected"),
    [
        (None, None, "UNKNOWN"),
        (False, None, "NO_ANSWER"),
        (True, 3, "SILENT"),
        (True, 40, "HUMAN"),
    ],
)
def test_a_closed_connection_without_transcript_is_judged_by_its_duration(
    answered: bool | None, seconds: int | None, expected: str
) -> None:
    assert outcome("vonage-completed", answered=answered, seconds=seconds) == expected


def test_a_carriers_text_distinguishes_a_wrong_number_from_a_refusal() -> None:
    reason = "twilio-failed-to-connect-call"
    assert outcome(reason) is CallOutcome.FAULT
    wrong = "The 'To' number +1 is not a valid phone number."
    assert outcome(reason, message=wrong) is CallOutcome.INVALID_NUMBER
    abroad = "Account not authorized to call this region: geo permission"
    assert outcome(reason, message=abroad) is CallOutcome.NOT_STARTED


@pytest.mark.parametrize("reason", ["brand-new-reason", "call.in-progress.hm", "x"])
def test_a_reason_that_no_rule_covers_is_unknown(reason: str) -> None:
    finding = found(reason, answered=True, speech=Speech.PERSON, seconds=60)
    assert finding.outcome.outcome is CallOutcome.UNKNOWN
    assert finding.outcome.needs_rule
    assert finding.basis is OutcomeBasis.UNKNOWN_REASON


def test_only_reasons_that_outbound_calls_should_not_have_need_a_rule() -> None:
    odd = {reason for reason in CLASSES if found(reason).outcome.needs_rule}
    classes = {CLASSES[reason] for reason in odd}
    assert classes == {"unexpected", "ringing-hook"}


def test_without_reason_and_transcript_there_is_no_outcome() -> None:
    assert outcome_of(EndedCall(None, answered=True, duration_seconds=60)) is None


def test_an_old_event_gets_the_outcome_of_its_reason() -> None:
    for reason, class_ in CLASSES.items():
        state: dict[str, Any] = {"reason": reason, "ranks": None}
        add_outcome(state)
        expected = {"outcome": ALONE[class_].value, "rule": "before-release-2"}
        assert state["outcome"] == expected, reason


def test_refusals_of_a_contact_are_still_refusals_of_a_contact() -> None:
    refusal = refusal_of_reason("twilio-reported-customer-misdialed", None)
    assert refusal is not None
    assert refusal.kind is RefusalKind.CONTACT


# --- Who spoke ------------------------------------------------------------------------

GREETING = "You have reached Dana. Please leave a message after the tone."
MENU = "Thank you for calling Lakeside. For sales, press 1. For support, press 2."
SCREEN = (
    "Hi. If you record your name and reason for calling, I'll see if this person is"
)
SCREEN += " available."


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ([], Speech.NOBODY),
        (["..."], Speech.NOBODY),
        (["Hello?"], Speech.PERSON),
        (["Oh, yes. Thursday, right?", "Yes please. Thanks. Bye."], Speech.PERSON),
        ([GREETING], Speech.VOICEMAIL),
        (["Hi, this is Dana.", "I can't come to the phone right now."],
         Speech.VOICEMAIL),
        ([GREETING, "Goodbye."], Speech.VOICEMAIL),
        (["Your call has been forwarded to an automated voice messaging system."],
         Speech.VOICEMAIL),
        (["The mailbox is full."], Speech.VOICEMAIL),
        ([MENU], Speech.SCREENER),
        ([MENU, "Thank you."], Speech.SCREENER),
        ([SCREEN, "Please stay on the line."], Speech.SCREENER),
        ([SCREEN, "Hello, Dana speaking, who is this?"], Speech.PERSON),
        (["This call may be recorded.", "Lakeside Clinic, how can I help you?"],
         Speech.PERSON),
        (["Para español, oprima el dos."], Speech.SCREENER),
        (["Would you like to leave a message for her?"], Speech.PERSON),
    ],
)  # fmt: skip
def test_the_callees_words_show_who_spoke(spoken: list[str], expected: Speech) -> None:
    bot = {"role": "bot", "message": "Hello, press 1. Leave a message after the beep."}
    messages = [bot, *({"role": "user", "message": text} for text in spoken)]
    assert speech_in(messages) is expected
    lines = ["AI: Hello, press 1.", *(f"User: {text}" for text in spoken)]
    assert speech_in("\n".join(lines)) is expected


@pytest.mark.parametrize("nothing", [None, "", []])
def test_an_empty_transcript_does_not_show_who_spoke(nothing: object) -> None:
    assert speech_in(nothing) is None


# --- Read from messages ---------------------------------------------------------------


def report(**parts: Any) -> dict[str, Any]:
    call = {"id": "p-1", "name": "00000000-0000-0000-0000-000000000001"}
    return {"message": {"type": "end-of-call-report", "call": call, **parts}}


def test_a_report_carries_the_outcome_of_its_transcript() -> None:
    started = "2026-03-01T12:00:00Z"
    talk = [{"role": "user", "message": "Hello, who is there?"}]
    parts: dict[str, Any] = {"endedReason": "assistant-ended-call"}
    parts["startedAt"] = started
    message = read_message(report(**parts, artifact={"messages": talk}))
    assert message.report is not None
    assert message.report.outcome is not None
    assert message.report.outcome.outcome.outcome is CallOutcome.HUMAN
    greeted = [{"role": "user", "message": GREETING}]
    message = read_message(report(**parts, artifact={"messages": greeted}))
    assert message.report is not None
    assert message.report.outcome is not None
    assert message.report.outcome.outcome.outcome is CallOutcome.VOICEMAIL


def test_an_ended_status_carries_the_outcome_of_its_reason() -> None:
    status = {"type": "status-update", "status": "ended", "call": {"id": "p-1"}}
    message = read_message({"message": {**status, "endedReason": "customer-busy"}})
    assert message.outcome is not None
    assert message.outcome.outcome.outcome is CallOutcome.BUSY
    message = read_message({"message": {**status, "status": "ringing"}})
    assert message.outcome is None
