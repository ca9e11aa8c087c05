"""Any order and repetition of a call's messages gives the same final call (I5)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls.call import Call
from domain.calls.reports import OutcomeBasis, OutcomeFinding, Report, ReportGrade
from domain.outcomes import CallOutcome, ReportedOutcome
from domain.values import NAMESPACE, CallStatus, Evidence, Refusal, RefusalKind
from tests.examples import examples

START = datetime(2026, 3, 1, tzinfo=UTC)
CONTACT = UUID(int=1)
REFUSALS = {f"refused: {kind}": Refusal(kind, None, "rule") for kind in RefusalKind}
"""A refusal of each kind, by the name of its message."""


@dataclass(frozen=True)
class Message:
    """One message of the provider; `said` names it, `tell` says it to a call."""

    said: str
    tell: Callable[[Call, datetime, Evidence], None]


def at_second(second: int) -> datetime:
    return START + timedelta(seconds=second)


def placed() -> Message:
    def tell(call: Call, at: datetime, _: Evidence) -> None:
        fields: dict[str, Any] = {"placed_at": at, "at": at, "by": "scheduler"}
        call.place(provider_call_id="p-1", **fields)

    return Message("placed", tell)


def ringing(second: int) -> Message:
    def tell(call: Call, at: datetime, proof: Evidence) -> None:
        call.ring(ringing_at=at_second(second), at=at, by="vapi", evidence=proof)

    return Message(f"ringing at {second}", tell)


def in_progress(second: int | None) -> Message:
    when = None if second is None else at_second(second)

    def tell(call: Call, at: datetime, proof: Evidence) -> None:
        call.answer(answered_at=when, at=at, by="vapi", evidence=proof)

    return Message(f"in-progress at {second}", tell)


def finding(outcome: CallOutcome, basis: OutcomeBasis) -> OutcomeFinding:
    return OutcomeFinding(ReportedOutcome(outcome, f"rule {int(basis)}"), basis)


def ended(
    reason: str | None, second: int | None, outcome: OutcomeFinding | None = None
) -> Message:
    when = None if second is None else at_second(second)

    def tell(call: Call, at: datetime, proof: Evidence) -> None:
        call.end(
            reason=reason,
            ended_at=when,
            at=at,
            by="vapi",
            evidence=proof,
            refusal=REFUSALS.get(reason or ""),
            outcome=outcome,
        )

    return Message(f"ended {reason} at {second}: {outcome}", tell)


def delivered(**parts: Any) -> Message:
    def tell(call: Call, at: datetime, proof: Evidence) -> None:
        report = Report(grade=ReportGrade.DELIVERED, **parts)
        refusal = REFUSALS.get(parts["reason"] or "")
        call.report(report, at=at, by="vapi", evidence=proof, refusal=refusal)

    return Message(f"report {parts}", tell)


def heard(messages: list[Message], delays: list[int] | None = None) -> Call:
    """Create a requested call and tell it the messages, repeats included."""
    call = Call.create(
        campaign_id=UUID(int=2),
        contact_id=CONTACT,
        attempt=1,
        claim_id=UUID(int=3),
        batch=None,
        at=START,
        by="scheduler",
    )
    call.request(dial_before=at_second(5), at=START, by="scheduler")
    at = START
    for position, message in enumerate(messages):
        at += timedelta(seconds=delays[position % len(delays)] if delays else 1)
        message_id = uuid5(NAMESPACE, message.said)
        message.tell(call, at, Evidence(message_id=message_id, digest="d"))
    return call


def final(call: Call) -> dict[str, Any]:
    return {
        "status": call.status,
        "standing": call.contact_status,
        "ended": call.ended,
        "reason": call.ended_reason,
        "started_at": call.started_at,
        "ended_at": call.ended_at,
        "duration": call.duration_seconds,
        "cost": call.cost,
        "grade": call.grade,
        "provider_call_id": call.provider_call_id,
        "refusals": (call.capacity_refusals, call.platform_refusals),
        "outcome": call.outcome,
        "rule": call.known.outcome,
    }


def optional[T](value: T) -> st.SearchStrategy[T | None]:
    return st.sampled_from([value, None])


FINDINGS = st.none() | st.builds(
    finding, st.sampled_from(CallOutcome), st.sampled_from(OutcomeBasis)
)


@st.composite
def reports(
    draw: st.DrawFn, reason: str, started: int | None, ended_: int
) -> list[Message]:
    if not draw(st.booleans()):
        return []
    started_at = None if started is None else at_second(started)
    # The provider names the reason of a call that never started in each message.
    named = st.just(reason) if reason in REFUSALS else optional(reason)
    parts = {
        "reason": draw(named),
        "started_at": draw(optional(started_at)),
        "ended_at": draw(optional(at_second(ended_))),
        "duration_seconds": draw(optional(ended_ - (started or ended_))),
        "cost": draw(st.sampled_from([Decimal("0.25"), Decimal(0), None])),
    }
    count = draw(st.integers(1, 3))  # They differ in the transcript and the outcome.
    return [
        delivered(**parts, outcome=draw(FINDINGS), has_transcript=draw(st.booleans()))
        for _ in range(count)
    ]


@st.composite
def lives(draw: st.DrawFn) -> list[Message]:
    """What the provider says of one call that is over, in the order of its life."""
    kind = draw(st.sampled_from(["talked", "unanswered", "voicemail", "unrung"]))
    rang, picked_up, over = 2, draw(st.integers(3, 9)), draw(st.integers(10, 99))
    reason = {
        "talked": draw(st.sampled_from(["customer-ended-call", "assistant-error"])),
        "unanswered": "customer-did-not-answer",
        "voicemail": "voicemail",
        "unrung": draw(st.sampled_from(list(REFUSALS))),
    }[kind]
    life = [placed()]
    if kind != "unrung" and draw(st.booleans()):
        life.append(ringing(rang))
    if kind in {"talked", "voicemail"} and draw(st.booleans()):
        life.append(in_progress(picked_up))
    if kind == "talked" and draw(st.booleans()):
        life.append(in_progress(None))
    report_started = picked_up if kind in {"talked", "voicemail"} else None
    report = draw(reports(reason, report_started, over + draw(st.integers(0, 1))))
    when = draw(st.sampled_from([over, None]))
    if not report or draw(st.booleans()):
        named = st.just(reason) if kind == "unrung" else optional(reason)
        life.append(ended(draw(named), when, draw(FINDINGS)))
    return life + report


@st.composite
def hearings(draw: st.DrawFn) -> tuple[list[Message], list[Message], list[int]]:
    """Draw a life, the same in another order with repeats, and when it arrives."""
    life = draw(lives())
    repeats = draw(st.lists(st.sampled_from(life), max_size=4))
    shuffled = draw(st.permutations(life + repeats))
    return life, list(shuffled), draw(st.lists(st.integers(0, 900), min_size=1))


@examples(80)
@given(hearings())
def test_any_order_and_repetition_gives_the_same_call(
    case: tuple[list[Message], list[Message], list[int]],
) -> None:
    life, shuffled, delays = case
    assert final(heard(shuffled, delays)) == final(heard(life))


TALK = [
    placed(),
    ringing(2),
    in_progress(None),
    in_progress(5),
    ended(None, None, finding(CallOutcome.UNKNOWN, OutcomeBasis.UNKNOWN_REASON)),
    delivered(
        reason="customer-ended-call",
        started_at=at_second(4),
        ended_at=at_second(64),
        duration_seconds=60,
        cost=Decimal("0.25"),
        outcome=finding(CallOutcome.HUMAN, OutcomeBasis.DECISIVE),
    ),
]


def test_a_conversation_has_its_report_s_values_in_every_order_of_messages() -> None:
    expected = {
        "status": CallStatus.ENDED,
        "standing": "ENDED",
        "ended": True,
        "reason": "customer-ended-call",
        "started_at": at_second(4),
        "ended_at": at_second(64),
        "duration": 60,
        "cost": Decimal("0.25"),
        "grade": ReportGrade.DELIVERED,
        "provider_call_id": "p-1",
        "refusals": (0, 0),
        "outcome": CallOutcome.HUMAN,
        "rule": ReportedOutcome(CallOutcome.HUMAN, "rule 5"),
    }
    for order in permutations(TALK):
        assert final(heard(list(order))) == expected


NO_WORDS: dict[str, Any] = {
    "reason": None,
    "started_at": None,
    "duration_seconds": None,
    "cost": None,
}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (delivered(**NO_WORDS, ended_at=at_second(9)), ended("voicemail", 8)),
        (delivered(**NO_WORDS, ended_at=None), ended("voicemail", 8)),
        (ended("voicemail", None), ended(None, 8)),
        (in_progress(None), in_progress(5)),
        (in_progress(5), delivered(**NO_WORDS, ended_at=at_second(9))),
    ],
    ids=["reason after report", "end after report", "halves", "forwarded", "started"],
)
def test_two_partial_messages_give_the_same_call_in_either_order(
    first: Message, second: Message
) -> None:
    assert final(heard([first, second])) == final(heard([second, first]))


def test_repeats_of_a_finished_life_record_nothing() -> None:
    call = heard(TALK)
    list(call.collect_events())
    for message in TALK:
        message_id = uuid5(NAMESPACE, message.said)
        message.tell(call, at_second(999), Evidence(message_id=message_id, digest="d"))
    assert list(call.collect_events()) == []
