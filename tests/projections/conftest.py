"""A database with log, vault and read model."""

from collections.abc import Iterator

import pytest

from projections.engine.schema import use_read_model
from storage.database import connect, open_pool
from storage.log.recorder import EventRecorder
from tests.projections.dialing.dial_scene import Scene
from tests.projections.store import Store
from tests.reused_databases import ReusedDatabase


@pytest.fixture
def store(reused_database: ReusedDatabase) -> Iterator[Store]:
    url = reused_database.url
    with (
        open_pool(url, name="test", max_size=2) as pool,
        connect(url, name="test") as conn,
    ):
        use_read_model(conn)
        yield Store(url, conn, EventRecorder(pool))


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)
