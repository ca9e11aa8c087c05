"""Writes folded row operations: one statement for each table and set of columns."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, LiteralString, NamedTuple

from psycopg import sql

from projections.engine.schema import TABLES
from projections.tables.row_operations import Kind, Write
from storage.binary import array_of
from storage.database import Conn


class Shape(NamedTuple):
    """What the statement of a write depends on; the key has `key_size` columns."""

    kind: Kind
    table: str
    key_size: int
    names: tuple[str, ...]


class PackedWrite(NamedTuple):
    """A write whose columns are encoded for Postgres: first the key, then `names`."""

    shape: Shape
    columns: list[Any]


_TYPES: LiteralString = """
    select c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() and c.relkind = 'r'
        and a.attnum > 0 and not a.attisdropped
"""


class Packer:
    """Encodes writes to the read tables in the first schema of the search path."""

    def __init__(self, conn: Conn) -> None:
        self.types: Mapping[tuple[str, str], LiteralString] = {
            (table, column): kind for table, column, kind in conn.execute(_TYPES)
        }
        self.keys = {table.name: table.key for table in TABLES}

    def pack(self, write: Write) -> PackedWrite:
        """Encode the columns of a write."""
        key_size = len(write.keys[0])
        columns = [*zip(*write.keys, strict=True), *zip(*write.values, strict=True)]
        names = (*self.keys[write.table][:key_size], *write.names)
        packed = [
            self.column(write.table, name, column)
            for name, column in zip(names, columns, strict=True)
        ]
        return PackedWrite(
            Shape(write.kind, write.table, key_size, write.names), packed
        )

    def column(self, table: str, name: str, values: Collection[Any]) -> Any:
        """Encode the values of one column as an array."""
        return array_of(self.types[table, name], values)


class Writer:
    """Writes to the read tables in the first schema of its connection's search path."""

    def __init__(self, conn: Conn) -> None:
        self._conn = conn
        self.packer = Packer(conn)
        self._statements: dict[Shape, bytes] = {}

    def write(self, writes: Iterable[Write]) -> None:
        """Execute the writes in order, in the current transaction."""
        self.write_packed(map(self.packer.pack, writes))

    def write_packed(self, writes: Iterable[PackedWrite]) -> None:
        """Execute encoded writes in order, in the current transaction."""
        for shape, columns in writes:
            self._conn.execute(self._statement(shape), columns, prepare=True)

    def _statement(self, shape: Shape) -> bytes:
        statement = self._statements.get(shape)
        if statement is None:
            statement = self._compose(*shape).as_bytes(self._conn)
            self._statements[shape] = statement
        return statement

    def _compose(
        self, kind: Kind, table: str, key_size: int, names: tuple[str, ...]
    ) -> sql.Composed:
        keys = self.packer.keys[table][:key_size]
        all_names = (*keys, *names)
        arrays = [
            sql.SQL("%b::" + self.packer.types[table, name] + "[]")
            for name in all_names
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
