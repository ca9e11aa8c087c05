"""A database with log, vault and read model, and what tests do to it."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from projections.engine.schema import use_read_model
from storage.database import Conn, connect, open_pool
from storage.log.mapper import TypedMapper
from storage.log.recorder import EventRecorder


class Store:
    """The log and the read model of one test's own database."""

    def __init__(self, url: str, conn: Conn, recorder: EventRecorder) -> None:
        self.url, self.conn, self.recorder = url, conn, recorder

    def append(self, events: Iterable[Any]) -> int:
        """Store events all or nothing; return the last one's position."""
        mapper = TypedMapper()
        stored = [mapper.to_stored_event(event) for event in events]
        positions = self.recorder.insert_events(stored)
        assert positions
        return positions[-1]

    def position(self) -> int:
        return int(self.value("select position from projection_position"))

    def value(self, query: str, *values: Any) -> Any:
        row = self.conn.execute(query.encode(), values).fetchone()
        assert row is not None
        return row[0]


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with (
        open_pool(database, name="test", max_size=2) as pool,
        connect(database, name="test") as conn,
    ):
        use_read_model(conn)
        yield Store(database, conn, EventRecorder(pool))
