"""How far the read tables are behind the log."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import orjson

from projections.rebuild import NEXT
from projections.schema import SCHEMA
from projections.tables import place_in, select_value
from storage.database import Conn


@dataclass(frozen=True, slots=True)
class Standing:
    """`behind` events of the log are missing, the first one said to be of `since`.

    `rebuilt` is the position of a rebuild, where one is under way or was killed.
    """

    position: int
    head: int
    behind: int
    since: datetime | None
    rebuilt: int | None


_HEAD: LiteralString = "select coalesce(max(notification_id), 0) from autolynx_events"
_BEHIND: LiteralString = """
    select count(*) from autolynx_events where notification_id > %(position)s
"""
_NEXT: LiteralString = """
    select state from autolynx_events where notification_id > %(position)s
    order by notification_id limit 1
"""


def standing(conn: Conn) -> Standing:
    place, rebuilt = place_in(conn, SCHEMA), place_in(conn, NEXT)
    position = place.position if place else 0
    state = select_value(conn, _NEXT, position=position)
    return Standing(
        position=position,
        head=int(select_value(conn, _HEAD)),
        behind=int(select_value(conn, _BEHIND, position=position)),
        since=None if state is None else _time(state),
        rebuilt=rebuilt.position if rebuilt else None,
    )


def _time(state: bytes) -> datetime | None:
    try:
        return datetime.fromisoformat(orjson.loads(state)["timestamp"])
    except (ValueError, KeyError, TypeError):
        return None  # Nobody can read it: there the projector stops.
