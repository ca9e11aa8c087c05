"""Events of each release store the reason of a deferral as the same text."""

import pytest

from domain.calls.call import Call
from domain.calls.deferrals import DeferralReason
from domain.planning.counted_calls import proves_nothing_rang
from domain.values import WaitingCode
from tests.domain.calls.call_facts import IS_REQUESTED, LATER, call_after, deferred

STORED = {
    DeferralReason.NEVER_LEFT: "unreachable",
    DeferralReason.NOT_NOW: "not now",
    DeferralReason.ACCOUNT_REFUSED: "account refused",
    DeferralReason.REFUSED: "refused",
    DeferralReason.ABSENT: "absent",
    DeferralReason.NOT_DIALLED: "not dialled",
}


def event_with(text: str, code: WaitingCode | None = None) -> Call.Deferred:
    kind, fields = deferred(text, LATER, code=code)
    call = call_after(*IS_REQUESTED)
    call.trigger_event(kind, **fields)
    event = call.pending_events[-1]
    assert isinstance(event, Call.Deferred)
    return event


def reason_in(text: str, code: WaitingCode | None = None) -> DeferralReason | None:
    return event_with(text, code).why


@pytest.mark.parametrize("reason", DeferralReason)
def test_a_reason_is_stored_as_the_text_of_release_1(reason: DeferralReason) -> None:
    assert reason.text == STORED[reason]
    assert reason_in(STORED[reason]) is reason


def test_another_text_and_a_waiting_code_are_no_reason() -> None:
    assert reason_in("busy") is None
    assert reason_in("OUTSIDE_HOURS", WaitingCode.OUTSIDE_HOURS) is None


@pytest.mark.parametrize("reason", DeferralReason)
def test_only_a_request_that_never_left_proves_that_nothing_rang(
    reason: DeferralReason,
) -> None:
    proof = proves_nothing_rang([event_with(reason.text)])
    assert proof is (reason is DeferralReason.NEVER_LEFT)
