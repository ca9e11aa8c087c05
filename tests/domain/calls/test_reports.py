"""Any set of reports, in any order, repeated: the same final call and spend."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from itertools import permutations
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls.call import Call
from domain.calls.reports import Known, ReasonDetail, Report, ReportGrade
from domain.values import NAMESPACE, CallStatus, Evidence
from tests.examples import examples

START = datetime(2026, 3, 1, tzinfo=UTC)
CLOSED = "call.in-progress.twilio-completed-call"
GENERIC = ReasonDetail.GENERIC
DELIVERED = ReportGrade.DELIVERED


@dataclass(frozen=True)
class StatusEnded:
    """A status message that names the end."""

    reason: str | None
    reason_detail: ReasonDetail
    ended_at: datetime | None


type Source = Report | StatusEnded


def second(number: int) -> datetime:
    return START + timedelta(seconds=number)


def evidence_of(source: Source) -> Evidence:
    return Evidence(message_id=uuid5(NAMESPACE, repr(source)), digest="d")


def placed() -> Call:
    call = Call.create(
        campaign_id=UUID(int=2),
        contact_id=UUID(int=1),
        attempt=1,
        claim_id=UUID(int=3),
        batch=None,
        at=START,
        by="scheduler",
    )
    call.request(dial_before=second(5), at=START, by="scheduler")
    call.place(provider_call_id="p-1", placed_at=START, at=START, by="scheduler")
    return call


def record_message(call: Call, source: Source) -> None:
    stamp: dict[str, Any] = {"at": second(900), "by": "vapi"}
    stamp["evidence"] = evidence_of(source)
    if isinstance(source, Report):
        call.report(source, **stamp)
    else:
        detail, ended_at = source.reason_detail, source.ended_at
        call.end(reason=source.reason, detail=detail, ended_at=ended_at, **stamp)


def after(*sources: Source) -> Call:
    call = placed()
    for source in sources:
        record_message(call, source)
    return call


def final(call: Call) -> dict[str, Any]:
    return {"status": call.status, "standing": call.contact_status, "known": call.known}


def spend_of(call: Call) -> Decimal:
    """Add up what the events add to the campaign's spend."""
    reports = [e for e in call.collect_events() if isinstance(e, Call.Reported)]
    changes = ((e.cost or Decimal(0)) - (e.cost_was or Decimal(0)) for e in reports)
    return sum(changes, Decimal(0))


# --- Any set of reports ---------------------------------------------------------------

GENERIC_OR_NOT = st.sampled_from(
    [(CLOSED, GENERIC)]
    + [
        (reason, ReasonDetail.SPECIFIC)
        for reason in ("customer-ended-call", "voicemail", None)
    ]
)
ENDS = st.sampled_from([None, second(60), second(64), second(90)])
REPORTS = st.builds(
    lambda reason, **own: Report(reason=reason[0], reason_detail=reason[1], **own),
    reason=GENERIC_OR_NOT,
    grade=st.sampled_from(list(ReportGrade)[1:]),
    started_at=st.sampled_from([None, second(4), second(5)]),
    ended_at=ENDS,
    duration_seconds=st.sampled_from([None, 0, 55, 60]),
    cost=st.sampled_from([None, Decimal(0), Decimal("0.06"), Decimal("0.31")]),
    is_unanswered=st.booleans(),
    has_transcript=st.booleans(),
    has_recording=st.booleans(),
    has_analysis=st.booleans(),
)
STATUSES = st.builds(
    lambda reason, ended_at: StatusEnded(reason[0], reason[1], ended_at),
    reason=GENERIC_OR_NOT,
    ended_at=ENDS,
)


@st.composite
def hearings(draw: st.DrawFn) -> tuple[list[Source], list[Source]]:
    """Draw the sources of a call, and the same in another order with repetitions."""
    sources: list[Source] = draw(st.lists(REPORTS | STATUSES, min_size=1, max_size=5))
    repeated = draw(st.lists(st.sampled_from(sources), max_size=4))
    return sources, list(draw(st.permutations(sources + repeated)))


@examples(60)
@given(hearings())
def test_any_order_and_repetition_of_reports_gives_the_same_call_and_spend(
    heard: tuple[list[Source], list[Source]],
) -> None:
    sources, jumbled = heard
    one, other = after(*sources), after(*jumbled)
    assert final(one) == final(other)
    assert spend_of(one) == spend_of(other) == (one.cost or Decimal(0))


