"""All read tables, how they are made, and how readers reach them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, LiteralString

from psycopg import sql

from projections import (
    call_log,
    campaign_board,
    campaign_turns,
    contact_import,
    contact_log,
    dial_queue,
    directory,
    event_index,
    settings_board,
    spend,
    start_failures,
)
from projections.row_operations import RowOperation
from projections.tables import SCHEMA, Table, position_of
from storage.database import Conn, Pool, lock_key, open_pool

type Handler = Callable[[Any, int], Iterator[RowOperation]]


HANDLERS: tuple[Handler, ...] = (
    campaign_board.campaign_board,
    contact_import.contact_import,
    contact_log.contact_log,
    call_log.call_log,
    dial_queue.dial_queue,
    start_failures.start_failures,
    campaign_turns.campaign_turns,
    settings_board.settings_board,
    directory.directory,
    spend.spend,
)

_TABLES: dict[str, tuple[Table, ...]] = {
    "campaign_board": (campaign_board.TABLE,),
    "contact_import": contact_import.TABLES,
    "contact_log": (contact_log.TABLE,),
    "call_log": (call_log.TABLE,),
    "dial_queue": dial_queue.TABLES,
    "start_failures": (start_failures.TABLE,),
    "campaign_turns": (campaign_turns.TABLE,),
    "settings_board": (settings_board.TABLE,),
    "directory": directory.TABLES,
    "spend": spend.TABLES,
    "event_index": (event_index.TABLE,),
}

TABLES: tuple[Table, ...] = tuple(
    table for tables in _TABLES.values() for table in tables
)

PROJECTIONS: Mapping[str, frozenset[str]] = {
    name: frozenset(table.name for table in tables) for name, tables in _TABLES.items()
}
"""The names of each projection's tables."""

_POSITION: LiteralString = """
    create table if not exists projection_position (
        name text primary key,
        position bigint not null,
        head bytea not null,
        latest_at timestamptz
    );
"""


def create_read_model(
    conn: Conn, schema: str = SCHEMA, only: Collection[str] | None = None
) -> None:
    """Make the read tables where any is missing; any number of processes may at once.

    With `only`, those that it names. Tables that are there stay as they are: a new
    column or index comes with a rebuild, and so does what belongs into a table that is
    made late (see `outdated`). (To look for an index takes locks that a projector at
    work does not give.)
    """
    wanted = [t.name for t in TABLES if only is None or t.name in only]
    if _has_all(conn, schema, [*wanted, "projection_position"]):
        return
    with conn.transaction():
        key = lock_key("autolynx read model")
        conn.execute("select pg_advisory_xact_lock(%s)", (key,))
        name = sql.Identifier(schema)
        conn.execute(sql.SQL("create schema if not exists {}").format(name))
        conn.execute(sql.SQL("set local search_path = {}").format(name))
        conn.execute(_POSITION)
        conn.execute(
            "insert into projection_position (name, position, head)"
            " values ('read', 0, %s) on conflict do nothing",
            (event_index.FIRST_HEAD,),
        )
        there = _forms(conn, schema)
        for table in TABLES:
            if table.name in wanted and table.name not in there:
                _create(conn, table)


def _create(conn: Conn, table: Table) -> None:
    """Make a table; it is of its form only where no event was applied without it."""
    conn.execute(table.ddl)
    if position_of(conn) == 0:
        statement = sql.SQL("comment on table {} is {}")
        conn.execute(statement.format(sql.Identifier(table.name), table.form))


def outdated(conn: Conn, schema: str = SCHEMA) -> list[str]:
    """Name the projections whose tables were made by a version with another form.

    They must be made anew before events are applied to them, or they are read.
    """
    found = _forms(conn, schema)
    return [
        name
        for name, tables in _TABLES.items()
        if any(found.get(table.name) != table.form for table in tables)
    ]


def outdated_words(conn: Conn) -> str | None:
    """Say which are outdated and what to do, None where all is well."""
    stale = outdated(conn)
    if not stale:
        return None
    return (
        f"made by another version: {', '.join(stale)}; a projector of this version"
        " makes them anew when it starts, and so does autolynx projections rebuild"
    )


def _forms(conn: Conn, schema: str) -> dict[str, str | None]:
    """Read the forms of a schema's tables."""
    query: LiteralString = """
        select c.relname, obj_description(c.oid, 'pg_class')
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = %s and c.relkind = 'r'
    """
    return dict(conn.execute(query, (schema,)).fetchall())


def _has_all(conn: Conn, schema: str, names: list[str]) -> bool:
    query: LiteralString = """
        select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = %s and c.relname = any(%s)
    """
    row = conn.execute(query, (schema, names)).fetchone()
    return row is not None and bool(row[0] == len(names))


def drop_schema(conn: Conn, schema: str) -> None:
    statement = sql.SQL("drop schema if exists {} cascade")
    conn.execute(statement.format(sql.Identifier(schema)))


def use_read_model(conn: Conn, schema: str = SCHEMA) -> None:
    """Let this connection's statements find the read tables, then the others."""
    path = f'"{schema}", public'
    conn.execute("select set_config('search_path', %s, false)", (path,))


def open_read_pool(
    url: str, *, name: str, max_size: int = 8, statement_timeout: float = 5.0
) -> Pool:
    """Open a pool whose connections read the read model; time-out in seconds.

    Its connections have the same time limits as those of `open_pool`, whose docstring
    says when it opens and who closes it.
    """
    return open_pool(
        url,
        name=name,
        max_size=max_size,
        statement_timeout=statement_timeout,
        settings={
            "search_path": f"{SCHEMA}, public",
            "default_transaction_read_only": "on",
        },
    )
