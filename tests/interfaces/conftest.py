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
    """The same, but open sockets check their member's access every 0.1 s."""
    with opened_desk(database, recheck_seconds=0.1) as desk:
        yield desk


@pytest.fixture(scope="module")
def office(shared_database: str) -> Iterator[Desk]:
    """A desk shared by the tests of a module that do not affect each other."""
    with opened_desk(shared_database) as desk:
        yield desk
