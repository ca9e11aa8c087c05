"""Encodes columns of values in Postgres' binary format, for arrays and COPY.

psycopg determines the type of each value. For an append of one event this takes as long
as all other work in the client; for a thousand rows it is most of the work. Here the
type of a column is known. Format: https://www.postgresql.org/docs/current/sql-copy.html
and array_recv in Postgres' arrayfuncs.c.
"""

import struct
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import batched
from operator import attrgetter
from struct import Struct
from typing import Any, LiteralString, Self
from uuid import UUID

import orjson
from psycopg import adapters, sql
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, PyFormat
from psycopg.pq import Format

from storage.database import Conn

# Number of dimensions, whether there are nulls, element type, length, first index.
_HEAD = Struct(">iiIii")
_EMPTY = Struct(">iiI")
_LENGTH = Struct(">i")
_INT4, _INT8 = Struct(">ii"), Struct(">iq")
_NULL = _LENGTH.pack(-1)
_UUID_LENGTH = _LENGTH.pack(16)
_FALSE, _TRUE = (_LENGTH.pack(1) + bytes([value]) for value in (False, True))

# Postgres counts times and days from the beginning of 2000.
_FIRST_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(2000, 1, 1).toordinal()
_MICROSECONDS_A_SECOND = 1_000_000
_MICROSECONDS_A_DAY = 86_400 * _MICROSECONDS_A_SECOND

_encoded_decimal = adapters.get_dumper(Decimal, PyFormat.BINARY)(Decimal).dump

_SIGNATURE, _TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_ROWS_A_WRITE = 500

type Values[T] = Iterable[T | None]
type Fields = list[bytes]
"""Encoded values, each after its length, as in arrays and in COPY."""


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


def _booleans(values: Values[bool]) -> Fields:
    return [_NULL if one is None else _TRUE if one else _FALSE for one in values]


def _times(values: Values[datetime]) -> Fields:
    return _int8s([None if one is None else _microseconds(one) for one in values])


def _microseconds(time: datetime) -> int:
    since = time - _FIRST_TIME
    return (
        since.days * _MICROSECONDS_A_DAY
        + since.seconds * _MICROSECONDS_A_SECOND
        + since.microseconds
    )


def _dates(values: Values[date]) -> Fields:
    first = _FIRST_DAY
    return _int4s([None if one is None else one.toordinal() - first for one in values])


def _numerics(values: Values[Decimal]) -> Fields:
    return _byteas([None if one is None else _numeric(one) for one in values])


def _numeric(value: Decimal) -> bytes:
    encoded = _encoded_decimal(value)
    assert encoded is not None  # psycopg returns None only for values it omits.
    return bytes(encoded)


def _jsons(values: Values[Any]) -> Fields:
    return _byteas([None if one is None else orjson.dumps(one) for one in values])


_FIELDS: dict[str, Callable[[Iterable[Any]], Fields]] = {
    "uuid": _uuids,
    "integer": _int4s,
    "bigint": _int8s,
    "bytea": _byteas,
    "text": _texts,
    "boolean": _booleans,
    "timestamp with time zone": _times,
    "date": _dates,
    "numeric": _numerics,
    "json": _jsons,
}

# Type ids (OIDs) of the element and of the array: pg_type.dat of Postgres.
_TYPES = {
    "uuid": (2950, 2951),
    "integer": (23, 1007),
    "bigint": (20, 1016),
    "bytea": (17, 1001),
    "text": (25, 1009),
    "json": (114, 199),
    "boolean": (16, 1000),
    "timestamp with time zone": (1184, 1185),
    "date": (1082, 1182),
    "numeric": (1700, 1231),
}


class Packed:
    """An encoded array of one dimension; `kind` is the element type in Postgres."""

    kind: LiteralString

    def __init__(self, values: Iterable[Any]) -> None:
        fields = _FIELDS[self.kind](values)
        has_nulls = _NULL in fields
        self.data = self._head(len(fields), has_nulls=has_nulls) + b"".join(fields)

    @classmethod
    def of_fields(cls, fields: bytes, count: int) -> Self:
        """Return an array of values that are encoded already, each after its length."""
        array = cls(())
        array.data = cls._head(count, has_nulls=False) + fields
        return array

    @classmethod
    def _head(cls, count: int, *, has_nulls: bool) -> bytes:
        element, _ = _TYPES[cls.kind]
        if not count:
            return _EMPTY.pack(0, 0, element)
        return _HEAD.pack(1, has_nulls, element, count, 1)


class Uuids(Packed):
    """An array of type uuid[]."""

    kind = "uuid"


class Integers(Packed):
    """An array of type integer[]."""

    kind = "integer"


class Bigints(Packed):
    """An array of type bigint[]."""

    kind = "bigint"


class Byteas(Packed):
    """An array of type bytea[]."""

    kind = "bytea"


class Texts(Packed):
    """An array of type text[]."""

    kind = "text"


class Jsons(Packed):
    """An array of type json[]; the values are encoded as JSON."""

    kind = "json"


class Booleans(Packed):
    """An array of type boolean[]."""

    kind = "boolean"


class Times(Packed):
    """An array of type timestamptz[]; the times have a time zone."""

    kind = "timestamp with time zone"


class Dates(Packed):
    """An array of type date[]."""

    kind = "date"


class Numerics(Packed):
    """An array of type numeric[]."""

    kind = "numeric"


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Packed) -> Buffer:
        return obj.data


ARRAYS: dict[str, type[Packed]] = {kind.kind: kind for kind in Packed.__subclasses__()}
"""Classes of encoded arrays by the name of the element type in Postgres."""

for _name, _kind in ARRAYS.items():
    _own = {"oid": _TYPES[_name][1]}
    adapters.register_dumper(_kind, type(f"{_name}s", (_PackedDumper,), _own))


def array_of(kind: str, values: Collection[Any]) -> Packed | list[Any]:
    """Encode a column's values; a list, for psycopg to encode, for other types.

    `kind` is the name of the element type in Postgres. JSON is another type here: the
    values may be psycopg's wrappers.
    """
    make = ARRAYS.get(kind) if kind != Jsons.kind else None
    try:
        return list(values) if make is None else make(values)
    except (struct.error, TypeError, AttributeError):
        return list(values)  # A value of another type, or too large: psycopg decides.


def copy_into(
    connection: Conn,
    table: LiteralString,
    types: dict[LiteralString, str],
    rows: Sequence[object],
) -> None:
    """Insert rows by COPY; `types` maps the attributes of a row to column types."""
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, types))
    )
    cells = attrgetter(*types)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_SIGNATURE)
        for batch in batched(rows, _ROWS_A_WRITE):
            columns = zip(*map(cells, batch), strict=True)
            copy.write(_encoded_rows(types.values(), columns))
        copy.write(_TRAILER)


def _encoded_rows(kinds: Iterable[str], columns: Iterable[Iterable[Any]]) -> bytes:
    fields = [
        _FIELDS[kind](column) for kind, column in zip(kinds, columns, strict=True)
    ]
    count = len(fields).to_bytes(2)
    return b"".join([count + b"".join(row) for row in zip(*fields, strict=True)])
