"""A read model that a test updates by waiting for it."""

from threading import Lock

from application.ports import ReadModel
from projections.engine.runner import REBUILD_BATCH, Batches
from storage.database import connect

NAME = "stepped read model"


class SteppedReadModel(ReadModel):
    """Projects the log when a caller waits for a position, and at no other time."""

    def __init__(self, url: str) -> None:
        self._conn, self._lock = connect(url, name=NAME), Lock()
        self._batches: Batches | None = None
        self.held = False
        """While true nothing is projected, as if the projector were down."""

    def wait_for(self, position: int, timeout: float) -> bool:
        if self.held:
            return False
        with self._lock:
            if self._position() < position:
                self._bring_in()
            return self._position() >= position

    def _bring_in(self) -> None:
        """Project all events; the batches are created once, which is expensive."""
        self._batches = self._batches or Batches(self._conn)
        while self._batches.apply(REBUILD_BATCH).more:
            pass

    def _position(self) -> int:
        row = self._conn.execute(
            "select position from read.projection_position where name = 'read'"
        ).fetchone()
        return int(row[0]) if row else -1

    def reset(self) -> None:
        """Prepare it for another test; raises an error if its connection is broken."""
        self.held = False
        self._conn.execute("select 1")

    def close(self) -> None:
        self._conn.close()
