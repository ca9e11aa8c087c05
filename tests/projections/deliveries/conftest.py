"""The services over a fresh database, with a clock that only the test advances."""

from collections.abc import Iterator

import pytest

from tests.wiring import House, housed


@pytest.fixture
def house(database: str) -> Iterator[House]:
    with housed(database) as house:
        yield house
