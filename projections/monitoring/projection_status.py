"""Status of the read tables: checkpoint, lag, and the progress of a rebuild."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from projections.engine.rebuild import NEXT
from projections.monitoring.lag import lag_seconds
from projections.tables.checkpoint import checkpoint_in
from projections.tables.definition import SCHEMA
from projections.tables.queries import select_value
from storage.database import Conn


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    """Checkpoint and head of the log; `behind` events are not included yet.

    The oldest of them is `lag_seconds` old. `rebuilt` is the checkpoint of a rebuild
    that is running or was killed, else None.
    """

    position: int
    head: int
    behind: int
    lag_seconds: float
    rebuilt: int | None


_HEAD: LiteralString = "select coalesce(max(notification_id), 0) from autolynx_events"
_BEHIND: LiteralString = """
    select count(*) from autolynx_events where notification_id > %(position)s
"""


def projection_status(conn: Conn, now: datetime) -> ProjectionStatus:
    """Read the status of the live tables and of a rebuild, at the time `now`."""
    checkpoint, rebuilt = checkpoint_in(conn, SCHEMA), checkpoint_in(conn, NEXT)
    position = checkpoint.position if checkpoint else 0
    return ProjectionStatus(
        position=position,
        head=int(select_value(conn, _HEAD)),
        behind=int(select_value(conn, _BEHIND, position=position)),
        lag_seconds=lag_seconds(conn, now),
        rebuilt=rebuilt.position if rebuilt else None,
    )
