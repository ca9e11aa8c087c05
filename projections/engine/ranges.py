"""Divides the log into ranges of positions, each with the events of one batch."""

from collections.abc import Iterator
from typing import LiteralString, NamedTuple

from projections.engine.prepared import MOST_BYTES
from projections.tables.queries import select_value
from storage.database import Conn

FIRST_POSITION = -(2**63)
"""A position before all others, also those that a log should not contain."""


class Range(NamedTuple):
    """The positions after `after`, up to `until`.

    With `check`, its events are verified; with `prepare`, they are prepared.
    """

    after: int
    until: int
    check: bool = False
    prepare: bool = True


_LAST: LiteralString = """
    select max(notification_id) from (
        select notification_id, octet_length(state) as own,
            sum(octet_length(state)) over (order by notification_id) as size
        from (
            select notification_id, state from autolynx_events
            where notification_id > %(after)s and notification_id <= %(until)s
            order by notification_id limit %(limit)s
        ) first
    ) sized
    where size - own < %(bytes)s
"""


def ranges(
    conn: Conn, after: int, until: int, limit: int, *, check: bool = False
) -> Iterator[Range]:
    """Yield ranges of up to `limit` events, which together cover all positions.

    Positions without an event at the end belong to the last range.
    """
    while after < until:
        values = {"after": after, "until": until, "limit": limit, "bytes": MOST_BYTES}
        last = select_value(conn, _LAST, **values)
        next_ = until if last is None else int(last)
        yield Range(after, next_, check=check)
        after = next_
