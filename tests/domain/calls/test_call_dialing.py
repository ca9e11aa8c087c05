"""What the dialer's commands record: claims, requests, placements and refusals."""

from datetime import timedelta

import pytest

from domain.calls.call import Call
from domain.errors import AnotherProviderCall
from domain.values import CallStatus, ContactStatus, Refusal, call_id_of
from tests.domain.calls import call_facts as do
from tests.domain.calls.call_facts import (
    ANSWERED,
    AT,
    BAD_NUMBER,
    BUSY,
    BY,
    CANCELED,
    CREATED,
    DEFERRED,
    ENDED,
    ENDED_WELL,
    FAILED_BY_US,
    FAULT,
    IN_PROGRESS,
    IS_DEFERRED,
    IS_PLACED,
    IS_REQUESTED,
    LATER,
    LOST,
    NO_CREDIT,
    PENDING,
    PLACED,
    PROOF,
    QUEUED,
    RANG,
    REJECTED,
    REQUESTED,
    REQUESTED_AGAIN,
    REQUEUED,
    RINGING,
    TERMINAL,
    TIMED_OUT,
    UNKNOWN_ONCE,
    UNKNOWN_TWICE,
    call_after,
    changed,
    created,
    deferred,
    fact,
    new_events,
    rejected,
)
from tests.support import Fact

# --- Claims and requests ----------------------------------------------------------


def test_a_claim_creates_the_call_of_that_attempt() -> None:
    call = do.create(attempt=2)
    assert new_events(call) == [created(attempt=2)]
    assert (call.id, call.created_on) == (call_id_of(do.CONTACT, 2), AT)


def test_a_new_call_is_queued_and_waits() -> None:
    call = call_after(CREATED)
    assert (call.status, call.contact_status) == (CallStatus.QUEUED, QUEUED)
    assert (call.waiting, call.live, call.deferred) == (True, True, False)


def test_a_deferred_call_is_claimed_again() -> None:
    call = call_after(*IS_DEFERRED)
    do.requeue(call)
    assert new_events(call) == [REQUEUED]
    assert call.waiting


@pytest.mark.parametrize("past", [(CREATED,), (*IS_DEFERRED, REQUEUED)])
def test_each_request_has_the_next_number(past: tuple[Fact, ...]) -> None:
    call = call_after(*past)
    do.request(call)
    number = 1 + past.count(REQUESTED)
    assert new_events(call) == [changed(REQUESTED, number=number, dial_before=LATER)]


def test_a_request_that_never_left_is_renewed() -> None:
    call = call_after(*IS_REQUESTED)
    do.renew_request(call)
    assert new_events(call) == [REQUESTED_AGAIN]


# --- Placements -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("past", "own"),
    [
        (IS_REQUESTED, {}),
        (UNKNOWN_ONCE, {}),
        (IS_DEFERRED, {"was": PENDING}),
        ((*IS_REQUESTED, RANG), {"was": RINGING, "standing": RINGING}),
        ((*IS_REQUESTED, ANSWERED), {"was": IN_PROGRESS, "standing": IN_PROGRESS}),
        ((*IS_REQUESTED, ENDED_WELL), {"was": ENDED, "standing": ENDED}),
    ],
    ids=["requested", "unknown", "deferred", "ringing", "answered", "ended"],
)
def test_a_placement_takes_a_slot_and_never_turns_the_call_back(
    past: tuple[Fact, ...], own: dict[str, ContactStatus]
) -> None:
    call = call_after(*past)
    do.place(call)
    assert new_events(call) == [changed(PLACED, **own)]
    assert (call.provider_call_id, call.placed_at) == ("p-1", AT)
    assert (call.deferred, call.outcome_unknown) == (False, False)


def test_a_call_is_never_two_calls_at_the_provider() -> None:
    call = call_after(*IS_PLACED)
    with pytest.raises(AnotherProviderCall) as refusal:
        do.place(call, "p-2")
    assert (refusal.value.bound, refusal.value.other) == ("p-1", "p-2")
    assert new_events(call) == []


@pytest.mark.parametrize("name", ["rejected", "failed", "canceled"])
def test_a_late_placement_of_a_call_given_up_is_a_ghost(name: str) -> None:
    call = call_after(*TERMINAL[name])
    stays = {"was": call.contact_status, "standing": call.contact_status}
    do.place(call)
    assert new_events(call) == [changed(PLACED, ghost=True, **stays)]
    assert call.provider_call_id == "p-1"


def test_the_proof_of_a_placement_is_kept() -> None:
    call = call_after(*IS_REQUESTED)
    do.place(call, evidence=PROOF)
    assert new_events(call) == [changed(PLACED, evidence=PROOF)]
    do.receive(call, PROOF)
    assert new_events(call) == []


def test_a_second_call_at_the_provider_is_recorded() -> None:
    call = call_after(*IS_PLACED)
    do.detect_duplicate(call)
    assert new_events(call) == [fact(Call.DuplicateDetected, provider_call_id="p-2")]


# --- Deferred, unknown, absent ------------------------------------------------------


