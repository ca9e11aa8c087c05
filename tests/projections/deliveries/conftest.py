"""The services, on a fresh database and with a clock that stands still."""

from collections.abc import Iterator

import pytest

from tests.wiring import House, housed


@pytest.fixture
def house(database: str) -> Iterator[House]:
    with housed(database) as house:
        yield house
