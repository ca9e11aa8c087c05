"""The scenarios of a rehearsal differ in how people and the provider behave."""

from pathlib import Path
from typing import Any

import pytest

from provider.simulator.scenarios import REFUSING_LIMIT
from storage.process.rehearsal_order import RehearsalScenario
from tests.scheduler.rehearsal.rehearsing import order_for, run_here

PEOPLE = 20


@pytest.fixture
def figures(
    database: str, blank_database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> dict[str, Any]:
    order = order_for(database, tmp_path, people=PEOPLE, cap=8, scenario=request.param)
    return run_here(order, blank_database)


@pytest.mark.parametrize(
    "figures", [RehearsalScenario.EVERYBODY_ANSWERS], indirect=True
)
def test_everybody_answers(figures: dict[str, Any]) -> None:
    assert figures["human"] == figures["calls"] == PEOPLE


@pytest.mark.parametrize("figures", [RehearsalScenario.FEW_ANSWER], indirect=True)
def test_few_people_answer(figures: dict[str, Any]) -> None:
    assert 0 < figures["human"] < PEOPLE / 4


@pytest.mark.parametrize("figures", [RehearsalScenario.PROVIDER_OUTAGE], indirect=True)
def test_an_outage_delays_the_calls_but_loses_no_contact(
    figures: dict[str, Any],
) -> None:
    assert (figures["state"], figures["pending"]) == ("COMPLETED", 0)
    assert figures["calls"] >= PEOPLE


def test_a_provider_that_refuses_calls_delays_them_but_loses_no_contact(
    database: str, blank_database: str, tmp_path: Path
) -> None:
    """Few people: each refusal makes the scheduler slower, and so the rehearsal."""
    people = 3 * REFUSING_LIMIT
    order = order_for(
        database,
        tmp_path,
        people=people,
        cap=people,
        scenario=RehearsalScenario.PROVIDER_REFUSES,
    )
    figures = run_here(order, blank_database)
    assert (figures["state"], figures["pending"]) == ("COMPLETED", 0)
    assert figures["calls"] >= people