@examples(50)
@given(st.lists(REPORTS, min_size=1, max_size=5))
def test_a_call_knows_all_that_any_of_its_reports_knows(reports: list[Report]) -> None:
    call = after(*reports)
    assert call.status is CallStatus.ENDED
    for name, known in {
        "reason": call.ended_reason,
        "started_at": call.started_at,
        "ended_at": call.ended_at,
        "duration_seconds": call.duration_seconds,
        "cost": call.cost,
    }.items():
        named = {getattr(report, name) for report in reports} - {None}
        assert known in named if named else known is None, name
    charged = {report.cost for report in reports if report.cost}
    assert (call.cost in charged) == bool(charged), "a zero replaced a cost"
    specific = any(
        report.reason and report.reason_detail is not GENERIC for report in reports
    )
    assert not specific or call.ended_reason != CLOSED


@examples(50)
@given(st.lists(REPORTS, min_size=1, max_size=5))
def test_a_call_shows_the_message_with_the_richest_content(
    reports: list[Report],
) -> None:
    call = after(*reports)
    shown = {evidence_of(report).message_id: report for report in reports}
    best = shown[call.known.message_id or UUID(int=0)]

    def content(report: Report) -> tuple[bool, bool, bool]:
        return report.has_transcript, report.has_recording, report.has_analysis

    assert content(best) == max(map(content, reports))


@examples(50)
@given(st.lists(REPORTS, min_size=3, max_size=3))
def test_the_merge_is_commutative_associative_and_idempotent(
    reports: list[Report],
) -> None:
    one, two, three = (report.known(evidence_of(report)) for report in reports)
    merged = one.merged_with(two).merged_with(three)
    assert one.merged_with(one) == one
    assert one.merged_with(two) == two.merged_with(one)
    assert one.merged_with(two.merged_with(three)) == merged
    assert reduce(Known.merged_with, [three, one, two, one]) == merged


# --- The cases that were seen ---------------------------------------------------------

EMPTY = Report(grade=DELIVERED, reason=CLOSED, reason_detail=GENERIC)
FULL = Report(
    grade=DELIVERED,
    reason="customer-ended-call",
    started_at=second(4),
    ended_at=second(64),
    duration_seconds=60,
    cost=Decimal("0.31"),
    has_transcript=True,
    has_recording=True,
    has_analysis=True,
)
EXPECTED = Report(
    grade=ReportGrade.LOOKED_UP_LAST, cost=Decimal("0.25"), cost_is_expected=True
)


def test_a_full_report_replaces_an_empty_one() -> None:
    call = after(EMPTY, FULL)
    assert call.ended_reason == "customer-ended-call"
    assert (call.cost, call.duration_seconds) == (Decimal("0.31"), 60)
    assert call.known.message_id == evidence_of(FULL).message_id


@pytest.mark.parametrize("seconds", range(8))
def test_of_two_equal_reports_the_one_in_which_a_person_speaks_is_shown(
    seconds: int,
) -> None:
    spoken = replace(FULL, person_spoke=True, ended_at=second(70 + seconds))
    silent = replace(FULL, ended_at=second(90 + seconds))
    for order in ((spoken, silent), (silent, spoken)):
        assert after(*order).known.message_id == evidence_of(spoken).message_id


def test_an_empty_report_after_a_full_one_changes_nothing() -> None:
    call = after(FULL)
    list(call.collect_events())
    record_message(call, EMPTY)
    assert list(call.collect_events()) == []


def test_an_empty_report_leaves_the_call_awaiting_a_better_one() -> None:
    assert not after(EMPTY).settled
    assert not after(replace(EMPTY, cost=Decimal(0))).settled
    assert after(EMPTY, FULL).settled


@pytest.mark.parametrize("order", list(permutations([EMPTY, EXPECTED, FULL])))
def test_a_charged_cost_replaces_a_booked_one(order: tuple[Report, ...]) -> None:
    call = after(*order)
    assert call.cost == Decimal("0.31")
    assert not call.known.cost_is_expected


@pytest.mark.parametrize(
    ("cost", "booked"),
    [(None, Decimal("0.25")), (Decimal(0), Decimal("0.25"))],
    ids=["missing", "zero before the report was finished"],
)
def test_the_expected_cost_is_booked_where_none_is_final(
    cost: Decimal | None, booked: Decimal
) -> None:
    unfinished = replace(EMPTY, cost=cost)
    assert after(unfinished, EXPECTED).cost == booked
    assert after(EXPECTED, unfinished).cost == booked


