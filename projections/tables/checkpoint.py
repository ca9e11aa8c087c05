"""The position of the log up to which the read tables include it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import LiteralString, NamedTuple

from psycopg import sql
from psycopg.errors import UndefinedTable

from projections.tables.queries import select_value
from storage.database import Conn

POSITION: LiteralString = "select position from projection_position where name = 'read'"


def position_of(conn: Conn) -> int:
    """Return the position up to which the read tables include the log."""
    return int(select_value(conn, POSITION) or 0)


class Checkpoint(NamedTuple):
    """State of the projection up to a position.

    `head` is the chain's link at the position, `latest_at` the latest time of an event
    up to it.
    """

    position: int
    head: bytes
    latest_at: datetime | None


def checkpoint_in(conn: Conn, schema: str) -> Checkpoint | None:
    """Read the checkpoint of a schema; None if it has none."""
    query = sql.SQL(
        "select position, head, latest_at from {} where name = 'read'"
    ).format(sql.Identifier(schema, "projection_position"))
    try:
        row = conn.execute(query).fetchone()
    except UndefinedTable:
        return None
    return None if row is None else Checkpoint(*row)


@contextmanager
def one_snapshot(conn: Conn) -> Iterator[None]:
    """Read everything in this context from one database snapshot.

    The lock is taken before the snapshot, so that no rebuild can swap the tables in
    between.
    """
    with conn.transaction():
        conn.execute(_ONE_SNAPSHOT)
        yield


_ONE_SNAPSHOT: LiteralString = """
    set transaction isolation level repeatable read, read only;
    lock table projection_position in access share mode
"""
