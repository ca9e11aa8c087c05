"""The outcome of a call: reported, refined, decided here, and read from old events."""

from itertools import permutations
from typing import Any

import orjson
import pytest

from domain.calls.call import Call
from domain.calls.reports import OutcomeBasis, OutcomeFinding, ReportGrade
from domain.outcomes import CallOutcome, ReportedOutcome
from tests.domain.calls import call_facts as do
from tests.domain.calls.call_facts import (
    AT,
    BAD_NUMBER,
    IS_PLACED,
    IS_REQUESTED,
    LATER,
    RANG,
    TERMINAL,
    UNKNOWN_TWICE,
    call_after,
    ended,
    reported,
)
from tests.golden.catalogue import FOLDER, event_of
from tests.support import Fact, new_events

GUESS = OutcomeFinding(
    ReportedOutcome(CallOutcome.HUMAN, "conversation"), OutcomeBasis.SPECIFIC_REASON
)
SHOWN = OutcomeFinding(
    ReportedOutcome(CallOutcome.SCREENED, "menu"), OutcomeBasis.DECISIVE
)


def outcomes(call: Call) -> list[tuple[Any, Any]]:
    """Take the pending events that name an outcome: what it is, and what it was."""
    return [
        (own["outcome"], own.get("outcome_was"))
        for _, own in new_events(call)
        if "outcome" in own
    ]


# --- Reported -------------------------------------------------------------------------


@pytest.mark.parametrize("past", [IS_PLACED, (*IS_PLACED, RANG)])
def test_a_live_call_has_no_outcome(past: tuple[Fact, ...]) -> None:
    assert call_after(*past).outcome is None


def test_an_end_has_the_outcome_of_its_message() -> None:
    call = call_after(*IS_PLACED)
    do.end(call, outcome=GUESS)
    assert outcomes(call) == [(GUESS.outcome, None)]
    assert call.outcome is CallOutcome.HUMAN


def test_an_end_without_any_reason_is_unknown_until_a_report_names_one() -> None:
    call = call_after(*IS_PLACED)
    do.end(call, None)
    unknown = ReportedOutcome(CallOutcome.UNKNOWN, "no-reason")
    assert outcomes(call) == [(unknown, None)]
    do.report(call, outcome=GUESS)
    assert outcomes(call) == [(GUESS.outcome, CallOutcome.UNKNOWN)]
    assert call.outcome is CallOutcome.HUMAN


def test_a_better_report_changes_the_outcome_and_records_the_former_one() -> None:
    call = call_after(*IS_PLACED)
    do.end(call, outcome=GUESS)
    do.report(call, outcome=GUESS)
    new_events(call)
    do.report(call, ReportGrade.LOOKED_UP, outcome=SHOWN)
    assert outcomes(call) == [(SHOWN.outcome, CallOutcome.HUMAN)]
    assert call.outcome is CallOutcome.SCREENED


def test_a_worse_report_does_not_change_the_outcome() -> None:
    call = call_after(*IS_PLACED)
    do.report(call, outcome=SHOWN)
    new_events(call)
    do.report(call, outcome=GUESS, has_analysis=True)
    assert outcomes(call) == [(SHOWN.outcome, CallOutcome.SCREENED)]
    assert call.outcome is CallOutcome.SCREENED


def test_a_later_end_refines_the_outcome_of_the_first() -> None:
    call = call_after(*IS_PLACED)
    do.end(call, outcome=GUESS)
    new_events(call)
    do.end(call, outcome=SHOWN)
    assert outcomes(call) == [(SHOWN.outcome, CallOutcome.HUMAN)]


def test_stored_events_rebuild_the_outcome_and_its_rank() -> None:
    call = call_after(*IS_PLACED)
    do.end(call, outcome=GUESS)
    do.report(call, outcome=SHOWN)
    again = call_after(*IS_PLACED, *new_events(call))
    assert (again.outcome, again.known) == (CallOutcome.SCREENED, call.known)
    do.end(again, outcome=GUESS)
    assert new_events(again) == []


# --- Decided here ---------------------------------------------------------------------


