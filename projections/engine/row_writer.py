"""Writes folded row operations: one statement for each table and set of columns."""

from collections.abc import Iterable
from typing import LiteralString

from psycopg import sql

from projections.engine.schema import TABLES
from projections.tables.row_operations import Kind, Write
from storage.binary import array_of
from storage.database import Conn

type _Shape = tuple[Kind, str, int, tuple[str, ...]]

_TYPES: LiteralString = """
    select c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() and c.relkind = 'r'
        and a.attnum > 0 and not a.attisdropped
"""


class Writer:
    """Writes to the read tables in the first schema of its connection's search path."""

    def __init__(self, conn: Conn) -> None:
        self._conn = conn
        self._types = {
            (table, column): kind for table, column, kind in conn.execute(_TYPES)
        }
        self._keys = {table.name: table.key for table in TABLES}
        self._statements: dict[_Shape, bytes] = {}

    def write(self, writes: Iterable[Write]) -> None:
        """Execute the writes in order, in the current transaction."""
        for write in writes:
            columns = [*zip(*write.keys, strict=True), *zip(*write.values, strict=True)]
            names = (*self._keys[write.table][: len(write.keys[0])], *write.names)
            values = [
                array_of(self._types[write.table, name], column)
                for name, column in zip(names, columns, strict=True)
            ]
            self._conn.execute(self._statement(write), values, prepare=True)

    def _statement(self, write: Write) -> bytes:
        shape = (write.kind, write.table, len(write.keys[0]), write.names)
        statement = self._statements.get(shape)
        if statement is None:
            statement = self._compose(*shape).as_bytes(self._conn)
            self._statements[shape] = statement
        return statement

    def _compose(
        self, kind: Kind, table: str, key_size: int, names: tuple[str, ...]
    ) -> sql.Composed:
        keys = self._keys[table][:key_size]
        all_names = (*keys, *names)
        arrays = [
            sql.SQL("%b::" + self._types[table, name] + "[]") for name in all_names
        ]
        return _TEMPLATES[kind if names or kind is Kind.DROP else None].format(
            table=sql.Identifier(table),
            keys=_each("{0}", keys),
            columns=_each("{0}", all_names),
            arrays=sql.SQL(", ").join(arrays),
            same=_each("t.{0} = u.{0}", keys, " and "),
            put=_each("{0} = excluded.{0}", names),
            patch=_each("{0} = u.{0}", names),
            add=_each("{0} = t.{0} + u.{0}", names),
        )


_INSERT: LiteralString = """
    insert into {table} ({columns}) select * from unnest({arrays})
    on conflict ({keys}) do
"""
_PATCH: LiteralString = """
    update {table} as t set {patch}
    from unnest({arrays}) as u ({columns}) where {same}
"""
_ADD: LiteralString = """
    update {table} as t set {add}
    from unnest({arrays}) as u ({columns}) where {same}
"""
_DROP: LiteralString = """
    delete from {table} as t
    using unnest({arrays}) as u ({columns}) where {same}
"""

_TEMPLATES = {
    None: sql.SQL(_INSERT + "nothing"),
    Kind.PUT: sql.SQL(_INSERT + "update set {put}"),
    Kind.PATCH: sql.SQL(_PATCH),
    Kind.PATCH_ALL: sql.SQL(_PATCH),
    Kind.ADD: sql.SQL(_ADD),
    Kind.DROP: sql.SQL(_DROP),
}


def _each(
    form: LiteralString, names: Iterable[str], between: LiteralString = ", "
) -> sql.Composed:
    each = sql.SQL(form)
    return sql.SQL(between).join(each.format(sql.Identifier(name)) for name in names)
