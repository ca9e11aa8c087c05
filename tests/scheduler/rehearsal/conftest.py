from collections.abc import Iterator

import pytest

from storage.database import Conn
from tests.conftest import fresh_database


@pytest.fixture
def blank_database(server: Conn, postgres_url: str, model: str) -> Iterator[str]:
    """Yield the URL of a second database, with tables, in which a rehearsal can run.

    Rehearsals in processes of their own start with a database without tables.
    """
    with fresh_database(server, postgres_url, model) as url:
        yield url
