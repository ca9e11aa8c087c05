"""Compares two schemas of read tables, row by row."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

from psycopg import sql
from psycopg.rows import dict_row

from projections import event_index
from projections.engine.schema import TABLES
from projections.tables.definition import Table
from storage.database import Conn

CHAINED = frozenset({"hash"})
"""Columns that differ for all rows after a changed event; the chain check finds it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that differs between the schemas; None on the side where it is missing."""

    table: str
    key: dict[str, Any]
    found: dict[str, Any] | None
    expected: dict[str, Any] | None

    def __str__(self) -> str:
        named = ", ".join(f"{name} {value}" for name, value in self.key.items())
        row = f"{self.table} ({named})"
        if self.found is None:
            return f"{row} is missing"
        if self.expected is None:
            return f"{row} exists, but no event created it"
        cells = (
            f"{name} is {self.found[name]!s}, the events say {value!s}"
            for name, value in self.expected.items()
        )
        return f"{row}: {'; '.join(cells)}"


class _Sides(NamedTuple):
    found: str
    expected: str


def differences(
    conn: Conn,
    found: str,
    expected: str,
    *,
    most: int,
    skipped: Collection[str] = (),
) -> Iterator[Difference]:
    """Compare the tables of one schema with those of another.

    Yields at most `most` rows of each table; tables in `skipped` are not compared.
    Events that only one schema includes are left out: the check of the chain reports
    them.
    """
    for table in TABLES:
        if table.name not in skipped:
            yield from _of_table(conn, table, _Sides(found, expected), most)


_DIFFERING: LiteralString = """
    select to_jsonb(f) as found, to_jsonb(e) as expected
    from {found} f {join} join {expected} e using ({keys})
    where row({found_columns}) is distinct from row({expected_columns})
        or f.{key} is null or e.{key} is null
    order by {keys} limit {most}
"""


def _of_table(
    conn: Conn, table: Table, sides: _Sides, most: int
) -> Iterator[Difference]:
    names = _columns(conn, table, sides.expected)
    with conn.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(_statement(table, sides, names, most)):
            yield _difference(table, row["found"], row["expected"])


def _columns(conn: Conn, table: Table, schema: str) -> list[str]:
    where = sql.Identifier(schema, table.name)
    cursor = conn.execute(sql.SQL("select * from {} limit 0").format(where))
    left_out = {*table.key, *CHAINED}
    own = [column.name for column in cursor.description or ()]
    return [name for name in own if name not in left_out]


def _statement(
    table: Table, sides: _Sides, names: list[str], most: int
) -> sql.Composed:
    comma = sql.SQL(", ")
    inner = table.name == event_index.INDEX
    return sql.SQL(_DIFFERING).format(
        found=sql.Identifier(sides.found, table.name),
        expected=sql.Identifier(sides.expected, table.name),
        join=sql.SQL("" if inner else "full"),
        keys=comma.join(map(sql.Identifier, table.key)),
        key=sql.Identifier(table.key[0]),
        found_columns=comma.join(sql.Identifier("f", name) for name in names),
        expected_columns=comma.join(sql.Identifier("e", name) for name in names),
        most=most,
    )


def _difference(
    table: Table, found: dict[str, Any] | None, expected: dict[str, Any] | None
) -> Difference:
    row = found or expected or {}
    key = {name: row[name] for name in table.key}
    if found is None or expected is None:
        return Difference(table.name, key, found, expected)
    cells = [
        name
        for name, value in expected.items()
        if name not in CHAINED and found.get(name) != value
    ]
    return Difference(
        table.name,
        key,
        {name: found[name] for name in cells},
        {name: expected[name] for name in cells},
    )
