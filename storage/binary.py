"""Values for Postgres in its binary form, a column at a time.

psycopg looks at each value to find out what it is. For an append of one event that
costs as much as all else on this side of the connection; for a thousand rows it is
most of the work.
"""

import struct
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import batched
from operator import attrgetter
from struct import Struct
from typing import Any, LiteralString
from uuid import UUID

import orjson
from psycopg import adapters, sql
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

from storage.database import Conn

_HEAD = Struct(">iiIii")  # Dimensions, nulls, the elements' type, how many, the first.
_EMPTY = Struct(">iiI")
_LENGTH = Struct(">i")
_INT4, _INT8 = Struct(">ii"), Struct(">iq")
_NULL = _LENGTH.pack(-1)
_UUID_LENGTH = _LENGTH.pack(16)

_SIGNATURE, _TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_ROWS_A_WRITE = 500

type Values[T] = Iterable[T | None]
type Fields = list[bytes]
"""Values with their length before them, as arrays and COPY both have them."""


def _uuids(values: Values[UUID]) -> Fields:
    return [_NULL if one is None else _UUID_LENGTH + one.bytes for one in values]


def _int4s(values: Values[int]) -> Fields:
    return [_NULL if one is None else _INT4.pack(4, one) for one in values]


def _int8s(values: Values[int]) -> Fields:
    return [_NULL if one is None else _INT8.pack(8, one) for one in values]


def _byteas(values: Values[bytes]) -> Fields:
    size = _LENGTH.pack
    return [_NULL if one is None else size(len(one)) + one for one in values]


def _texts(values: Values[str]) -> Fields:
    return _byteas([None if one is None else one.encode() for one in values])


def _jsons(values: Values[Any]) -> Fields:
    return _byteas([None if one is None else orjson.dumps(one) for one in values])


_FIELDS: dict[str, Callable[[Iterable[Any]], Fields]] = {
    "uuid": _uuids,
    "integer": _int4s,
    "bigint": _int8s,
    "bytea": _byteas,
    "text": _texts,
    "json": _jsons,
}

# Element and array, by the numbers that Postgres never changes.
_TYPES = {
    "uuid": (2950, 2951),
    "integer": (23, 1007),
    "bigint": (20, 1016),
    "bytea": (17, 1001),
    "text": (25, 1009),
}


class Packed:
    """An array of one dimension, ready to be sent."""

    kind: LiteralString

    def __init__(self, values: Iterable[Any]) -> None:
        fields = _FIELDS[self.kind](values)
        element, _ = _TYPES[self.kind]
        if fields:
            head = _HEAD.pack(1, _NULL in fields, element, len(fields), 1)
        else:
            head = _EMPTY.pack(0, 0, element)
        self.data = head + b"".join(fields)


class Uuids(Packed):
    kind = "uuid"


class Integers(Packed):
    kind = "integer"


class Bigints(Packed):
    kind = "bigint"


class Byteas(Packed):
    kind = "bytea"


class Texts(Packed):
    kind = "text"


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Packed) -> Buffer:
        return obj.data


_ARRAYS: dict[str, type[Packed]] = {
    kind.kind: kind for kind in (Uuids, Integers, Bigints, Byteas, Texts)
}

for _name, _kind in _ARRAYS.items():
    _own = {"oid": _TYPES[_name][1]}
    adapters.register_dumper(_kind, type(f"{_name}s", (_PackedDumper,), _own))


def array_of(kind: str, values: Collection[Any]) -> Packed | list[Any]:
    """Make a column's values ready; `kind` is the type's name in Postgres."""
    make = _ARRAYS.get(kind)
    try:
        return list(values) if make is None else make(values)
    except struct.error:  # Too large a number: the server says so best.
        return list(values)


def copy_into(
    connection: Conn,
    table: LiteralString,
    types: dict[LiteralString, str],
    rows: Sequence[object],
) -> None:
    """Bring rows in by COPY; the columns are attributes of each."""
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, types))
    )
    cells = attrgetter(*types)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_SIGNATURE)
        for some in batched(rows, _ROWS_A_WRITE):
            columns = zip(*map(cells, some), strict=True)
            copy.write(_lines(types.values(), columns))
        copy.write(_TRAILER)


def _lines(kinds: Iterable[str], columns: Iterable[Iterable[Any]]) -> bytes:
    fields = [
        _FIELDS[kind](column) for kind, column in zip(kinds, columns, strict=True)
    ]
    count = len(fields).to_bytes(2)
    return b"".join([count + b"".join(line) for line in zip(*fields, strict=True)])
