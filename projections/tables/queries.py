"""Runs queries and returns their rows as dataclasses."""

from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from typing import Any, LiteralString, get_type_hints

from psycopg import Cursor
from psycopg.rows import RowMaker

from storage.database import Conn


def of_kind[T](kind: type[T]) -> Callable[[Cursor[Any]], RowMaker[T]]:
    """Return a row factory for a dataclass whose fields are named like the columns."""

    hints: Any = kind  # Hashable like every type; mypy cannot know it.

    def row_factory(cursor: Cursor[Any]) -> RowMaker[T]:
        names = [column.name for column in cursor.description or ()]
        enums = _enums_of(hints)
        convert = [(at, enums[name]) for at, name in enumerate(names) if name in enums]

        def make(values: Sequence[Any]) -> T:
            row = list(values)
            for at, enum in convert:
                row[at] = None if row[at] is None else enum(row[at])
            return kind(**dict(zip(names, row, strict=True)))

        return make

    return row_factory


def from_columns[T](kind: type[T], columns: dict[str, Any]) -> T:
    """Return an instance of the dataclass from columns as handlers write them."""
    enums = _enums_of(kind)  # type: ignore[arg-type] # a type is hashable
    row = dict(columns)
    for name in enums.keys() & row.keys():
        row[name] = None if row[name] is None else enums[name](row[name])
    return kind(**row)


@cache
def _enums_of(kind: Any) -> dict[str, type[Enum]]:
    found: dict[str, type[Enum]] = {}
    for name, hint in get_type_hints(kind).items():
        for part in (hint, *getattr(hint, "__args__", ())):
            if isinstance(part, type) and issubclass(part, Enum):
                found[name] = part
    return found


def select[T](
    conn: Conn, kind: type[T], query: LiteralString, **values: Any
) -> list[T]:
    """Return all rows as instances of the dataclass `kind`."""
    with conn.cursor(row_factory=of_kind(kind)) as cursor:
        return cursor.execute(query, values).fetchall()


def select_one[T](
    conn: Conn, kind: type[T], query: LiteralString, **values: Any
) -> T | None:
    """Return the first row as an instance of the dataclass `kind`, or None."""
    with conn.cursor(row_factory=of_kind(kind)) as cursor:
        return cursor.execute(query, values).fetchone()


def select_value(conn: Conn, query: LiteralString, **values: Any) -> Any:
    """Return the first column of the first row; None if there is no row."""
    row = conn.execute(query, values).fetchone()
    return None if row is None else row[0]
