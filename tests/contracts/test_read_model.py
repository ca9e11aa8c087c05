"""The contract of the port ReadModel, for the test double and the projector's feed."""

from collections.abc import Iterator

import pytest

from projections.campaigns import campaign_board
from tests.wiring import Services, open_services


@pytest.fixture(params=["stepped", "feed"])
def services(request: pytest.FixtureRequest, database: str) -> Iterator[Services]:
    """Services whose read model is a SteppedReadModel, or a projector with its feed."""
    with open_services(database, projector=request.param == "feed") as services:
        yield services


def last_position(services: Services) -> int:
    position = services.app.recorder.max_notification_id()
    assert position is not None
    return position


def test_readers_see_a_position_that_was_waited_for(services: Services) -> None:
    upload = services.staged.stage(["+12025550101"])
    new = services.new_campaign(upload)
    made = services.imports.create_campaign(new, default_cap=8, by="ann@example.com")
    assert services.read_model.wait_for(last_position(services), 10)
    with services.reading.connection() as conn:
        row = campaign_board.get(conn, made.campaign_id)
    assert row is not None
    assert row.pending == 1


def test_an_earlier_position_is_reached_as_well(services: Services) -> None:
    services.campaign(1)
    assert services.read_model.wait_for(1, 10)


def test_a_position_that_is_not_stored_is_not_reached(services: Services) -> None:
    services.campaign(1)
    assert not services.read_model.wait_for(last_position(services) + 1, 0.05)


def test_a_second_wait_needs_no_new_event(services: Services) -> None:
    services.campaign(1)
    position = last_position(services)
    assert services.read_model.wait_for(position, 10)
    assert services.read_model.wait_for(position, 0.05)
