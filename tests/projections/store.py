"""The log and the read model of one test's own database."""

from collections.abc import Iterable
from typing import Any

from storage.database import Conn
from storage.log.mapper import TypedMapper
from storage.log.recorder import EventRecorder


class Store:
    """The log and the read model of one test's own database."""

    def __init__(self, url: str, conn: Conn, recorder: EventRecorder) -> None:
        self.url, self.conn, self.recorder = url, conn, recorder

    def append(self, events: Iterable[Any]) -> int:
        """Store events in one transaction; return the position of the last one."""
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
