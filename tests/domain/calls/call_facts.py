"""Events of a call, as stored, and its commands with their usual arguments."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.domain import CanMutateAggregate

from domain.calls.call import Call
from domain.calls.deferrals import DeferralReason
from domain.calls.reports import Report, ReportGrade
from domain.values import (
    ContactStatus,
    Evidence,
    Refusal,
    RefusalKind,
    RefusalScope,
    VaultText,
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

ADDED_AFTER_RELEASE_1 = {
    "arm",
    "best_message_id",
    "code",
    "cost_is_expected",
    "cost_was_expected",
    "duration_seconds_was",
    "history",
    "longest_call_seconds",
    "number_key",
    "outcome",
    "outcome_was",
    "permit",
    "phone_number_id",
    "plan",
    "ranks",
    "repeats",
    "terms_version",
    "time_zones",
    "voicemail_allowed",
}
"""Fields that release 1 did not store.

test_reports.py, test_call_outcomes.py and tests/application/test_numbers.py cover them.
"""

# --- Events ---------------------------------------------------------------------


def fact(event: type[CanMutateAggregate[UUID]], **own: Any) -> Fact:
    ids = {"actor": BY, "campaign_id": CAMPAIGN, "contact_id": CONTACT}
    return event, ids | own


def moved(
    event: type[CanMutateAggregate[UUID]],
    was: ContactStatus,
    standing: ContactStatus,
    **own: Any,
) -> Fact:
    return fact(event, was=was, standing=standing, **own)


def changed(original: Fact, **own: Any) -> Fact:
    event, fields = original
    return event, fields | own


def created(attempt: int = 1, *, capacity: int = 0, platform: int = 0) -> Fact:
    fields = {"attempt": attempt, "claim_id": CLAIM, "batch": None, "group": None}
    refusals = {"capacity_refusals": capacity, "platform_refusals": platform}
    return moved(Call.Created, PENDING, QUEUED, **fields, **refusals)


def deferred(reason: str, until: datetime, **own: Any) -> Fact:
    fields = {"refusal": None, "earlier_refusals": 0, **own}
    return moved(Call.Deferred, QUEUED, PENDING, reason=reason, until=until, **fields)


def rejected(refusal: Refusal) -> Fact:
    return moved(Call.Rejected, QUEUED, FAILED, words=WORDS, refusal=refusal)


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


CREATED = created()
REQUESTED = fact(Call.Requested, number=1, dial_before=AT)
REQUESTED_AGAIN = fact(Call.Requested, number=2, dial_before=LATER)
_PLACEMENT = {"provider_call_id": "p-1", "placed_at": AT, "ghost": False}
PLACED = moved(Call.Placed, QUEUED, QUEUED, evidence=None, **_PLACEMENT)
DEFERRED = deferred("not now", LATER)
REQUEUED = moved(Call.Requeued, PENDING, QUEUED, claim_id=CLAIM, batch=None)
LOST = fact(Call.OutcomeUnknown, reason="read time-out")
REJECTED = rejected(BAD_NUMBER)
RANG = moved(Call.Ringing, QUEUED, RINGING, ringing_at=AT, evidence=None)
ANSWERED = moved(Call.Answered, QUEUED, IN_PROGRESS, answered_at=AT, evidence=None)
FORWARDED = changed(ANSWERED, answered_at=None)
ENDED_WELL = ended("customer-ended-call", LATER)
TIMED_OUT = moved(Call.TimedOut, QUEUED, ContactStatus.TIMEOUT, reason="silence")
FAILED_BY_US = moved(Call.Failed, QUEUED, FAILED, reason="outcome unknown")
CANCELED = moved(Call.Canceled, QUEUED, ContactStatus.CANCELED)

# --- Histories ------------------------------------------------------------------

IS_REQUESTED = (CREATED, REQUESTED)
IS_DEFERRED = (*IS_REQUESTED, DEFERRED)
IS_PLACED = (*IS_REQUESTED, PLACED)
UNKNOWN_ONCE = (*IS_REQUESTED, LOST)
UNKNOWN_TWICE = (*UNKNOWN_ONCE, DEFERRED, REQUEUED, REQUESTED_AGAIN, LOST)
TERMINAL = {
    "ended": (*IS_PLACED, ENDED_WELL),
    "rejected": (*IS_REQUESTED, REJECTED),
    "timed out": (*IS_PLACED, TIMED_OUT),
    "failed": (*UNKNOWN_TWICE, FAILED_BY_US),
    "canceled": (CREATED, CANCELED),
}
LIVE = {
    "claimed": (CREATED,),
    "requested": IS_REQUESTED,
    "unknown": UNKNOWN_ONCE,
    "unknown twice": UNKNOWN_TWICE,
    "deferred": IS_DEFERRED,
    "requeued": (*IS_DEFERRED, REQUEUED),
    "placed": IS_PLACED,
    "ringing": (*IS_PLACED, RANG),
    "ringing, not placed": (*IS_REQUESTED, RANG),
    "answered": (*IS_PLACED, ANSWERED),
    "answered, not placed": (*IS_REQUESTED, ANSWERED),
}
HISTORIES: dict[str, tuple[Fact, ...]] = LIVE | TERMINAL


def call_after(*facts: Fact) -> Call:
    return given(Call, *facts)


def new_events(call: Call) -> list[Fact]:
    """Take the pending events in the form of release 1."""
    return [
        (kind, {k: v for k, v in own.items() if k not in ADDED_AFTER_RELEASE_1})
        for kind, own in whole_events(call)
    ]


# --- Commands -------------------------------------------------------------------


def create(attempt: int = 1, previous: Call | None = None) -> Call:
    return Call.create(
        campaign_id=CAMPAIGN,
        contact_id=CONTACT,
        attempt=attempt,
        claim_id=CLAIM,
        batch=None,
        at=AT,
        by=BY,
        previous=previous,
    )


def requeue(call: Call) -> None:
    call.requeue(claim_id=CLAIM, batch=None, at=AT, by=BY)


def request(call: Call) -> None:
    call.request(dial_before=LATER, at=AT, by=BY)


def renew_request(call: Call) -> None:
    call.renew_request(dial_before=LATER, at=AT, by=BY)


def place(
    call: Call, provider_call_id: str = "p-1", evidence: Evidence | None = None
) -> None:
    fields: dict[str, Any] = {"placed_at": AT, "evidence": evidence}
    call.place(provider_call_id=provider_call_id, at=AT, by=BY, **fields)


def defer(call: Call) -> None:
    call.defer(reason=DeferralReason.NOT_NOW, until=LATER, at=AT, by=BY)


def lose_outcome(call: Call) -> None:
    call.lose_outcome(reason="read time-out", at=AT, by=BY)


def settle_absent(call: Call) -> None:
    call.settle_absent(until=LATER, at=AT, by=BY)


def refuse(call: Call, refusal: Refusal = FAULT, until: datetime = LATER) -> None:
    call.refuse(refusal, explanation=WORDS, until=until, at=AT, by=BY)


def time_out(call: Call) -> None:
    call.time_out(reason="silence", at=AT, by=BY)


def fail(call: Call) -> None:
    call.fail(reason="outcome unknown", at=AT, by=BY)


def cancel(call: Call) -> None:
    call.cancel(at=AT, by=BY)


def withdraw(call: Call) -> None:
    call.withdraw(at=AT, by=BY)


def ring(call: Call, evidence: Evidence | None = None) -> None:
    call.ring(ringing_at=AT, at=AT, by=BY, evidence=evidence)


def answer(
    call: Call,
    answered_at: datetime | None = AT,
    evidence: Evidence | None = None,
) -> None:
    call.answer(answered_at=answered_at, at=AT, by=BY, evidence=evidence)


def end(
    call: Call,
    reason: str | None = "customer-ended-call",
    ended_at: datetime | None = LATER,
    **own: Any,
) -> None:
    fields = {"reason": reason, "ended_at": ended_at, "evidence": None}
    call.end(at=LATER, by=BY, **fields | own)


def report(
    call: Call,
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
    given_with: dict[str, Any] = {"evidence": evidence, "refusal": refusal}
    call.report(Report(grade=grade, **fields | own), at=LATER, by=BY, **given_with)


def confirm(call: Call) -> None:
    call.confirm(provider_status="ringing", at=AT, by=BY)


def request_hang_up(call: Call) -> None:
    call.request_hang_up(at=AT, by=BY)


def receive(call: Call, evidence: Evidence = PROOF) -> None:
    call.receive(type_="transcript", evidence=evidence, at=AT, by=BY)


def detect_duplicate(call: Call) -> None:
    call.detect_duplicate(provider_call_id="p-2", at=AT, by=BY)