@pytest.mark.parametrize("past", [(CREATED,), IS_REQUESTED, (*IS_DEFERRED, REQUEUED)])
def test_a_call_that_rang_nobody_is_deferred(past: tuple[Fact, ...]) -> None:
    call = call_after(*past)
    do.defer(call)
    assert new_events(call) == [DEFERRED]
    assert (call.deferred, call.live) == (True, True)


def test_a_lost_answer_leaves_the_outcome_unknown_and_the_slot_taken() -> None:
    call = call_after(*IS_REQUESTED)
    do.lose_outcome(call)
    assert new_events(call) == [LOST]
    assert (call.outcome_unknown, call.contact_status) == (True, QUEUED)


def test_the_first_absence_frees_the_call_to_be_requested_once_more() -> None:
    call = call_after(*UNKNOWN_ONCE)
    do.settle_absent(call)
    assert new_events(call) == [deferred("absent", LATER)]


REFUSED_IN_BETWEEN = (DEFERRED, REQUEUED, changed(REQUESTED, number=3), LOST)


@pytest.mark.parametrize(
    "past",
    [UNKNOWN_TWICE, (*UNKNOWN_TWICE[:-1], *REFUSED_IN_BETWEEN)],
    ids=["at once", "with a refusal in between"],
)
def test_the_second_absence_gives_the_call_up(past: tuple[Fact, ...]) -> None:
    call = call_after(*past)
    do.settle_absent(call)
    assert new_events(call) == [FAILED_BY_US]
    assert call.status is CallStatus.FAILED


# --- Refused ------------------------------------------------------------------------


def test_a_contact_that_may_not_be_called_fails_its_call() -> None:
    call = call_after(*IS_REQUESTED)
    do.refuse(call, BAD_NUMBER)
    assert new_events(call) == [REJECTED]
    assert call.status is CallStatus.FAILED


@pytest.mark.parametrize(
    ("refusal", "reason", "earlier"),
    [(BUSY, "not now", 40), (NO_CREDIT, "account refused", 4)],
    ids=["capacity", "credit"],
)
def test_lack_of_capacity_or_credit_is_never_held_against_a_contact(
    refusal: Refusal, reason: str, earlier: int
) -> None:
    call = call_after(created(9, capacity=40, platform=4), REQUESTED)
    do.refuse(call, refusal)
    fields = {"refusal": refusal, "earlier_refusals": earlier}
    assert new_events(call) == [deferred(reason, LATER, **fields)]


@pytest.mark.parametrize(("earlier", "seconds"), [(0, 1), (1, 4), (2, 10), (3, 600)])
def test_an_unexplained_refusal_is_tried_again_after_a_growing_time(
    earlier: int, seconds: int
) -> None:
    call = call_after(created(platform=earlier), REQUESTED)
    do.refuse(call, FAULT, until=AT)
    until = AT + timedelta(seconds=seconds)
    fields = {"refusal": FAULT, "earlier_refusals": earlier}
    assert new_events(call) == [deferred("refused", until, **fields)]


def test_a_retry_waits_until_the_line_may_be_used_again() -> None:
    call = call_after(*IS_REQUESTED)
    do.refuse(call, FAULT, until=LATER)
    assert new_events(call) == [deferred("refused", LATER, refusal=FAULT)]


def test_the_fifth_unexplained_refusal_fails_the_contact() -> None:
    call = call_after(CREATED)
    for number in range(5):
        if number:
            do.requeue(call)
        do.request(call)
        new_events(call)
        do.refuse(call, FAULT)
        assert call.deferred is (number < 4)
    assert new_events(call) == [rejected(FAULT)]


# --- Given up -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_the_way", "was"),
    [((), QUEUED), ((RANG,), RINGING), ((ANSWERED,), IN_PROGRESS)],
    ids=["queued", "ringing", "answered"],
)
def test_a_placed_call_that_the_provider_lost_times_out(
    on_the_way: tuple[Fact, ...], was: ContactStatus
) -> None:
    call = call_after(*IS_PLACED, *on_the_way)
    do.time_out(call)
    assert new_events(call) == [changed(TIMED_OUT, was=was)]
    assert call.status is CallStatus.TIMEOUT


@pytest.mark.parametrize("past", [(CREATED,), IS_REQUESTED, UNKNOWN_ONCE])
def test_a_waiting_call_is_given_up(past: tuple[Fact, ...]) -> None:
    call = call_after(*past)
    do.fail(call)
    assert new_events(call) == [FAILED_BY_US]


@pytest.mark.parametrize("past", [(CREATED,), (*IS_DEFERRED, REQUEUED)])
def test_a_claim_that_was_not_requested_is_taken_back(past: tuple[Fact, ...]) -> None:
    call = call_after(*past)
    do.cancel(call)
    assert new_events(call) == [CANCELED]
    assert call.status is CallStatus.CANCELED


def test_a_live_call_is_confirmed_as_often_as_it_is_seen() -> None:
    call = call_after(*IS_PLACED)
    do.confirm(call)
    call.confirm(provider_status="ringing", at=LATER, by=BY)
    seen = fact(Call.Confirmed, provider_status="ringing")
    assert new_events(call) == [seen, seen]
    assert call.modified_on == LATER
