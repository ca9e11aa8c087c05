"""Declares read tables, and reads rows and pages from them."""

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from hashlib import sha256
from typing import Any, LiteralString, NamedTuple, get_type_hints

import orjson
from psycopg import Cursor, sql
from psycopg.errors import UndefinedTable
from psycopg.rows import RowMaker

from domain.errors import Invalid
from storage.database import Conn

LARGEST = 2**63
"""Positions are smaller than this."""

SCHEMA = "read"


class Table(NamedTuple):
    """A read table: its name, the columns of its key, and the SQL that creates it.

    The SQL names no schema; `search_path` selects it. `handler_version` is raised when
    the handler, or domain code that it uses, writes other values than before into the
    same columns; `tests/projections/test_handler_versions.py` demands it.
    """

    name: LiteralString
    key: tuple[LiteralString, ...]
    ddl: LiteralString
    handler_version: int = 1

    @property
    def schema_version(self) -> str:
        """Digest of the definition and the handler version.

        It is stored as the table's comment. A table with another comment was created
        or filled by another version of AutoLynx and must be rebuilt.
        """
        definition = " ".join(self.ddl.split())
        versioned = f"{self.handler_version} {definition}"
        return f"form {sha256(versioned.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Page[T]:
    """A part of a list, in its order, as of a position of the log."""

    nodes: tuple[T, ...]
    cursors: tuple[str, ...]
    has_next: bool
    total: int
    position: int

    @property
    def end_cursor(self) -> str | None:
        return self.cursors[-1] if self.cursors else None


def page_of[T](
    found: Sequence[T],
    first: int,
    cursor: Callable[[T], str],
    *,
    total: int,
    position: int,
) -> Page[T]:
    """Return a page of `first` rows; one row more shows that there is a next page."""
    nodes = tuple(found[:first])
    cursors = tuple(cursor(node) for node in nodes)
    return Page(nodes, cursors, len(found) > first, total, position)


def as_cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def from_cursor(cursor: str, *kinds: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Decode a cursor; each part is converted by the function at its index.

    Raises:
        Invalid: it was not made by `as_cursor` from such parts.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        parts = orjson.loads(text)
        return tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except (TypeError, ValueError, AttributeError):
        raise Invalid(
            "The cursor is not one of this list.", after="is unknown"
        ) from None


def whole(part: Any) -> int:
    """Return a part of a cursor that is a position; raise ValueError otherwise."""
    if isinstance(part, int) and 0 <= part < LARGEST:
        return part
    raise ValueError(part)


def of_kind[T](kind: type[T]) -> Callable[[Cursor[Any]], RowMaker[T]]:
    """Return a row factory for a dataclass whose fields are named like the columns."""

    hints: Any = kind  # A type is hashable, whatever its metaclass may say.

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
    """Return the dataclass for columns as handlers write them."""
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
    with conn.cursor(row_factory=of_kind(kind)) as cursor:
        return cursor.execute(query, values).fetchall()


def select_one[T](
    conn: Conn, kind: type[T], query: LiteralString, **values: Any
) -> T | None:
    with conn.cursor(row_factory=of_kind(kind)) as cursor:
        return cursor.execute(query, values).fetchone()


def select_value(conn: Conn, query: LiteralString, **values: Any) -> Any:
    row = conn.execute(query, values).fetchone()
    return None if row is None else row[0]


POSITION: LiteralString = "select position from projection_position where name = 'read'"


def position_of(conn: Conn) -> int:
    """Return the position up to which the read tables include the log."""
    return int(select_value(conn, POSITION) or 0)


class Checkpoint(NamedTuple):
    """Position up to which read tables include the log, with chain link and time."""

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

    The lock precedes the snapshot, so that no rebuild swaps the tables in between.
    """
    with conn.transaction():
        conn.execute(_ONE_SNAPSHOT)
        yield


_ONE_SNAPSHOT: LiteralString = """
    set transaction isolation level repeatable read, read only;
    lock table projection_position in access share mode
"""
