"""How far the read model is behind the log."""

from datetime import datetime
from typing import LiteralString

import orjson

from projections.tables import position_of
from storage.database import Conn

NEXT_EVENT: LiteralString = """
select state from autolynx_events where notification_id > %s
order by notification_id limit 1
"""


def lag_seconds(conn: Conn, now: datetime) -> float:
    """Return the age of the oldest event that the read model does not show, or 0."""
    row = conn.execute(NEXT_EVENT, (position_of(conn),)).fetchone()
    if row is None:
        return 0.0
    recorded = datetime.fromisoformat(orjson.loads(row[0])["timestamp"])
    return max((now - recorded).total_seconds(), 0.0)
