from collections.abc import Iterator

import pytest

from tests.interfaces.serving import Desk, database_of, opened_desk


@pytest.fixture
def desk(empty_database: str) -> Iterator[Desk]:
    """A served API over a database of its own, with a projector."""
    with opened_desk(empty_database) as desk:
        yield desk


@pytest.fixture
def impatient_desk(empty_database: str) -> Iterator[Desk]:
    """The same, asking open sockets every instant whether they still may listen."""
    with opened_desk(empty_database, recheck_seconds=0.1) as desk:
        yield desk


@pytest.fixture(scope="module")
def office(postgres_url: str) -> Iterator[Desk]:
    """One for all tests of a module that leave nothing behind that others see."""
    with database_of(postgres_url) as database, opened_desk(database) as desk:
        yield desk
