from collections.abc import Iterator

import pytest

from tests.interfaces.serving import ApiClient, opened_desk


@pytest.fixture
def api(database: str) -> Iterator[ApiClient]:
    """A served API over a database of its own, with a projector."""
    with opened_desk(database) as api:
        yield api


@pytest.fixture
def impatient_desk(database: str) -> Iterator[ApiClient]:
    """The same, but open sockets check their member's access every 0.1 s."""
    with opened_desk(database, recheck_seconds=0.1) as api:
        yield api


@pytest.fixture(scope="module")
def shared_api(shared_database: str) -> Iterator[ApiClient]:
    """A api shared by the tests of a module that do not affect each other."""
    with opened_desk(shared_database) as api:
        yield api
