"""Lag of the read model behind the log, and the next event to apply."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import orjson

from projections.tables.checkpoint import checkpoint_in
from projections.tables.definition import SCHEMA
from storage.database import Conn

NEXT_EVENT: LiteralString = """
select notification_id, topic, state from autolynx_events
where notification_id > %s order by notification_id limit 1
"""


@dataclass(frozen=True, slots=True)
class Lag:
    """Age in seconds of the oldest event not yet applied, and which event it is.

    Zero and None if the read model includes the whole log.
    """

    seconds: float = 0.0
    next_event: str | None = None


def lag(conn: Conn, now: datetime) -> Lag:
    """Return the lag at the time `now`.

    The next event may be one that cannot be applied and so stops the projector. If its
    time cannot be read, that of the last applied event is used.
    """
    checkpoint = checkpoint_in(conn, SCHEMA)
    row = conn.execute(
        NEXT_EVENT, (checkpoint.position if checkpoint else 0,)
    ).fetchone()
    if row is None:
        return Lag()
    position, topic, state = row
    recorded = _recorded(state) or (checkpoint.latest_at if checkpoint else None) or now
    seconds = max((now - recorded).total_seconds(), 0.0)
    return Lag(seconds, f"event {position} ({topic})")


def lag_seconds(conn: Conn, now: datetime) -> float:
    """Return the age in seconds of the oldest event not yet applied, or 0."""
    return lag(conn, now).seconds


def _recorded(state: bytes) -> datetime | None:
    try:
        return datetime.fromisoformat(orjson.loads(state)["timestamp"])
    except (ValueError, KeyError, TypeError):
        return None  # The event is damaged.
