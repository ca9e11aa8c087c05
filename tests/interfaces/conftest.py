from collections.abc import Iterator

import pytest

from tests.interfaces.serving import ApiClient, serve_api
from tests.reused_databases import ReusedDatabase


@pytest.fixture
def api(reused_database: ReusedDatabase) -> Iterator[ApiClient]:
    """A served API over a database of its own, with a projector."""
    with serve_api(reused_database.url, pools=reused_database.pools) as api:
        yield api


@pytest.fixture
def api_with_frequent_checks(reused_database: ReusedDatabase) -> Iterator[ApiClient]:
    """The same, but open sockets check their member's access every 0.1 s."""
    url, pools = reused_database.url, reused_database.pools
    with serve_api(url, pools=pools, recheck_seconds=0.1) as api:
        yield api


@pytest.fixture(scope="module")
def shared_api(shared_database: str) -> Iterator[ApiClient]:
    """An API shared by the tests of a module that do not affect each other."""
    with serve_api(shared_database) as api:
        yield api