def test_a_refused_request_was_not_started() -> None:
    call = call_after(*IS_REQUESTED)
    do.refuse(call, BAD_NUMBER)
    not_started = ReportedOutcome(CallOutcome.NOT_STARTED, "bad-number")
    assert outcomes(call) == [(not_started, None)]
    assert call.outcome is CallOutcome.NOT_STARTED


def test_a_call_that_the_provider_lost_is_unknown() -> None:
    timed_out, failed = call_after(*IS_PLACED), call_after(*UNKNOWN_TWICE)
    do.time_out(timed_out)
    do.settle_absent(failed)
    for call in (timed_out, failed):
        assert call.outcome is CallOutcome.UNKNOWN


def test_a_withdrawn_claim_is_canceled() -> None:
    call = call_after(*IS_REQUESTED[:1])
    do.cancel(call)
    assert outcomes(call) == [(ReportedOutcome(CallOutcome.CANCELED, "canceled"), None)]
    assert call.outcome is CallOutcome.CANCELED


@pytest.mark.parametrize("name", ["rejected", "timed out", "failed", "canceled"])
def test_a_report_about_a_call_given_up_replaces_its_outcome(
    name: str,
) -> None:
    call = call_after(*TERMINAL[name])
    do.report(call, outcome=GUESS)
    assert call.outcome is CallOutcome.HUMAN


def test_reports_of_a_timed_out_call_give_the_same_outcome_in_any_order() -> None:
    for order in permutations([GUESS, SHOWN, None]):
        call = call_after(*IS_PLACED)
        do.time_out(call)
        for outcome in order:
            do.end(call, "voicemail", outcome=outcome)
        assert call.outcome is CallOutcome.SCREENED


# --- Stored before outcomes were ------------------------------------------------------

OLD = {
    "call.ended.release-1": CallOutcome.UNKNOWN,
    "call.ended.2026-11-28": CallOutcome.UNKNOWN,
    "call.rejected.release-1": CallOutcome.NOT_STARTED,
    "call.rejected.2026-11-28": CallOutcome.NOT_STARTED,
    "call.timed_out.release-1": CallOutcome.UNKNOWN,
    "call.failed.release-1": CallOutcome.UNKNOWN,
    "call.canceled.release-1": CallOutcome.CANCELED,
}


@pytest.mark.parametrize(("name", "expected"), OLD.items())
def test_an_old_event_has_an_outcome(name: str, expected: CallOutcome) -> None:
    state = orjson.loads((FOLDER / f"{name}.json").read_bytes())
    event: Any = event_of(name.rpartition(".")[0], state)
    assert event.outcome == ReportedOutcome(expected, "before-release-2")


def old(fact: Fact) -> Fact:
    """Return a fact as it is read from a log that was written before outcomes."""
    kind, own = fact
    outcome = ReportedOutcome(CallOutcome.NO_ANSWER, "before-release-2")
    return kind, own | {"outcome": outcome, "ranks": None}


@pytest.mark.parametrize(
    "past",
    [
        (old(ended("no-answer", LATER)),),
        (old(ended("no-answer", LATER)), old(reported(reason="no-answer"))),
    ],
    ids=["ended", "reported"],
)
def test_an_old_call_keeps_its_outcome_until_a_better_one_is_reported(
    past: tuple[Fact, ...],
) -> None:
    call = call_after(*IS_PLACED, *past)
    first = call.outcome
    unknown = OutcomeFinding(
        ReportedOutcome(CallOutcome.UNKNOWN, "unknown"), OutcomeBasis.UNKNOWN_REASON
    )
    do.end(call, outcome=unknown, ended_at=AT)
    second = call.outcome
    do.report(call, outcome=SHOWN)
    no_answer, screened = CallOutcome.NO_ANSWER, CallOutcome.SCREENED
    assert [first, second, call.outcome] == [no_answer, no_answer, screened]


@pytest.mark.parametrize("topic", ["call.ended", "call.reported"])
def test_the_outcome_of_an_old_event_ranks_as_its_reason_does(topic: str) -> None:
    state = orjson.loads((FOLDER / f"{topic}.2026-11-28.json").read_bytes())
    event: Any = event_of(topic, state)
    assert event.ranks.outcome == event.ranks.reason > 0
