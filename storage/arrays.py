"""Arrays for Postgres in its binary form, made at once.

psycopg looks at every element to find out what it is; for one event that costs as much
as all else that is done on this side of the connection.
"""

from collections.abc import Iterable, Sequence
from struct import Struct
from uuid import UUID

from psycopg import adapters
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEAD = Struct(">iiIii")  # Dimensions, nulls, the elements' type, how many, the first.
_LENGTH = Struct(">i")
_INT8 = Struct(">iq")
_EMPTY = Struct(">iiI")
_UUID_LENGTH = _LENGTH.pack(16)


class Packed:
    """An array of one dimension without nulls, ready to be sent."""

    ELEMENT = 0
    """The type's number in Postgres, where it never changes."""

    def __init__(self, elements: Sequence[bytes]) -> None:
        """Take elements that each have their length before them."""
        if elements:
            head = _HEAD.pack(1, 0, self.ELEMENT, len(elements), 1)
        else:
            head = _EMPTY.pack(0, 0, self.ELEMENT)
        self.data = head + b"".join(elements)


class Uuids(Packed):
    ELEMENT = 2950

    def __init__(self, values: Iterable[UUID]) -> None:
        super().__init__([_UUID_LENGTH + value.bytes for value in values])


class Bigints(Packed):
    ELEMENT = 20

    def __init__(self, values: Iterable[int]) -> None:
        super().__init__([_INT8.pack(8, value) for value in values])


class Byteas(Packed):
    ELEMENT = 17

    def __init__(self, values: Iterable[bytes]) -> None:
        super().__init__([_LENGTH.pack(len(value)) + value for value in values])


class Texts(Packed):
    ELEMENT = 25

    def __init__(self, values: Iterable[str]) -> None:
        encoded = [value.encode() for value in values]
        super().__init__([_LENGTH.pack(len(value)) + value for value in encoded])


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Packed) -> Buffer:
        return obj.data


def _dumper(array: int) -> type[Dumper]:
    return type(f"_PackedDumper{array}", (_PackedDumper,), {"oid": array})


for _kind, _array in ((Uuids, 2951), (Bigints, 1016), (Byteas, 1001), (Texts, 1009)):
    adapters.register_dumper(_kind, _dumper(_array))
