"""All read tables: their handlers, creation, schema versions and connections."""

from collections.abc import Collection, Mapping
from typing import LiteralString

from psycopg import sql

from projections import campaign_arms, event_index, spend
from projections.calls import call_log, dial_queue
from projections.campaigns import (
    campaign_board,
    campaign_lines,
    campaign_terms,
    campaign_turns,
    start_failures,
    unknown_reasons,
)
from projections.contacts import (
    contact_groups,
    contact_import,
    contact_log,
    contact_results,
    suppressed_contacts,
)
from projections.forecasts import campaign_forecasts
from projections.registers import (
    directory,
    number_calls,
    settings_board,
    suppression_board,
    suppression_list_board,
    webhook_endpoints,
)
from projections.tables.checkpoint import position_of
from projections.tables.definition import SCHEMA, Table
from projections.tables.handlers import Handler
from storage.database import Conn, Pool, lock_key, open_pool

HANDLERS: tuple[Handler, ...] = (
    campaign_board.campaign_board,
    campaign_lines.campaign_lines,
    campaign_arms.campaign_arms,
    contact_import.contact_import,
    contact_groups.contact_groups,
    contact_log.contact_log,
    call_log.call_log,
    contact_results.contact_dispositions,
    dial_queue.dial_queue,
    start_failures.start_failures,
    campaign_turns.campaign_turns,
    campaign_terms.campaign_terms,
    settings_board.settings_board,
    suppression_list_board.suppression_list_board,
    directory.directory,
    spend.spend,
    unknown_reasons.unknown_reasons,
    suppression_board.suppression_board,
    suppressed_contacts.suppressed_contacts,
    number_calls.number_calls,
    webhook_endpoints.webhook_endpoints,
    campaign_forecasts.campaign_forecasts,
)

_TABLES: dict[str, tuple[Table, ...]] = {
    "campaign_board": (campaign_board.TABLE,),
    "campaign_lines": (campaign_lines.TABLE,),
    "campaign_arms": campaign_arms.TABLES,
    "contact_import": contact_import.TABLES,
    "contact_log": (*contact_groups.TABLES, contact_log.TABLE),
    "call_log": (call_log.TABLE,),
    "contact_dispositions": (contact_results.TABLE,),
    "dial_queue": dial_queue.TABLES,
    "start_failures": (start_failures.TABLE,),
    "campaign_turns": (campaign_turns.TABLE,),
    "campaign_terms": (campaign_terms.TABLE,),
    "settings_board": (settings_board.TABLE,),
    "suppression_list_board": (suppression_list_board.TABLE,),
    "directory": directory.TABLES,
    "spend": spend.TABLES,
    "unknown_reasons": (unknown_reasons.TABLE,),
    "suppression_board": (suppression_board.TABLE,),
    "suppressed_contacts": (suppressed_contacts.TABLE,),
    "number_calls": (number_calls.TABLE,),
    "webhook_endpoints": (webhook_endpoints.TABLE,),
    "campaign_forecasts": campaign_forecasts.TABLES,
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
    conn: Conn,
    schema: str = SCHEMA,
    only: Collection[str] | None = None,
    *,
    indexes: bool = True,
    lasting: bool = True,
) -> None:
    """Create the read tables that are missing; safe in several processes at once.

    With `only`, creates only the tables of these names. Existing tables do not change:
    new columns and indexes need a rebuild, and so does a table that is created after
    events were applied (see `outdated`). Indexes are not checked, because that takes
    locks that conflict with a running projector. Without `indexes`, the tables have
    only their primary keys, which is all that applying events needs. Tables that are
    not `lasting` have no indexes either, and a crash of the server empties them.
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
        there = _schema_versions(conn, schema)
        for table in TABLES:
            if table.name in wanted and table.name not in there:
                ddl = table.ddl if indexes else table.ddl_without_indexes
                _create(conn, table, ddl if lasting else _unlogged(table))


def _unlogged(table: Table) -> LiteralString:
    ddl = table.ddl_without_indexes
    return ddl.replace("create table ", "create unlogged table ")


def _create(conn: Conn, table: Table, ddl: LiteralString) -> None:
    """Create a table; without a schema version if events were applied before."""
    conn.execute(ddl)
    if position_of(conn) == 0:
        statement = sql.SQL("comment on table {} is {}")
        conn.execute(statement.format(sql.Identifier(table.name), table.schema_version))


def index_statements(only: Collection[str] | None = None) -> list[LiteralString]:
    """Return the statements that create the indexes of all tables, or only of these.

    They name no schema; `search_path` selects it.
    """
    return [
        statement
        for table in TABLES
        if only is None or table.name in only
        for statement in table.indexes
    ]


def outdated(conn: Conn, schema: str = SCHEMA) -> list[str]:
    """Return the names of the projections that have a table of another version.

    They must be rebuilt before events are applied to them and before they are read.
    """
    found = _schema_versions(conn, schema)
    return [
        name
        for name, tables in _TABLES.items()
        if any(found.get(table.name) != table.schema_version for table in tables)
    ]


def outdated_message(conn: Conn) -> str | None:
    """Return one line with the outdated projections and the command; None for none."""
    return rebuild_message(outdated(conn))


def rebuild_message(projections: Collection[str]) -> str | None:
    """Return one line that explains how to rebuild these projections; None for none."""
    if not projections:
        return None
    command = rebuild_command(projections)
    return (
        f"read tables of another version: {', '.join(projections)}; a projector of"
        f" this version rebuilds them when it starts, or run: {command}"
    )


def rebuild_command(projections: Collection[str]) -> str:
    """Return the command that rebuilds the one projection, or all if there are more."""
    only = projections if len(projections) == 1 else ()
    return " ".join(["autolynx projections rebuild", *only])


def _schema_versions(conn: Conn, schema: str) -> dict[str, str | None]:
    """Read the schema versions of a schema's tables, by table name."""
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
    """Drop a schema with all its tables, if it exists."""
    statement = sql.SQL("drop schema if exists {} cascade")
    conn.execute(statement.format(sql.Identifier(schema)))


def use_read_model(conn: Conn, schema: str = SCHEMA) -> None:
    """Put the schema of the read tables first in the connection's search path."""
    path = f'"{schema}", public'
    conn.execute("select set_config('search_path', %s, false)", (path,))


def open_read_pool(
    url: str,
    *,
    name: str,
    max_size: int = 8,
    statement_timeout: float = 5.0,
    check: bool = False,
) -> Pool:
    """Open a pool of connections that can only read, from the live read tables.

    `statement_timeout` is in seconds. See `open_pool` for `check`, for the other time
    limits, and for who closes the pool.
    """
    return open_pool(
        url,
        name=name,
        max_size=max_size,
        statement_timeout=statement_timeout,
        check=check,
        settings={
            "search_path": f"{SCHEMA}, public",
            "default_transaction_read_only": "on",
        },
    )
