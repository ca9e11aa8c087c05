"""The simulated provider in virtual time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.ports import (
    Accepted,
    CallOrder,
    ProviderAssistant,
    ProviderUnavailable,
    Unknown,
)
from provider.simulator.scenarios import (
    OUTAGE_LASTS,
    Outage,
    outage_of,
    settings_of,
)
from provider.simulator.virtual.provider import VirtualExchange
from storage.process.rehearsal_order import RehearsalScenario

BEGIN = datetime(2026, 3, 2, 15, tzinfo=UTC)
LATE = timedelta(minutes=5)


class Clock:
    """A clock that the test moves."""

    time = BEGIN

    def __call__(self) -> datetime:
        return self.time


def exchange(clock: Clock, outage: Outage | None = None) -> VirtualExchange:
    return VirtualExchange(
        settings=settings_of(RehearsalScenario.EVERYBODY_ANSWERS, 1),
        now=clock,
        outage=outage or outage_of(RehearsalScenario.NORMAL),
        assistants={"a-1": ProviderAssistant("a-1", "Riley", {})},
    )


def order(number: int) -> CallOrder:
    return CallOrder(
        call_id=uuid4(),
        campaign_id=uuid4(),
        contact_id=uuid4(),
        attempt=1,
        request=1,
        phone=f"+1202555{number:04d}",
        name="Ada",
        variables={},
        provider_assistant_id="a-1",
        phone_number_id="n-1",
    )


def placed(provider: VirtualExchange, number: int) -> Accepted:
    outcome = provider.create_call(order(number), send_before=0)
    assert isinstance(outcome, Accepted)
    return outcome


def times(messages: list[dict[str, Any]]) -> list[int]:
    return [message["message"]["timestamp"] for message in messages]


def test_the_times_of_a_call_do_not_depend_on_when_its_messages_are_fetched() -> None:
    clock = Clock()
    prompt, late = exchange(clock), exchange(clock)
    placed(prompt, 1)
    placed(late, 1)
    fetched: list[dict[str, Any]] = []
    while (at := prompt.next_at) is not None:
        clock.time = at
        fetched += prompt.take_due()
    clock.time += LATE
    assert times(late.take_due()) == times(fetched)
    assert len(fetched) == 4


def test_a_call_takes_the_slot_of_one_that_has_ended_at_the_time_of_its_end() -> None:
    clock = Clock()
    provider = exchange(clock)
    placed(provider, 1)
    clock.time += LATE
    *_, ended, _report = times(provider.take_due())
    freed = placed(provider, 2).placed_at
    assert int(freed.timestamp() * 1000) == ended
    assert placed(provider, 3).placed_at == clock.time, "no other slot became free"


def test_the_provider_gives_no_answer_in_the_middle_of_an_outage_scenario() -> None:
    clock = Clock()
    provider = exchange(clock, outage_of(RehearsalScenario.PROVIDER_OUTAGE))
    provider.expect(4)
    placed(provider, 1)
    placed(provider, 2)
    assert isinstance(provider.create_call(order(3), send_before=0), Unknown)
    with pytest.raises(ProviderUnavailable):
        provider.calls("n-1", since=BEGIN)
    clock.time += OUTAGE_LASTS
    placed(provider, 4)
    assert len(provider.calls("n-1", since=BEGIN)) == 3
