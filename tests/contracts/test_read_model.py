"""The contract of the port ReadModel, for the test double and the projector's feed."""

from collections.abc import Iterator

import pytest

from projections.campaigns import campaign_board
from tests.wiring import House, housed


@pytest.fixture(params=["stepped", "feed"])
def house(request: pytest.FixtureRequest, database: str) -> Iterator[House]:
    """Services whose read model is a SteppedReadModel, or a projector with its feed."""
    with housed(database, projector=request.param == "feed") as house:
        yield house


def last_position(house: House) -> int:
    position = house.app.recorder.max_notification_id()
    assert position is not None
    return position


def test_readers_see_a_position_that_was_waited_for(house: House) -> None:
    upload = house.staged.stage(["+12025550101"])
    new = house.new_campaign(upload)
    made = house.imports.create_campaign(new, default_cap=8, by="ann@example.com")
    assert house.read_model.wait_for(last_position(house), 10)
    with house.reading.connection() as conn:
        row = campaign_board.get(conn, made.campaign_id)
    assert row is not None
    assert row.pending == 1


def test_an_earlier_position_is_reached_as_well(house: House) -> None:
    house.campaign(1)
    assert house.read_model.wait_for(1, 10)


def test_a_position_that_is_not_stored_is_not_reached(house: House) -> None:
    house.campaign(1)
    assert not house.read_model.wait_for(last_position(house) + 1, 0.05)


def test_a_second_wait_needs_no_new_event(house: House) -> None:
    house.campaign(1)
    position = last_position(house)
    assert house.read_model.wait_for(position, 10)
    assert house.read_model.wait_for(position, 0.05)
