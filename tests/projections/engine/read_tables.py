"""Random histories, and the rows of all read tables."""

from random import Random
from typing import Any
from uuid import uuid4

from psycopg import sql

from projections.engine.runner import (
    catch_up,
)
from projections.engine.schema import TABLES, create_read_model
from storage.database import connect
from tests.projections.lives import Life
from tests.projections.random_lives import whole_life
from tests.projections.store import Store

type Tables = dict[str, list[tuple[Any, ...]]]


def life_of(seed: int, steps: int = 150) -> Life:
    return whole_life(Random(seed), steps)


def rows(store: Store, schema: str = "read") -> Tables:
    names = [*(table.name for table in TABLES), "projection_position"]
    found: Tables = {}
    for name in names:
        table = sql.Identifier(schema, name)
        query = sql.SQL("select * from {} t order by t::text").format(table)
        found[name] = store.conn.execute(query).fetchall()
    return found


def rebuilt(store: Store, batch: int = 2000) -> Tables:
    """Project the whole log into a second schema and return its rows."""
    store.conn.execute("drop schema if exists again cascade")
    with connect(store.url, name="rebuild") as conn:
        create_read_model(conn, "again")
        catch_up(conn, schema="again", batch=batch, notify=False)
    return rows(store, "again")


def append_raw(store: Store, topic: str, state: bytes) -> int:
    return int(
        store.value(
            "insert into autolynx_events"
            " (originator_id, originator_version, topic, state)"
            " values (%s, 1, %s, %s) returning notification_id",
            uuid4(),
            topic,
            state,
        )
    )
