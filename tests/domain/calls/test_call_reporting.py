"""What the provider's messages record: ringing, answers, ends and reports."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from domain.calls.call import Call
from domain.calls.reports import ReportGrade
from domain.values import CallStatus, ContactStatus, Evidence, Refusal, VaultText
from tests.domain.calls import call_facts as do
from tests.domain.calls.call_facts import (
    ANSWERED,
    AT,
    BAD_NUMBER,
    BUSY,
    ENDED,
    FAILED,
    FAULT,
    FORWARDED,
    IN_PROGRESS,
    IS_DEFERRED,
    IS_PLACED,
    LATER,
    NO_CREDIT,
    PENDING,
    PROOF,
    QUEUED,
    RANG,
    RINGING,
    TERMINAL,
    UNRUNG,
    WORDS,
    call_after,
    changed,
    created,
    ended,
    fact,
    new_events,
    reported,
)
from tests.support import Fact

REPORTED = reported()
IS_ENDED = TERMINAL["ended"]

# --- Ringing and answers ----------------------------------------------------------


@pytest.mark.parametrize(("past", "was"), [(IS_PLACED, QUEUED), (IS_DEFERRED, PENDING)])
def test_ringing_takes_the_slot_even_of_a_deferred_call(
    past: tuple[Fact, ...], was: ContactStatus
) -> None:
    call = call_after(*past)
    do.ring(call)
    assert new_events(call) == [changed(RANG, was=was)]
    assert (call.status, call.deferred) == (CallStatus.RINGING, False)


@pytest.mark.parametrize(
    ("on_the_way", "answered_at", "was"),
    [((RANG,), AT, RINGING), ((), None, QUEUED), ((FORWARDED,), AT, IN_PROGRESS)],
    ids=["by a person", "forwarded", "after forwarding"],
)
def test_an_answer_is_recorded_with_the_time_of_the_pick_up_if_there_was_one(
    on_the_way: tuple[Fact, ...], answered_at: datetime | None, was: ContactStatus
) -> None:
    call = call_after(*IS_PLACED, *on_the_way)
    do.answer(call, answered_at)
    assert new_events(call) == [changed(ANSWERED, answered_at=answered_at, was=was)]
    assert (call.status, call.started_at) == (CallStatus.IN_PROGRESS, answered_at)


@pytest.mark.parametrize("again", [AT, LATER, None])
def test_an_answer_is_recorded_once(again: datetime | None) -> None:
    call = call_after(*IS_PLACED, ANSWERED)
    do.answer(call, again)
    assert new_events(call) == []


@pytest.mark.parametrize("name", TERMINAL)
def test_a_late_pick_up_is_kept_and_changes_no_status(name: str) -> None:
    call = call_after(*TERMINAL[name])
    status, standing = call.status, call.contact_status
    do.answer(call)
    assert new_events(call) == [changed(ANSWERED, was=standing, standing=standing)]
    assert (call.status, call.contact_status, call.started_at) == (status, standing, AT)


def test_a_late_forwarding_is_silent() -> None:
    call = call_after(*IS_ENDED)
    do.answer(call, None)
    assert new_events(call) == []


# --- Ends -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_the_way", "was"),
    [((), QUEUED), ((RANG,), RINGING), ((RANG, ANSWERED), IN_PROGRESS)],
    ids=["queued", "ringing", "answered"],
)
def test_a_call_ends(on_the_way: tuple[Fact, ...], was: ContactStatus) -> None:
    call = call_after(*IS_PLACED, *on_the_way)
    do.end(call)
    assert new_events(call) == [ended("customer-ended-call", LATER, was=was)]
    assert (call.status, call.ended_at) == (CallStatus.ENDED, LATER)


@pytest.mark.parametrize("again", [LATER, AT, None])
def test_an_end_is_recorded_once(again: datetime | None) -> None:
    call = call_after(*IS_ENDED)
    do.end(call, "another-reason", again)
    assert new_events(call) == []


@pytest.mark.parametrize(
    ("first", "later", "known"),
    [
        (("voicemail", None), ("another-reason", LATER), ("voicemail", LATER)),
        ((None, AT), ("voicemail", AT), ("voicemail", AT)),
        ((None, AT), (UNRUNG, AT), (UNRUNG, AT)),
    ],
    ids=["the time", "the reason", "a reason that would have brought it back"],
)
def test_a_later_end_adds_only_what_is_missing(
    first: Any, later: Any, known: Any
) -> None:
    call = call_after(*IS_PLACED, ended(*first))
    do.end(call, *later, refusal=FAULT)
    assert new_events(call) == [ended(*known, was=ENDED, awaits_report=False)]
    assert (call.ended_reason, call.ended_at) == known


@pytest.mark.parametrize("name", ["rejected", "timed out", "failed", "canceled"])
@pytest.mark.parametrize(
    ("reason", "refusal"), [("customer-ended-call", None), (UNRUNG, FAULT)]
)
def test_the_end_of_a_call_given_up_is_kept_and_changes_no_status(
    name: str, reason: str, refusal: Refusal | None
) -> None:
    call = call_after(*TERMINAL[name])
    status, standing = call.status, call.contact_status
    do.end(call, reason, refusal=refusal)
    assert new_events(call) == [ended(reason, LATER, was=standing, standing=standing)]
    assert (call.status, call.ended) == (status, True)


@pytest.mark.parametrize(("earlier", "seconds"), [(0, 1), (1, 4), (2, 10), (3, 600)])
def test_a_contact_that_a_fault_kept_from_ringing_is_called_again(
    earlier: int, seconds: int
) -> None:
    call = call_after(created(earlier + 1, platform=earlier), *IS_PLACED[1:])
    do.end(call, UNRUNG, refusal=FAULT)
    retry = {
        "standing": PENDING,
        "another_attempt": True,
        "refusal": FAULT,
        "earlier_refusals": earlier,
        "retry_at": LATER + timedelta(seconds=seconds),
    }
    assert new_events(call) == [ended(UNRUNG, LATER, **retry)]
    assert (call.status, call.deferred) == (CallStatus.ENDED, False)


@pytest.mark.parametrize(
    ("refusal", "earlier"),
    [(FAULT, 4), (BAD_NUMBER, 0)],
    ids=["after the fourth retry", "if the number may not be called"],
)
def test_a_contact_fails_at_the_end(refusal: Refusal, earlier: int) -> None:
    call = call_after(created(earlier + 1, platform=earlier), *IS_PLACED[1:])
    do.end(call, UNRUNG, refusal=refusal, explanation=WORDS)
    fields = {"refusal": refusal, "earlier_refusals": earlier, "words": WORDS}
    assert new_events(call) == [ended(UNRUNG, LATER, standing=FAILED, **fields)]
    assert call.status is CallStatus.FAILED


@pytest.mark.parametrize(("earlier", "seconds"), [(0, 1), (3, 8), (6, 60), (500, 60)])
def test_a_full_line_never_uses_up_a_contact(earlier: int, seconds: int) -> None:
    first = created(earlier + 1, capacity=earlier, platform=4)
    call = call_after(first, *IS_PLACED[1:])
    do.end(call, UNRUNG, refusal=BUSY)
    [(_, own)] = new_events(call)
    assert (own["standing"], own["another_attempt"]) == (PENDING, True)
    assert own["retry_at"] == LATER + timedelta(seconds=seconds)


def test_trouble_with_the_account_never_uses_up_a_contact() -> None:
    call = call_after(created(9, platform=4), *IS_PLACED[1:])
    do.end(call, UNRUNG, refusal=NO_CREDIT)
    fields = {"refusal": NO_CREDIT, "earlier_refusals": 4, "another_attempt": True}
    assert new_events(call) == [ended(UNRUNG, LATER, standing=PENDING, **fields)]


def test_the_next_call_goes_on_counting_the_refusals() -> None:
    first = call_after(created(1, capacity=2, platform=1), *IS_PLACED[1:])
    do.end(first, UNRUNG, refusal=FAULT)
    second = do.create(attempt=2, previous=first)
    assert new_events(second) == [created(2, capacity=2, platform=2)]


def test_a_later_explanation_of_the_end_is_kept_once() -> None:
    call = call_after(*IS_PLACED, ended(UNRUNG, LATER, standing=FAILED))
    do.end(call, UNRUNG, refusal=BAD_NUMBER, explanation=WORDS)
    was = {"was": FAILED, "standing": FAILED, "awaits_report": False}
    assert new_events(call) == [ended(UNRUNG, LATER, words=WORDS, **was)]
    do.end(call, UNRUNG, explanation=VaultText(words_id=uuid4(), digest="other"))
    assert new_events(call) == []


def test_a_contact_who_picked_up_is_not_called_again() -> None:
    call = call_after(*IS_PLACED, ANSWERED)
    do.end(call, UNRUNG, refusal=FAULT)
    assert new_events(call) == [ended(UNRUNG, LATER, was=IN_PROGRESS)]


@pytest.mark.parametrize("reason", [None, "voicemail"])
def test_a_contact_is_not_called_again_without_a_refusal(reason: str | None) -> None:
    call = call_after(*IS_PLACED)
    do.end(call, reason)
    assert new_events(call) == [ended(reason, LATER)]


# --- Reports ----------------------------------------------------------------------


def test_a_report_records_duration_and_cost() -> None:
    call = call_after(*IS_ENDED)
    do.report(call)
    assert new_events(call) == [REPORTED]
    assert (call.duration_seconds, call.cost) == (60, Decimal("0.1"))


def test_a_report_ends_a_call_whose_end_was_missed() -> None:
    call = call_after(*IS_PLACED, RANG)
    do.report(call)
    end = ended("customer-ended-call", LATER, was=RINGING)
    assert new_events(call) == [end, REPORTED]


def test_the_report_wins_over_the_status_messages() -> None:
    on_the_way = (ANSWERED, ended("silence-timed-out", AT, was=IN_PROGRESS))
    call = call_after(*IS_PLACED, *on_the_way)
    do.report(call, started_at=LATER)
    assert new_events(call) == [reported(started_at=LATER)]
    assert (call.ended_reason, call.ended_at) == ("customer-ended-call", LATER)


def test_values_missing_in_a_report_stay_as_the_messages_reported_them() -> None:
    call = call_after(*IS_PLACED, ANSWERED, ended("voicemail", LATER))
    nothing: dict[str, Any] = dict.fromkeys(
        ("reason", "started_at", "ended_at", "duration_seconds", "cost")
    )
    do.report(call, **nothing)
    kept = {"reason": "voicemail", "duration_seconds": None, "cost": None}
    assert new_events(call) == [reported(**kept, settled=False)]


def test_messages_after_the_report_are_silent() -> None:
    call = call_after(*IS_ENDED, REPORTED)
    do.ring(call)
    do.answer(call)
    do.end(call, "another-reason", AT)
    do.report(call)
    assert new_events(call) == []


@pytest.mark.parametrize(
    ("started_at", "end"),
    [
        (AT, {}),
        (
            None,
            {
                "standing": PENDING,
                "another_attempt": True,
                "refusal": FAULT,
                "retry_at": LATER + timedelta(seconds=1),
            },
        ),
    ],
    ids=["picked up", "never rang"],
)
def test_a_report_of_a_refusal_requeues_only_a_contact_that_never_picked_up(
    started_at: datetime | None, end: dict[str, Any]
) -> None:
    call = call_after(*IS_PLACED)
    do.report(call, reason=UNRUNG, started_at=started_at, refusal=FAULT)
    known = reported(reason=UNRUNG, started_at=started_at)
    assert new_events(call) == [ended(UNRUNG, LATER, **end), known]


LOOKED_UP = reported(grade=1, cost=Decimal("0.3"), settled=False)
NO_COST = reported(grade=1, cost=None, settled=False)
LAST_LOOK_UP = reported(grade=2, cost=None)


@pytest.mark.parametrize(
    ("before", "grade", "cost", "recorded"),
    [
        ((), ReportGrade.LOOKED_UP, "0.3", LOOKED_UP),
        ((NO_COST,), ReportGrade.LOOKED_UP_LAST, "0", {"grade": 2, "cost": Decimal(0)}),
        ((LOOKED_UP,), ReportGrade.DELIVERED, "0.1", {"cost_was": Decimal("0.3")}),
        ((LAST_LOOK_UP,), ReportGrade.DELIVERED, "0.1", {"awaited": False}),
    ],
    ids=["waits for a better one", "settles a zero", "replaces", "no longer awaited"],
)
def test_a_better_report_is_recorded(
    before: tuple[Fact, ...], grade: ReportGrade, cost: str, recorded: Any
) -> None:
    call = call_after(*IS_ENDED, *before)
    do.report(call, grade, cost=Decimal(cost))
    expected = reported(**recorded) if isinstance(recorded, dict) else recorded
    assert new_events(call) == [expected]


@pytest.mark.parametrize(
    "grade", [ReportGrade.NONE, ReportGrade.LOOKED_UP, ReportGrade.LOOKED_UP_LAST]
)
def test_a_worse_report_is_silent(grade: ReportGrade) -> None:
    call = call_after(*IS_ENDED, REPORTED)
    do.report(call, grade, cost=Decimal(9))
    assert new_events(call) == []


def test_a_look_up_that_is_no_report_records_nothing() -> None:
    call = call_after(*IS_PLACED)
    do.report(call, ReportGrade.NONE)
    assert new_events(call) == []


@pytest.mark.parametrize("name", ["timed out", "failed", "canceled"])
def test_a_report_of_a_call_given_up_changes_no_status(name: str) -> None:
    call = call_after(*TERMINAL[name])
    status, standing = call.status, call.contact_status
    do.report(call)
    end = ended("customer-ended-call", LATER, was=standing, standing=standing)
    assert new_events(call) == [end, REPORTED]
    assert (call.status, call.cost) == (status, Decimal("0.1"))


# --- Other messages ---------------------------------------------------------------


def test_a_message_that_says_nothing_new_is_kept() -> None:
    call = call_after(*IS_PLACED)
    do.receive(call)
    assert new_events(call) == [
        fact(Call.MessageReceived, type="transcript", evidence=PROOF)
    ]


def test_the_proof_of_every_fact_counts_as_received() -> None:
    proofs = [Evidence(message_id=uuid4(), digest=str(n)) for n in range(4)]
    call = call_after(*IS_PLACED)
    do.ring(call, proofs[0])
    do.answer(call, evidence=proofs[1])
    do.end(call, evidence=proofs[2])
    do.report(call, evidence=proofs[3])
    new_events(call)
    for proof in proofs:
        do.receive(call, proof)
    assert new_events(call) == []


def test_a_live_call_is_asked_to_hang_up() -> None:
    call = call_after(*IS_PLACED)
    do.request_hang_up(call)
    assert new_events(call) == [fact(Call.HangUpRequested)]
