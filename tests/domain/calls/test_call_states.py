"""Which commands record something in which state of a call; the others are silent."""

from collections.abc import Callable

import pytest

from domain.calls.call import Call
from domain.errors import MayNotBeRequested, NotDeferred
from domain.values import Refusal
from tests.domain.calls import call_facts as do
from tests.domain.calls.call_facts import (
    HISTORIES,
    LIVE,
    TERMINAL,
    call_after,
    new_events,
)

QUEUED_STATES = {
    *("claimed", "requested", "unknown", "unknown twice"),
    *("deferred", "requeued", "placed"),
}
NO_OUTCOME_YET = {"claimed", "requested", "requeued"}
"""Claimed, and no request was answered or lost."""

RECORDED_IN: dict[Callable[[Call], None], set[str]] = {
    do.requeue: {"deferred"},
    do.request: {"claimed", "requeued"},
    do.renew_request: {"requested"},
    do.defer: NO_OUTCOME_YET,
    do.refuse: NO_OUTCOME_YET,
    do.lose_outcome: {"requested"},
    do.settle_absent: {"unknown", "unknown twice"},
    do.time_out: {"placed", "ringing", "answered"},
    do.fail: NO_OUTCOME_YET | {"unknown", "unknown twice"},
    do.cancel: {"claimed", "requeued"},
    do.withdraw: {"deferred"},
    do.ring: QUEUED_STATES,
    do.end: {*HISTORIES} - {"ended"},
    do.confirm: {*LIVE},
    do.request_hang_up: {*LIVE},
    do.receive: {*HISTORIES},
    do.detect_duplicate: {*HISTORIES},
}
RAISES = {
    do.requeue: NotDeferred,
    do.request: MayNotBeRequested,
    do.renew_request: MayNotBeRequested,
}
"""The commands that raise an error in all other states."""


@pytest.mark.parametrize("state", HISTORIES)
@pytest.mark.parametrize("command", RECORDED_IN, ids=lambda command: command.__name__)
def test_a_command_records_something_in_its_states_only(
    command: Callable[[Call], None], state: str
) -> None:
    call = call_after(*HISTORIES[state])
    if state not in RECORDED_IN[command] and command in RAISES:
        with pytest.raises(RAISES[command]):
            command(call)
        assert new_events(call) == []
    else:
        command(call)
        assert bool(new_events(call)) == (state in RECORDED_IN[command])


@pytest.mark.parametrize("refusal", [do.BAD_NUMBER, do.BUSY, do.NO_CREDIT])
@pytest.mark.parametrize("state", [*TERMINAL, "unknown", "placed"])
def test_a_refusal_of_any_kind_needs_an_open_request(
    refusal: Refusal, state: str
) -> None:
    call = call_after(*HISTORIES[state])
    do.refuse(call, refusal)
    assert new_events(call) == []


@pytest.mark.parametrize(
    "command",
    [
        *(do.place, do.ring, do.answer, do.end, do.report),
        *(do.request_hang_up, do.receive, do.detect_duplicate),
    ],
    ids=lambda command: command.__name__,
)
def test_a_repeated_command_is_silent(command: Callable[[Call], None]) -> None:
    call = call_after(*HISTORIES["requested"])
    command(call)
    new_events(call)
    command(call)
    assert new_events(call) == []
