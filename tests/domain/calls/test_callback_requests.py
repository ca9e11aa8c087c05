"""Times for which a contact asks, as a call records them: which one counts."""

from datetime import datetime, timedelta

from domain.calls.call import Call
from domain.calls.callbacks import Obstacle
from domain.outcomes import DispositionSource
from tests.domain.calls.call_facts import (
    AT,
    BY,
    IS_PLACED,
    call_after,
    fact,
    new_events,
)

OUTPUT, TOOL = DispositionSource.OUTPUT, DispositionSource.TOOL
ONE, OTHER = AT + timedelta(days=1), AT + timedelta(days=2)
ZONE = "America/Chicago"


def ask(call: Call, source: DispositionSource, due_at: datetime) -> None:
    call.request_callback(due_at=due_at, time_zone=ZONE, source=source, at=AT, by=BY)


def after(*asked: tuple[DispositionSource, datetime]) -> Call:
    call = call_after(*IS_PLACED)
    for source, due_at in asked:
        ask(call, source, due_at)
    return call


def test_of_two_times_from_the_same_source_the_last_one_counts() -> None:
    for source in (OUTPUT, TOOL):
        call = after((source, ONE), (source, OTHER))
        assert (call.callback_at, call.callback_source) == (OTHER, source)


def test_a_time_in_an_output_does_not_replace_one_that_a_tool_agreed() -> None:
    call = after((TOOL, ONE), (OUTPUT, OTHER))
    assert (call.callback_at, call.callback_source) == (ONE, TOOL)


def test_a_time_that_a_tool_agrees_later_replaces_one_in_an_output() -> None:
    call = after((OUTPUT, OTHER), (TOOL, ONE), (OUTPUT, OTHER))
    assert (call.callback_at, call.callback_source) == (ONE, TOOL)


def test_the_same_time_again_is_recorded_once_for_each_source() -> None:
    call = after((OUTPUT, ONE), (OUTPUT, ONE), (TOOL, ONE), (TOOL, ONE))
    asked = {"due_at": ONE, "time_zone": ZONE}
    assert new_events(call) == [
        fact(Call.CallbackRequested, **asked, source=OUTPUT),
        fact(Call.CallbackRequested, **asked, source=TOOL),
    ]


def test_a_time_that_is_not_possible_is_recorded_and_changes_nothing() -> None:
    call = after((OUTPUT, ONE))
    call.ignore_callback(Obstacle.PAST, OUTPUT, at=AT, by=BY)
    assert new_events(call)[1:] == [
        fact(Call.CallbackIgnored, obstacle=Obstacle.PAST, source=OUTPUT)
    ]
    assert call.callback_at == ONE
