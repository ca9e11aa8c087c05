"""A database with log, vault and read model."""

from collections.abc import Iterator

import pytest

from projections.engine.schema import use_read_model
from storage.database import connect, open_pool
from storage.log.recorder import EventRecorder
from tests.projections.dialing.dial_scene import Scene
from tests.projections.store import Store


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with (
        open_pool(database, name="test", max_size=2) as pool,
        connect(database, name="test") as conn,
    ):
        use_read_model(conn)
        yield Store(database, conn, EventRecorder(pool))


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)
