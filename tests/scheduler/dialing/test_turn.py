"""What one turn of the scheduler does with the settings of that moment."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.scheduler.leading import Leading, Passes
from tests.support import eventually
from tests.wiring import Services


@pytest.fixture
def passes(services: Services) -> Iterator[Passes]:
    made = Passes(services)
    yield made
    made.deps.dispatch.stop()


def turn(passes: Passes, **settings: Any) -> None:
    services, leading = passes.services, Leading()
    values = replace(services.settings.values(), **settings)
    seen = services.snapshot()
    passes.scheduler.turn(leading, seen, values)  # type: ignore[arg-type]  # all it needs
    eventually(lambda: not passes.deps.dispatch._under_way, what="settled calls")
    services.settle()


def test_a_changed_pace_holds_from_the_next_turn_on(
    services: Services, passes: Passes
) -> None:
    services.campaign(3)
    turn(passes, dials_per_second=0.01)
    assert len(services.provider.orders) == 1


@pytest.mark.parametrize(("refill", "orders"), [(False, 0), (True, 2)])
def test_between_ticks_slots_are_filled_only_if_refilling_is_on(
    services: Services, passes: Passes, refill: bool, orders: int
) -> None:
    turn(passes, dials_per_second=1000.0)  # The first turn is a tick.
    services.campaign(2)
    passes.scheduler._check_at = 0.0  # A check is due, but no tick.
    turn(passes, dials_per_second=1000.0, refill_immediately=refill)
    assert len(services.provider.orders) == orders
