"""One attempt to reach one contact: what it records, when it is silent or refuses."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.domain import CanMutateAggregate

from domain.call import Call
from domain.errors import AnotherProviderCall, MayNotBeRequested, NotDeferred
from domain.reports import Report, ReportGrade
from domain.values import (
    CallStatus,
    ContactStatus,
    Evidence,
    Refusal,
    RefusalKind,
    RefusalScope,
    VaultText,
    call_id_of,
)
from tests.support import EPOCH, Fact, given
from tests.support import new_events as whole_events

CAMPAIGN, CONTACT, CLAIM = uuid4(), uuid4(), uuid4()
PENDING, QUEUED = ContactStatus.PENDING, ContactStatus.QUEUED
RINGING, IN_PROGRESS = ContactStatus.RINGING, ContactStatus.IN_PROGRESS
ENDED, FAILED = ContactStatus.ENDED, ContactStatus.FAILED
BY = "scheduler"
AT = EPOCH + timedelta(minutes=1)
LATER = EPOCH + timedelta(minutes=2)
PROOF = Evidence(message_id=uuid4(), digest="d1")
WORDS = VaultText(words_id=uuid4(), digest="d2")
UNRUNG = "not-started"
BUSY = Refusal(RefusalKind.CAPACITY, None, "full")
NO_CREDIT = Refusal(RefusalKind.ACCOUNT, RefusalScope.ACCOUNT, "no-credit")
BAD_NUMBER = Refusal(RefusalKind.CONTACT, None, "bad-number")
FAULT = Refusal(RefusalKind.PLATFORM, None, "fault")


def fact(event: type[CanMutateAggregate[UUID]], **own: Any) -> Fact:
    return event, {
        "actor": BY,
        "campaign_id": CAMPAIGN,
        "contact_id": CONTACT,
        **own,
    }


def moved(
    event: type[CanMutateAggregate[UUID]],
    was: ContactStatus,
    standing: ContactStatus,
    **own: Any,
) -> Fact:
    return fact(event, was=was, standing=standing, **own)


def created(attempt: int = 1, *, capacity: int = 0, platform: int = 0) -> Fact:
    fields = {"attempt": attempt, "claim_id": CLAIM, "batch": None}
    refusals = {"capacity_refusals": capacity, "platform_refusals": platform}
    return moved(Call.Created, PENDING, QUEUED, **fields, **refusals)


def ended(reason: str | None, ended_at: datetime | None, **own: Any) -> Fact:
    fields: dict[str, Any] = {
        "was": QUEUED,
        "standing": ENDED,
        "another_attempt": False,
        "awaits_report": True,
        "evidence": None,
        "refusal": None,
        "earlier_refusals": 0,
        "retry_at": None,
        "words": None,
    }
    return fact(Call.Ended, reason=reason, ended_at=ended_at, **fields | own)


def reported(**own: Any) -> Fact:
    fields: dict[str, Any] = {
        "grade": 3,
        "queued_at": EPOCH,
        "reason": "customer-ended-call",
        "started_at": AT,
        "ended_at": LATER,
        "duration_seconds": 60,
        "cost": Decimal("0.1"),
        "cost_was": None,
        "awaited": True,
        "settled": True,
        "evidence": None,
    }
    return fact(Call.Reported, **fields | own)


RANKED = {
    "ranks",
    "best_message_id",
    "cost_is_expected",
    "cost_was_expected",
    "duration_seconds_was",
}
"""Fields that release 1 did not store; test_reports.py covers them."""


def new_events(told: Call) -> list[Fact]:
    """Take the pending events in the form of release 1."""
    return [
        (kind, {k: v for k, v in own.items() if k not in RANKED})
        for kind, own in whole_events(told)
    ]


CREATED = created()
REQUESTED = fact(Call.Requested, number=1, dial_before=AT)
REQUESTED_AGAIN = fact(Call.Requested, number=2, dial_before=LATER)
PLACED = moved(
    Call.Placed,
    QUEUED,
    QUEUED,
    provider_call_id="p-1",
    placed_at=AT,
    ghost=False,
    evidence=None,
)


def deferred(reason: str, until: datetime, **own: Any) -> Fact:
    fields = {"refusal": None, "earlier_refusals": 0, **own}
    return moved(Call.Deferred, QUEUED, PENDING, reason=reason, until=until, **fields)


def rejected(refusal: Refusal | None = BAD_NUMBER) -> Fact:
    return moved(Call.Rejected, QUEUED, FAILED, words=WORDS, refusal=refusal)


DEFERRED = deferred("busy", LATER)
REQUEUED = moved(Call.Requeued, PENDING, QUEUED, claim_id=CLAIM, batch=None)
LOST = fact(Call.OutcomeUnknown, reason="read time-out")
REJECTED = rejected()
RANG = moved(Call.Ringing, QUEUED, RINGING, ringing_at=AT, evidence=None)
ANSWERED = moved(Call.Answered, QUEUED, IN_PROGRESS, answered_at=AT, evidence=None)
FORWARDED = moved(Call.Answered, QUEUED, IN_PROGRESS, answered_at=None, evidence=None)
ENDED_QUIETLY = ended(None, None)
ENDED_WELL = ended("customer-ended-call", LATER)
REPORTED = reported()
TIMED_OUT = moved(Call.TimedOut, QUEUED, ContactStatus.TIMEOUT, reason="silence")
FAILED_BY_US = moved(Call.Failed, QUEUED, FAILED, reason="outcome unknown")
CANCELED = moved(Call.Canceled, QUEUED, ContactStatus.CANCELED)
HANG_UP = fact(Call.HangUpRequested)
TWICE = fact(Call.DuplicateDetected, provider_call_id="p-2")

ABSENT_ONCE = (CREATED, REQUESTED, LOST)
ABSENT_TWICE = (*ABSENT_ONCE, DEFERRED, REQUEUED, REQUESTED_AGAIN, LOST)
TERMINAL = {
    "ended": (CREATED, REQUESTED, PLACED, ENDED_WELL),
    "rejected": (CREATED, REQUESTED, REJECTED),
    "timed out": (CREATED, REQUESTED, PLACED, TIMED_OUT),
    "failed": (*ABSENT_TWICE, FAILED_BY_US),
    "canceled": (CREATED, CANCELED),
}
terminal = pytest.mark.parametrize("past", TERMINAL.values(), ids=TERMINAL)


def call(*facts: Fact) -> Call:
    return given(Call, *facts)


def place(told: Call, provider_call_id: str = "p-1") -> None:
    told.place(provider_call_id=provider_call_id, placed_at=AT, at=AT, by=BY)


def ring(told: Call) -> None:
    told.ring(ringing_at=AT, at=AT, by=BY, evidence=None)


def answer(told: Call, answered_at: datetime | None = AT) -> None:
    told.answer(answered_at=answered_at, at=AT, by=BY, evidence=None)


def end(
    told: Call,
    reason: str | None = "customer-ended-call",
    ended_at: datetime | None = LATER,
    **own: Any,
) -> None:
    fields = {"reason": reason, "ended_at": ended_at, "evidence": None}
    told.end(at=LATER, by=BY, **fields | own)


def refuse(told: Call, refusal: Refusal, until: datetime = LATER) -> None:
    told.refuse(refusal, words=WORDS, until=until, at=AT, by=BY)


def report(
    told: Call,
    grade: ReportGrade = ReportGrade.DELIVERED,
    evidence: Evidence | None = None,
    refusal: Refusal | None = None,
    **own: Any,
) -> None:
    fields: dict[str, Any] = {
        "reason": "customer-ended-call",
        "started_at": AT,
        "ended_at": LATER,
        "duration_seconds": 60,
        "cost": Decimal("0.1"),
    }
    said: dict[str, Any] = {"evidence": evidence, "refusal": refusal}
    told.report(Report(grade=grade, **fields | own), at=LATER, by=BY, **said)


# --- Claimed ------------------------------------------------------------------


def test_a_claim_creates_the_call_of_that_attempt() -> None:
    told = Call.create(
        campaign_id=CAMPAIGN,
        contact_id=CONTACT,
        attempt=2,
        claim_id=CLAIM,
        batch=None,
        at=AT,
        by=BY,
    )
    assert new_events(told) == [created(attempt=2)]
    assert told.id == call_id_of(CONTACT, 2)
    assert told.created_on == AT


def test_a_new_call_is_queued_and_waits() -> None:
    told = call(CREATED)
    assert (told.status, told.standing) == (CallStatus.QUEUED, QUEUED)
    assert told.waiting
    assert told.live
    assert not told.deferred


def test_a_deferred_call_is_claimed_again() -> None:
    told = call(CREATED, REQUESTED, DEFERRED)
    told.requeue(claim_id=CLAIM, batch=None, at=AT, by=BY)
    assert new_events(told) == [REQUEUED]
    assert told.waiting


@pytest.mark.parametrize(
    "past",
    [
        (CREATED,),
        (CREATED, REQUESTED),
        (CREATED, REQUESTED, PLACED),
        *TERMINAL.values(),
    ],
)
def test_only_a_deferred_call_is_claimed_again(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    with pytest.raises(NotDeferred):
        told.requeue(claim_id=CLAIM, batch=None, at=AT, by=BY)
    assert new_events(told) == []


# --- Requested ----------------------------------------------------------------


def test_a_claimed_call_is_requested() -> None:
    told = call(CREATED)
    told.request(dial_before=AT, at=AT, by=BY)
    assert new_events(told) == [REQUESTED]


def test_a_requeued_call_is_requested_under_the_next_number() -> None:
    told = call(CREATED, REQUESTED, DEFERRED, REQUEUED)
    told.request(dial_before=LATER, at=AT, by=BY)
    assert new_events(told) == [REQUESTED_AGAIN]


@pytest.mark.parametrize(
    "past",
    [
        (CREATED, REQUESTED),
        ABSENT_ONCE,
        (CREATED, REQUESTED, DEFERRED),
        (CREATED, REQUESTED, PLACED),
        (CREATED, RANG),
        (CREATED, ANSWERED),
        *TERMINAL.values(),
    ],
)
def test_what_may_have_rung_is_never_requested(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    with pytest.raises(MayNotBeRequested):
        told.request(dial_before=LATER, at=AT, by=BY)
    assert new_events(told) == []


def test_a_request_that_never_left_is_renewed() -> None:
    told = call(CREATED, REQUESTED)
    told.renew_request(dial_before=LATER, at=AT, by=BY)
    assert new_events(told) == [REQUESTED_AGAIN]


@pytest.mark.parametrize(
    "past",
    [
        (CREATED,),
        ABSENT_ONCE,
        (CREATED, REQUESTED, DEFERRED),
        (CREATED, REQUESTED, DEFERRED, REQUEUED),
        (CREATED, REQUESTED, PLACED),
        (CREATED, REQUESTED, RANG),
        *TERMINAL.values(),
    ],
)
def test_no_other_request_is_renewed(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    with pytest.raises(MayNotBeRequested):
        told.renew_request(dial_before=LATER, at=AT, by=BY)
    assert new_events(told) == []


# --- Placed -------------------------------------------------------------------


def test_an_accepted_request_places_the_call() -> None:
    told = call(CREATED, REQUESTED)
    place(told)
    assert new_events(told) == [PLACED]
    assert (told.provider_call_id, told.placed_at) == ("p-1", AT)


def test_a_placement_is_told_once() -> None:
    told = call(CREATED, REQUESTED, PLACED)
    place(told)
    assert new_events(told) == []


def test_a_call_is_never_two_calls_at_the_provider() -> None:
    told = call(CREATED, REQUESTED, PLACED)
    with pytest.raises(AnotherProviderCall) as refusal:
        place(told, "p-2")
    assert (refusal.value.bound, refusal.value.other) == ("p-1", "p-2")
    assert new_events(told) == []


def test_a_placement_settles_an_unknown_outcome() -> None:
    told = call(*ABSENT_ONCE)
    place(told)
    assert new_events(told) == [PLACED]
    told.settle_absent(until=LATER, at=AT, by=BY)
    assert new_events(told) == []


def test_a_late_placement_takes_a_deferred_call_back_into_its_slot() -> None:
    told = call(CREATED, REQUESTED, DEFERRED)
    place(told)
    assert new_events(told) == [(PLACED[0], PLACED[1] | {"was": PENDING})]
    assert not told.deferred


@pytest.mark.parametrize("name", ["rejected", "failed", "canceled"])
def test_a_late_placement_of_a_call_given_up_is_a_ghost(name: str) -> None:
    told = call(*TERMINAL[name])
    standing = told.standing
    place(told)
    [(event, own)] = new_events(told)
    assert event is Call.Placed
    assert (own["was"], own["standing"], own["ghost"]) == (standing, standing, True)
    assert told.provider_call_id == "p-1"


def test_a_placement_overtaken_by_the_end_is_no_ghost() -> None:
    told = call(CREATED, REQUESTED, ENDED_WELL)
    place(told)
    assert new_events(told) == [
        (PLACED[0], PLACED[1] | {"was": ENDED, "standing": ENDED})
    ]


@pytest.mark.parametrize(
    ("overtaking", "standing"),
    [(RANG, RINGING), (ANSWERED, IN_PROGRESS)],
    ids=["ringing", "answered"],
)
def test_an_overtaken_placement_does_not_turn_the_call_back(
    overtaking: Fact, standing: ContactStatus
) -> None:
    told = call(CREATED, REQUESTED, overtaking)
    place(told)
    assert new_events(told) == [
        (PLACED[0], PLACED[1] | {"was": standing, "standing": standing})
    ]


def test_the_proof_of_a_placement_is_kept() -> None:
    told = call(CREATED, REQUESTED)
    told.place(provider_call_id="p-1", placed_at=AT, at=AT, by=BY, evidence=PROOF)
    assert new_events(told) == [(PLACED[0], PLACED[1] | {"evidence": PROOF})]
    told.receive(type_="status-update", evidence=PROOF, at=AT, by=BY)
    assert new_events(told) == []


# --- Deferred, unknown, absent, rejected ---------------------------------------


@pytest.mark.parametrize(
    "past",
    [(CREATED,), (CREATED, REQUESTED), (CREATED, REQUESTED, DEFERRED, REQUEUED)],
)
def test_a_call_that_rang_nobody_is_deferred(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    told.defer(reason="busy", until=LATER, at=AT, by=BY)
    assert new_events(told) == [DEFERRED]
    assert told.deferred
    assert told.live


@pytest.mark.parametrize(
    "past",
    [
        ABSENT_ONCE,
        (CREATED, REQUESTED, DEFERRED),
        (CREATED, REQUESTED, PLACED),
        (CREATED, RANG),
        *TERMINAL.values(),
    ],
)
def test_any_other_call_is_not_deferred(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    told.defer(reason="busy", until=LATER, at=AT, by=BY)
    assert new_events(told) == []


def test_a_lost_answer_leaves_the_outcome_unknown_and_the_slot_taken() -> None:
    told = call(CREATED, REQUESTED)
    told.lose_outcome(reason="read time-out", at=AT, by=BY)
    assert new_events(told) == [LOST]
    assert told.outcome_unknown
    assert told.standing is QUEUED


@pytest.mark.parametrize(
    "past",
    [
        (CREATED,),
        ABSENT_ONCE,
        (CREATED, REQUESTED, DEFERRED),
        (CREATED, REQUESTED, DEFERRED, REQUEUED),
        (CREATED, REQUESTED, PLACED),
        *TERMINAL.values(),
    ],
)
def test_only_an_open_request_can_lose_its_outcome(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    told.lose_outcome(reason="read time-out", at=AT, by=BY)
    assert new_events(told) == []


def test_the_first_absence_frees_the_call_to_be_requested_once_more() -> None:
    told = call(*ABSENT_ONCE)
    told.settle_absent(until=LATER, at=AT, by=BY)
    deferred = DEFERRED[1] | {"reason": "absent"}
    assert new_events(told) == [(Call.Deferred, deferred)]


def test_the_second_absence_gives_the_call_up() -> None:
    told = call(*ABSENT_TWICE)
    told.settle_absent(until=LATER, at=AT, by=BY)
    assert new_events(told) == [FAILED_BY_US]
    assert told.status is CallStatus.FAILED


def test_a_refusal_in_between_does_not_forget_the_first_absence() -> None:
    refused = (DEFERRED, REQUEUED, fact(Call.Requested, number=3, dial_before=LATER))
    told = call(*ABSENT_TWICE[:-1], *refused, LOST)
    told.settle_absent(until=LATER, at=AT, by=BY)
    assert new_events(told) == [FAILED_BY_US]


@pytest.mark.parametrize(
    "past",
    [
        (CREATED,),
        (CREATED, REQUESTED),
        (*ABSENT_ONCE, DEFERRED),
        (*ABSENT_ONCE, PLACED),
        (*ABSENT_ONCE, RANG),
        *TERMINAL.values(),
    ],
)
def test_only_an_unknown_outcome_is_settled(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    told.settle_absent(until=LATER, at=AT, by=BY)
    assert new_events(told) == []


def test_a_contact_that_may_not_be_called_fails_its_call() -> None:
    told = call(CREATED, REQUESTED)
    refuse(told, BAD_NUMBER)
    assert new_events(told) == [REJECTED]
    assert told.status is CallStatus.FAILED


@pytest.mark.parametrize("past", [(CREATED, PLACED), ABSENT_ONCE, *TERMINAL.values()])
@pytest.mark.parametrize("refusal", [BAD_NUMBER, BUSY, NO_CREDIT, FAULT])
def test_only_an_open_request_is_refused(
    past: tuple[Fact, ...], refusal: Refusal
) -> None:
    told = call(*past)
    refuse(told, refusal)
    assert new_events(told) == []


@pytest.mark.parametrize(
    ("refusal", "reason"), [(BUSY, "not now"), (NO_CREDIT, "account refused")]
)
def test_lack_of_capacity_or_credit_is_never_held_against_a_contact(
    refusal: Refusal, reason: str
) -> None:
    told = call(created(9, capacity=40, platform=4), REQUESTED)
    refuse(told, refusal)
    earlier = 40 if refusal is BUSY else 4
    fields = {"refusal": refusal, "earlier_refusals": earlier}
    assert new_events(told) == [deferred(reason, LATER, **fields)]


@pytest.mark.parametrize(("earlier", "seconds"), [(0, 1), (1, 4), (2, 10), (3, 600)])
def test_an_unexplained_refusal_is_tried_again_after_a_growing_time(
    earlier: int, seconds: int
) -> None:
    told = call(created(platform=earlier), REQUESTED)
    refuse(told, FAULT, until=AT)
    until = AT + timedelta(seconds=seconds)
    fields = {"refusal": FAULT, "earlier_refusals": earlier}
    assert new_events(told) == [deferred("refused", until, **fields)]


def test_a_retry_waits_until_the_line_may_be_used_again() -> None:
    told = call(CREATED, REQUESTED)
    refuse(told, FAULT, until=LATER)
    assert new_events(told) == [deferred("refused", LATER, refusal=FAULT)]


def test_the_fifth_unexplained_refusal_fails_the_contact() -> None:
    told = call(CREATED)
    for number in range(5):
        if number:
            told.requeue(claim_id=CLAIM, batch=None, at=AT, by=BY)
        told.request(dial_before=AT, at=AT, by=BY)
        new_events(told)
        refuse(told, FAULT)
        assert told.deferred is (number < 4)
    assert new_events(told) == [rejected(FAULT)]


# --- At the provider ----------------------------------------------------------


def test_a_placed_call_rings() -> None:
    told = call(CREATED, REQUESTED, PLACED)
    ring(told)
    assert new_events(told) == [RANG]
    assert told.status is CallStatus.RINGING


@pytest.mark.parametrize(
    "past", [(CREATED, RANG), (CREATED, ANSWERED), *TERMINAL.values()]
)
def test_ringing_that_comes_late_is_silent(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    ring(told)
    assert new_events(told) == []


def test_ringing_brings_a_deferred_call_back() -> None:
    told = call(CREATED, REQUESTED, DEFERRED)
    ring(told)
    assert new_events(told) == [(RANG[0], RANG[1] | {"was": PENDING})]
    assert not told.deferred


def test_a_person_answers() -> None:
    told = call(CREATED, REQUESTED, PLACED, RANG)
    answer(told)
    assert new_events(told) == [(ANSWERED[0], ANSWERED[1] | {"was": RINGING})]
    assert (told.status, told.started_at) == (CallStatus.IN_PROGRESS, AT)


def test_forwarding_is_in_progress_without_a_pick_up() -> None:
    told = call(CREATED, REQUESTED, PLACED)
    answer(told, None)
    assert new_events(told) == [FORWARDED]
    assert (told.status, told.started_at) == (CallStatus.IN_PROGRESS, None)


def test_a_pick_up_after_forwarding_tells_when() -> None:
    told = call(CREATED, REQUESTED, PLACED, FORWARDED)
    answer(told)
    assert new_events(told) == [(ANSWERED[0], ANSWERED[1] | {"was": IN_PROGRESS})]
    assert told.started_at == AT


@pytest.mark.parametrize("again", [AT, LATER, None])
def test_an_answer_is_told_once(again: datetime | None) -> None:
    told = call(CREATED, REQUESTED, PLACED, ANSWERED)
    answer(told, again)
    assert new_events(told) == []


@terminal
def test_a_pick_up_told_after_the_end_is_kept_and_changes_no_status(
    past: tuple[Fact, ...],
) -> None:
    told = call(*past)
    status, standing = told.status, told.standing
    answer(told)
    was = {"was": standing, "standing": standing}
    assert new_events(told) == [(ANSWERED[0], ANSWERED[1] | was)]
    assert (told.status, told.standing, told.started_at) == (status, standing, AT)


def test_forwarding_told_after_the_end_is_silent() -> None:
    told = call(*TERMINAL["ended"])
    answer(told, None)
    assert new_events(told) == []


@pytest.mark.parametrize(
    ("on_the_way", "was"),
    [((), QUEUED), ((RANG,), RINGING), ((RANG, ANSWERED), IN_PROGRESS)],
    ids=["queued", "ringing", "answered"],
)
def test_a_call_ends(on_the_way: tuple[Fact, ...], was: ContactStatus) -> None:
    told = call(CREATED, REQUESTED, PLACED, *on_the_way)
    end(told)
    assert new_events(told) == [ended("customer-ended-call", LATER, was=was)]
    assert (told.status, told.ended_at) == (CallStatus.ENDED, LATER)


@pytest.mark.parametrize("again", [LATER, AT, None])
def test_an_end_is_told_once(again: datetime | None) -> None:
    told = call(CREATED, REQUESTED, PLACED, ENDED_WELL)
    end(told, "another-reason", again)
    assert new_events(told) == []


def test_a_later_end_adds_the_missing_time() -> None:
    told = call(CREATED, REQUESTED, PLACED, ended("voicemail", None))
    end(told, "another-reason", LATER)
    assert new_events(told) == [
        ended("voicemail", LATER, was=ENDED, awaits_report=False)
    ]


def test_a_later_end_adds_the_missing_reason() -> None:
    told = call(CREATED, REQUESTED, PLACED, ended(None, AT))
    end(told, "voicemail", AT)
    assert new_events(told) == [ended("voicemail", AT, was=ENDED, awaits_report=False)]
    assert (told.ended_reason, told.ended_at) == ("voicemail", AT)


def test_a_reason_told_late_brings_nobody_back() -> None:
    told = call(CREATED, REQUESTED, PLACED, ended(None, AT))
    end(told, UNRUNG, AT, refusal=FAULT)
    assert new_events(told) == [ended(UNRUNG, AT, was=ENDED, awaits_report=False)]


@pytest.mark.parametrize("name", ["rejected", "timed out", "failed", "canceled"])
def test_the_end_of_a_call_given_up_is_kept_and_changes_no_status(name: str) -> None:
    told = call(*TERMINAL[name])
    status, standing = told.status, told.standing
    end(told)
    was = {"was": standing, "standing": standing}
    assert new_events(told) == [ended("customer-ended-call", LATER, **was)]
    assert (told.status, told.ended) == (status, True)


@pytest.mark.parametrize(("earlier", "seconds"), [(0, 1), (1, 4), (2, 10), (3, 600)])
def test_a_contact_that_a_fault_kept_from_ringing_is_called_again(
    earlier: int, seconds: int
) -> None:
    told = call(created(earlier + 1, platform=earlier), REQUESTED, PLACED)
    end(told, UNRUNG, refusal=FAULT)
    assert new_events(told) == [
        ended(
            UNRUNG,
            LATER,
            standing=PENDING,
            another_attempt=True,
            refusal=FAULT,
            earlier_refusals=earlier,
            retry_at=LATER + timedelta(seconds=seconds),
        )
    ]
    assert (told.status, told.deferred) == (CallStatus.ENDED, False)


def test_a_contact_fails_after_the_fourth_retry() -> None:
    told = call(created(5, platform=4), REQUESTED, PLACED)
    end(told, UNRUNG, refusal=FAULT, words=WORDS)
    fields = {"refusal": FAULT, "earlier_refusals": 4, "words": WORDS}
    assert new_events(told) == [ended(UNRUNG, LATER, standing=FAILED, **fields)]
    assert told.status is CallStatus.FAILED


@pytest.mark.parametrize(("earlier", "seconds"), [(0, 1), (3, 8), (6, 60), (500, 60)])
def test_a_full_line_never_uses_up_a_contact(earlier: int, seconds: int) -> None:
    told = call(created(earlier + 1, capacity=earlier, platform=4), REQUESTED, PLACED)
    end(told, UNRUNG, refusal=BUSY)
    [(_, own)] = new_events(told)
    assert (own["standing"], own["another_attempt"]) == (PENDING, True)
    assert own["retry_at"] == LATER + timedelta(seconds=seconds)


def test_trouble_with_the_account_never_uses_up_a_contact() -> None:
    told = call(created(9, platform=4), REQUESTED, PLACED)
    end(told, UNRUNG, refusal=NO_CREDIT)
    fields = {"refusal": NO_CREDIT, "earlier_refusals": 4, "another_attempt": True}
    assert new_events(told) == [ended(UNRUNG, LATER, standing=PENDING, **fields)]


def test_a_number_that_may_not_be_called_fails_its_contact_at_the_end_too() -> None:
    told = call(CREATED, REQUESTED, PLACED)
    end(told, UNRUNG, refusal=BAD_NUMBER, words=WORDS)
    fields = {"refusal": BAD_NUMBER, "words": WORDS}
    assert new_events(told) == [ended(UNRUNG, LATER, standing=FAILED, **fields)]
    assert told.status is CallStatus.FAILED


def test_the_next_call_goes_on_counting_the_refusals() -> None:
    first = call(created(1, capacity=2, platform=1), REQUESTED, PLACED)
    end(first, UNRUNG, refusal=FAULT)
    second = Call.create(
        campaign_id=CAMPAIGN,
        contact_id=CONTACT,
        attempt=2,
        claim_id=CLAIM,
        batch=None,
        at=AT,
        by=BY,
        previous=first,
    )
    assert new_events(second) == [created(2, capacity=2, platform=2)]


def test_an_explanation_that_comes_later_is_kept() -> None:
    told = call(CREATED, REQUESTED, PLACED, ended(UNRUNG, LATER, standing=FAILED))
    end(told, UNRUNG, refusal=BAD_NUMBER, words=WORDS)
    was = {"was": FAILED, "standing": FAILED, "awaits_report": False}
    assert new_events(told) == [ended(UNRUNG, LATER, words=WORDS, **was)]
    end(told, UNRUNG, words=VaultText(words_id=uuid4(), digest="other"))
    assert new_events(told) == []


def test_who_picked_up_does_not_come_back() -> None:
    told = call(CREATED, REQUESTED, PLACED, ANSWERED)
    end(told, UNRUNG, refusal=FAULT)
    assert new_events(told) == [ended(UNRUNG, LATER, was=IN_PROGRESS)]


@pytest.mark.parametrize("reason", [None, "voicemail", "customer-did-not-answer"])
def test_no_other_end_brings_the_contact_back(reason: str | None) -> None:
    told = call(CREATED, REQUESTED, PLACED)
    end(told, reason)
    assert new_events(told) == [ended(reason, LATER)]


def test_a_call_given_up_does_not_come_back() -> None:
    told = call(*TERMINAL["timed out"])
    end(told, UNRUNG, refusal=FAULT)
    timeout = ContactStatus.TIMEOUT
    assert new_events(told) == [ended(UNRUNG, LATER, was=timeout, standing=timeout)]


# --- Reported -----------------------------------------------------------------


def test_a_report_tells_what_the_call_came_to() -> None:
    told = call(CREATED, REQUESTED, PLACED, ENDED_WELL)
    report(told)
    assert new_events(told) == [REPORTED]
    assert (told.duration_seconds, told.cost) == (60, Decimal("0.1"))


def test_a_report_ends_a_call_whose_end_was_missed() -> None:
    told = call(CREATED, REQUESTED, PLACED, RANG)
    report(told)
    assert new_events(told) == [
        ended("customer-ended-call", LATER, was=RINGING),
        REPORTED,
    ]


def test_the_report_wins_over_the_status_messages() -> None:
    on_the_way = (ANSWERED, ended("silence-timed-out", AT, was=IN_PROGRESS))
    told = call(CREATED, REQUESTED, PLACED, *on_the_way)
    report(told, started_at=LATER)
    assert new_events(told) == [reported(started_at=LATER)]
    assert (told.ended_reason, told.ended_at) == ("customer-ended-call", LATER)


def test_what_a_report_leaves_out_stays_as_the_messages_said() -> None:
    told = call(CREATED, REQUESTED, PLACED, ANSWERED, ended("voicemail", LATER))
    nothing: dict[str, Any] = dict.fromkeys(
        ("reason", "started_at", "ended_at", "duration_seconds", "cost")
    )
    report(told, **nothing)
    kept = {"reason": "voicemail", "duration_seconds": None, "cost": None}
    assert new_events(told) == [reported(**kept, settled=False)]


def test_messages_after_the_report_are_silent() -> None:
    told = call(CREATED, REQUESTED, PLACED, ENDED_WELL, REPORTED)
    ring(told)
    answer(told)
    end(told, "another-reason", AT)
    report(told)
    assert new_events(told) == []


def test_a_report_of_someone_who_picked_up_brings_nobody_back() -> None:
    told = call(CREATED, REQUESTED, PLACED)
    report(told, reason=UNRUNG, refusal=FAULT)
    assert new_events(told) == [ended(UNRUNG, LATER), reported(reason=UNRUNG)]


def test_a_report_of_someone_never_rung_brings_the_contact_back() -> None:
    told = call(CREATED, REQUESTED, PLACED)
    report(told, reason=UNRUNG, started_at=None, refusal=FAULT)
    again = {"refusal": FAULT, "retry_at": LATER + timedelta(seconds=1)}
    back = ended(UNRUNG, LATER, standing=PENDING, another_attempt=True, **again)
    assert new_events(told) == [back, reported(reason=UNRUNG, started_at=None)]


LOOKED_UP = reported(grade=1, cost=Decimal("0.3"), settled=False)


def test_a_looked_up_report_waits_for_a_better_one() -> None:
    told = call(CREATED, REQUESTED, PLACED, ENDED_WELL)
    report(told, ReportGrade.LOOKED_UP, cost=Decimal("0.3"))
    assert new_events(told) == [LOOKED_UP]


def test_the_last_look_up_settles_a_cost_of_zero_too() -> None:
    first = reported(grade=1, cost=None, settled=False)
    told = call(CREATED, REQUESTED, PLACED, ENDED_WELL, first)
    report(told, ReportGrade.LOOKED_UP_LAST, cost=Decimal(0))
    assert new_events(told) == [reported(grade=2, cost=Decimal(0))]


def test_a_delivered_report_replaces_an_equally_complete_looked_up_one() -> None:
    told = call(CREATED, REQUESTED, PLACED, ENDED_WELL, LOOKED_UP)
    report(told)
    assert new_events(told) == [reported(cost_was=Decimal("0.3"))]


def test_a_report_after_the_last_look_up_is_no_longer_awaited() -> None:
    last = reported(grade=2, cost=None)
    told = call(CREATED, REQUESTED, PLACED, ENDED_WELL, last)
    report(told)
    assert new_events(told) == [reported(awaited=False)]


@pytest.mark.parametrize(
    "grade", [ReportGrade.NONE, ReportGrade.LOOKED_UP, ReportGrade.LOOKED_UP_LAST]
)
def test_a_worse_report_is_silent(grade: ReportGrade) -> None:
    told = call(CREATED, REQUESTED, PLACED, ENDED_WELL, REPORTED)
    report(told, grade, cost=Decimal(9))
    assert new_events(told) == []


@pytest.mark.parametrize("name", ["timed out", "failed", "canceled"])
def test_a_report_of_a_call_given_up_changes_no_status(name: str) -> None:
    told = call(*TERMINAL[name])
    status, standing = told.status, told.standing
    report(told)
    was = {"was": standing, "standing": standing}
    assert new_events(told) == [ended("customer-ended-call", LATER, **was), REPORTED]
    assert (told.status, told.cost) == (status, Decimal("0.1"))


# --- Confirmed, received, hung up, doubled --------------------------------------


def test_a_live_call_is_confirmed_as_often_as_it_is_seen() -> None:
    told = call(CREATED, REQUESTED, PLACED)
    told.confirm(provider_status="ringing", at=AT, by="vapi")
    told.confirm(provider_status="ringing", at=LATER, by="vapi")
    seen = fact(Call.Confirmed, provider_status="ringing", actor="vapi")
    assert new_events(told) == [seen, seen]
    assert told.modified_on == LATER


@terminal
def test_a_finished_call_is_not_confirmed(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    told.confirm(provider_status="ringing", at=AT, by=BY)
    assert new_events(told) == []


def test_a_message_that_says_nothing_new_is_kept_once() -> None:
    told = call(CREATED)
    told.receive(type_="transcript", evidence=PROOF, at=AT, by=BY)
    told.receive(type_="transcript", evidence=PROOF, at=LATER, by=BY)
    assert new_events(told) == [
        fact(Call.MessageReceived, type="transcript", evidence=PROOF)
    ]


def test_the_proof_of_every_fact_counts_as_received() -> None:
    proofs = [Evidence(message_id=uuid4(), digest=str(n)) for n in range(4)]
    told = call(CREATED, REQUESTED, PLACED)
    told.ring(ringing_at=AT, at=AT, by=BY, evidence=proofs[0])
    told.answer(answered_at=AT, at=AT, by=BY, evidence=proofs[1])
    told.end(reason="x", ended_at=AT, at=AT, by=BY, evidence=proofs[2])
    report(told, evidence=proofs[3])
    new_events(told)
    for proof in proofs:
        told.receive(type_="status-update", evidence=proof, at=LATER, by=BY)
    assert new_events(told) == []


def test_a_live_call_is_asked_to_hang_up_once() -> None:
    told = call(CREATED, REQUESTED, PLACED)
    told.request_hang_up(at=AT, by=BY)
    told.request_hang_up(at=LATER, by=BY)
    assert new_events(told) == [HANG_UP]


@terminal
def test_a_finished_call_is_not_hung_up(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    told.request_hang_up(at=AT, by=BY)
    assert new_events(told) == []


@pytest.mark.parametrize("past", [(CREATED, PLACED), *TERMINAL.values()])
def test_a_second_call_at_the_provider_is_told_once(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    told.detect_duplicate(provider_call_id="p-2", at=AT, by=BY)
    told.detect_duplicate(provider_call_id="p-2", at=LATER, by=BY)
    assert new_events(told) == [TWICE]


# --- Ended by us --------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_the_way", "was"),
    [((), QUEUED), ((RANG,), RINGING), ((ANSWERED,), IN_PROGRESS)],
    ids=["queued", "ringing", "answered"],
)
def test_a_placed_call_that_the_provider_lost_times_out(
    on_the_way: tuple[Fact, ...], was: ContactStatus
) -> None:
    told = call(CREATED, REQUESTED, PLACED, *on_the_way)
    told.time_out(reason="silence", at=AT, by=BY)
    assert new_events(told) == [(TIMED_OUT[0], TIMED_OUT[1] | {"was": was})]
    assert told.status is CallStatus.TIMEOUT


@pytest.mark.parametrize(
    "past",
    [(CREATED,), ABSENT_ONCE, (CREATED, REQUESTED, DEFERRED), *TERMINAL.values()],
)
def test_a_call_that_was_not_placed_does_not_time_out(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    told.time_out(reason="silence", at=AT, by=BY)
    assert new_events(told) == []


@pytest.mark.parametrize("past", [(CREATED,), (CREATED, REQUESTED), ABSENT_ONCE])
def test_a_waiting_call_is_given_up(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    told.fail(reason="outcome unknown", at=AT, by=BY)
    assert new_events(told) == [FAILED_BY_US]


@pytest.mark.parametrize(
    "past",
    [(CREATED, REQUESTED, DEFERRED), (CREATED, PLACED), *TERMINAL.values()],
)
def test_any_other_call_is_not_given_up(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    told.fail(reason="outcome unknown", at=AT, by=BY)
    assert new_events(told) == []


@pytest.mark.parametrize("past", [(CREATED,), (CREATED, REQUESTED, DEFERRED, REQUEUED)])
def test_a_claim_that_was_not_requested_is_taken_back(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    told.cancel(at=AT, by=BY)
    assert new_events(told) == [CANCELED]
    assert told.status is CallStatus.CANCELED


@pytest.mark.parametrize(
    "past",
    [(CREATED, REQUESTED), ABSENT_ONCE, (CREATED, PLACED), *TERMINAL.values()],
)
def test_what_may_have_rung_is_not_taken_back(past: tuple[Fact, ...]) -> None:
    told = call(*past)
    told.cancel(at=AT, by=BY)
    assert new_events(told) == []
