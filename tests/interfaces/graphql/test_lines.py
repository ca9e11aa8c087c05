"""The provider's lines: cached, and shown even while it is down."""

from datetime import UTC, datetime

import pytest

from application.ports import (
    CallReport,
    PhoneNumber,
    ProviderCall,
    ProviderRefused,
    ProviderUnavailable,
)
from interfaces.graphql.lines import Lines
from provider.vapi.messages.reading import PHASES
from tests.fakes import FakeProvider

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LINE = PhoneNumber("line-1", "+12025550100", "Main", "active")


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Counting(FakeProvider):
    asked = 0

    def phone_numbers(self) -> list[PhoneNumber]:
        self.asked += 1
        return super().phone_numbers()


def shown(id_: str, status: str) -> ProviderCall:
    return ProviderCall(id_, status, PHASES[status], NOW, None, CallReport(), {})


def provider() -> Counting:
    calls = [shown("a", "in-progress"), shown("b", "ended"), shown("c", "queued")]
    return Counting(
        lines=[LINE], shown={one.provider_call_id: ("line-1", one) for one in calls}
    )


def test_live_calls_of_others_on_the_line_are_counted() -> None:
    (line,) = Lines(provider(), lambda: NOW).activity()
    assert (line.line, line.active_calls) == (LINE, 2)


def test_the_provider_is_queried_at_most_once_in_five_seconds() -> None:
    asked, clock = provider(), Clock()
    lines = Lines(asked, lambda: NOW, clock)
    for clock.seconds in (0.0, 4.9, 5.0):
        lines.activity()
    assert asked.asked == 2


def test_an_unreachable_provider_leaves_the_lines_without_their_activity() -> None:
    asked, clock = provider(), Clock()
    lines = Lines(asked, lambda: NOW, clock)
    lines.activity()
    clock.seconds, asked.down = 6.0, True
    (line,) = lines.activity()
    assert (line.line, line.active_calls) == (LINE, None)


def test_a_fault_of_one_line_is_reported_for_that_line_only() -> None:
    asked = provider()
    other = PhoneNumber("line-2", "+12025550102", None, None)
    asked.lines = [LINE, other]
    asked.lines_down["line-2"] = ProviderRefused("404: not found")
    lines = Lines(asked, lambda: NOW)
    first, second = lines.activity()
    assert (first.active_calls, first.trouble) == (2, None)
    assert (second.active_calls, second.trouble) == (None, "404: not found")
    assert lines.trouble is None


def test_an_unreachable_provider_without_known_lines_raises() -> None:
    down = provider()
    down.down = True
    with pytest.raises(ProviderUnavailable):
        Lines(down, lambda: NOW).activity()
