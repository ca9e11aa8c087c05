"""The services over a fresh database, with a clock that only the test advances."""

from collections.abc import Iterator

import pytest

from tests.wiring import Services, open_services


@pytest.fixture
def services(database: str) -> Iterator[Services]:
    with open_services(database) as services:
        yield services
