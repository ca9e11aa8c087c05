from collections.abc import Iterator

import pytest

from tests.interfaces.serving import Desk, opened_desk


@pytest.fixture
def desk(database: str) -> Iterator[Desk]:
    """A served API over a database of its own, with a projector."""
    with opened_desk(database) as desk:
        yield desk


@pytest.fixture
def impatient_desk(database: str) -> Iterator[Desk]:
    """The same, asking open sockets every instant whether they still may listen."""
    with opened_desk(database, recheck_seconds=0.1) as desk:
        yield desk


@pytest.fixture(scope="module")
def office(shared_database: str) -> Iterator[Desk]:
    """One for all tests of a module that leave nothing behind that others see."""
    with opened_desk(shared_database) as desk:
        yield desk
