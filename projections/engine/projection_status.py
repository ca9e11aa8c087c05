"""How far the read tables are, and a rebuild of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from projections.engine.rebuild import NEXT
from projections.lag import lag_seconds
from projections.tables import SCHEMA, place_in, select_value
from storage.database import Conn


@dataclass(frozen=True, slots=True)
class Standing:
    """`behind` events of the log are missing, the oldest `lag_seconds` old.

    `rebuilt` is the position of a rebuild, where one is under way or was killed.
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


def standing(conn: Conn, now: datetime) -> Standing:
    place, rebuilt = place_in(conn, SCHEMA), place_in(conn, NEXT)
    position = place.position if place else 0
    return Standing(
        position=position,
        head=int(select_value(conn, _HEAD)),
        behind=int(select_value(conn, _BEHIND, position=position)),
        lag_seconds=lag_seconds(conn, now),
        rebuilt=rebuilt.position if rebuilt else None,
    )