@pytest.mark.parametrize(
    "report",
    [
        replace(FULL, cost=Decimal(0)),
        replace(EMPTY, cost=Decimal(0), grade=ReportGrade.LOOKED_UP_LAST),
        Report(grade=DELIVERED, is_unanswered=True, cost=Decimal(0)),
    ],
    ids=["with content", "last look-up", "unanswered"],
)
def test_a_final_zero_is_a_cost(report: Report) -> None:
    call = after(report)
    assert call.settled
    assert after(report, EXPECTED).cost == 0
    assert after(EXPECTED, report).cost == 0


def test_a_zero_of_a_call_that_may_have_been_answered_is_not_final() -> None:
    """The status messages that show the answer may be lost or late."""
    empty = replace(EMPTY, reason="customer-ended-call", cost=Decimal(0))
    call = after(replace(empty, reason_detail=ReasonDetail.SPECIFIC))
    assert not call.settled


def test_a_final_report_that_adds_nothing_settles_the_call() -> None:
    looked_up = replace(FULL, grade=ReportGrade.LOOKED_UP)
    poor = Report(grade=DELIVERED, cost=FULL.cost)
    unpriced = replace(poor, cost=None)
    for order in permutations([looked_up, unpriced, poor]):
        assert after(*order).settled


def test_a_status_message_refines_the_reason_of_an_empty_report() -> None:
    ended = StatusEnded("customer-ended-call", ReasonDetail.SPECIFIC, second(64))
    for call in (after(EMPTY, ended), after(ended, EMPTY)):
        assert (call.ended_reason, call.ended_at) == (ended.reason, second(64))


@pytest.mark.parametrize("give_up", [Call.time_out])
def test_a_late_report_refines_the_reason_but_not_the_terminal_status(
    give_up: Callable[..., None],
) -> None:
    call = placed()
    give_up(call, reason="unknown at the provider", at=second(700), by="scheduler")
    record_message(call, EMPTY)
    record_message(call, FULL)
    assert call.status is CallStatus.TIMEOUT
    assert (call.ended_reason, call.cost) == ("customer-ended-call", Decimal("0.31"))


def test_two_answers_at_different_times_give_the_earlier_one_in_any_order() -> None:
    stamp: dict[str, Any] = {"at": second(9), "by": "vapi", "evidence": None}
    one, other = placed(), placed()
    for call, seconds in ((one, (4, 6)), (other, (6, 4))):
        for number in seconds:
            call.answer(answered_at=second(number), **stamp)
    assert one.started_at == other.started_at == second(4)


# --- Events of release 1 --------------------------------------------------------------


ENDED = StatusEnded("voicemail", ReasonDetail.SPECIFIC, second(60))


def stored_by_release_1(call: Call, **own: Any) -> Call:
    """Append a report as release 1 stored it."""
    fields: dict[str, Any] = {
        "grade": 3,
        "queued_at": START,
        "reason": "customer-ended-call",
        "started_at": second(4),
        "ended_at": second(64),
        "duration_seconds": 60,
        "cost": Decimal("0.31"),
        "cost_was": None,
        "awaited": True,
        "settled": True,
        "evidence": Evidence(UUID(int=7), "d"),
    }
    make: type[Any] = Call.Reported  # The library makes its constructor.
    event = make(
        originator_id=call.id,
        originator_version=call.version + 1,
        timestamp=second(70),
        actor="vapi",
        campaign_id=call.campaign_id,
        contact_id=call.contact_id,
        **fields | own,
    )
    list(call.collect_events())
    changed = event.mutate(call)
    assert isinstance(changed, Call)
    return changed


def test_a_report_of_release_1_keeps_its_meaning() -> None:
    call = stored_by_release_1(after(ENDED))
    assert (call.ended_reason, call.ended_at) == ("customer-ended-call", second(64))
    assert (call.cost, call.duration_seconds) == (Decimal("0.31"), 60)
    assert (call.grade, call.settled) == (DELIVERED, True)
    assert call.known.message_id == UUID(int=7)


def test_a_complete_report_of_release_1_is_not_replaced_by_a_poorer_one() -> None:
    call = stored_by_release_1(after(ENDED))
    record_message(call, replace(FULL, cost=Decimal("0.2"), has_transcript=False))
    assert list(call.collect_events()) == []


def test_an_empty_report_of_release_1_is_completed_by_a_better_one() -> None:
    empty: dict[str, Any] = dict.fromkeys(("started_at", "duration_seconds", "cost"))
    call = stored_by_release_1(after(ENDED), **empty)
    record_message(call, FULL)
    [event] = call.collect_events()
    assert isinstance(event, Call.Reported)
    assert (event.cost, event.cost_was, event.awaited) == (Decimal("0.31"), None, False)
    assert event.report_message_id == evidence_of(FULL).message_id
