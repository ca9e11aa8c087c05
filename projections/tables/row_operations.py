"""Row operations that handlers return, and their fold into one write for each row.

Writing the folded operations has the same result as writing each operation alone, in
order. Only the order of operations on the same row matters, and the fold keeps it. (A
table that is patched by a part of its key may otherwise only be put to.)
"""

from collections.abc import Iterable, Iterator
from enum import Enum, IntEnum
from typing import Any, NamedTuple

type Key = tuple[Any, ...]
type Columns = dict[str, Any]


class Kind(IntEnum):
    """Kinds of row operations; the functions of the same names explain them."""

    PUT = 0
    PATCH = 1
    ADD = 2
    DROP = 3
    PATCH_ALL = 4


class RowOperation(NamedTuple):
    """A change of the row of `table` with this key; `columns` are values or deltas."""

    kind: Kind
    table: str
    key: Key
    columns: Columns


def put(table: str, key: Any, /, **columns: Any) -> RowOperation:
    """Insert the row, or set these columns if it exists."""
    return RowOperation(Kind.PUT, table, _key(key), _plain(columns))


def patch(table: str, key: Any, /, **columns: Any) -> RowOperation:
    """Set these columns if the row exists."""
    return RowOperation(Kind.PATCH, table, _key(key), _plain(columns))


def patch_all(table: str, part: Any, /, **columns: Any) -> RowOperation:
    """Set these columns of all existing rows whose key begins with `part`."""
    return RowOperation(Kind.PATCH_ALL, table, _key(part), _plain(columns))


def add(table: str, key: Any, /, **deltas: Any) -> RowOperation:
    """Add these numbers to the columns if the row exists."""
    return RowOperation(Kind.ADD, table, _key(key), deltas)


def drop(table: str, key: Any, /) -> RowOperation:
    """Delete the row if it exists."""
    return RowOperation(Kind.DROP, table, _key(key), {})


def _key(key: Any) -> Key:
    return key if isinstance(key, tuple) else (key,)


def _plain(columns: Columns) -> Columns:
    for name, value in columns.items():
        if isinstance(value, Enum):
            columns[name] = value.value
    return columns


NOTHING: Columns = {}
"""Stands for no columns in a `Change`; it is never changed itself."""


class Change:
    """The effect of a batch on one row, written in the order of the attributes.

    Before a `put` or `drop` it is unknown whether the row exists; `patch` and `add`
    apply only if it does. `put` contains the columns of an inserted or updated row,
    `add_after` deltas of columns that it does not set.
    """

    __slots__ = ("add", "add_after", "drop", "patch", "patch_all", "put")

    def __init__(self) -> None:
        self.patch: Columns = NOTHING
        self.add: Columns = NOTHING
        self.drop = False
        self.put: Columns | None = None
        self.add_after: Columns = NOTHING
        self.patch_all: Columns = NOTHING

    def then(self, operation: RowOperation) -> None:
        """Add the next operation on the row."""
        kind, _, _, columns = operation
        if kind is Kind.PUT:
            self._put(columns)
        elif kind is Kind.PATCH:
            self._patch(columns)
        elif kind is Kind.ADD:
            self._add(columns)
        elif kind is Kind.DROP:
            self._drop()
        else:
            self.patch_all = self.patch_all | columns

    def _put(self, columns: Columns) -> None:
        if self.put is None:
            self.put = dict(columns)
        else:
            self._overwrite_put(self.put, columns)

    def _patch(self, columns: Columns) -> None:
        if self.put is not None:
            self._overwrite_put(self.put, columns)
        elif not self.drop:
            self.patch = self.patch | columns
            self.add = _without(self.add, columns)

    def _overwrite_put(self, put: Columns, columns: Columns) -> None:
        put.update(columns)
        self.add_after = _without(self.add_after, columns)

    def _add(self, deltas: Columns) -> None:
        if self.put is not None:
            self.add_after = _increased(self.put, self.add_after, deltas)
        elif not self.drop:
            self.add = _increased(self.patch, self.add, deltas)

    def _drop(self) -> None:
        self.patch = self.add = self.add_after = NOTHING
        self.drop, self.put = True, None


def _without(deltas: Columns, columns: Columns) -> Columns:
    """Return the deltas of the other columns."""
    if not deltas:
        return deltas
    return {name: delta for name, delta in deltas.items() if name not in columns}


def _increased(known: Columns, deltas: Columns, more: Columns) -> Columns:
    """Add to the known columns in place; return the deltas with those of the others."""
    deltas = dict(deltas)
    for name, delta in more.items():
        target = known if name in known else deltas
        target[name] = target[name] + delta if name in target else delta
    return deltas


def row_of(operations: Iterable[RowOperation], table: str, key: Key) -> Columns | None:
    """Return one row after these operations on an empty table; None if it is missing.

    Columns that no operation sets are left out.
    """
    change = Change()
    for operation in operations:
        if (operation.table, operation.key) == (table, key):
            change.then(operation)
    return None if change.put is None else change.put | change.add_after


type Folded = dict[str, dict[Key, Change]]
"""Changes by table and key, which may be written in any order of tables."""


def fold(operations: Iterable[RowOperation]) -> list[Folded]:
    """Fold operations by row into rounds, which must be written in order.

    There is one round, unless a row is put after a `patch_all` that must not apply to
    it.
    """
    rounds: list[Folded] = [{}]
    for operation in operations:
        rows = rounds[-1].setdefault(operation.table, {})
        if operation.kind is Kind.PUT and operation.key[:-1] in rows:
            rows = {}
            rounds.append({operation.table: rows})
        change = rows.get(operation.key)
        if change is None:
            change = rows[operation.key] = Change()
        change.then(operation)
    return rounds


class Write(NamedTuple):
    """Rows of one table for one statement: `values` has the columns `names` of each."""

    kind: Kind
    table: str
    names: tuple[str, ...]
    keys: list[Key]
    values: list[tuple[Any, ...]]


def writes(rounds: Iterable[Folded]) -> Iterator[Write]:
    """Group folded rows into statements, in the order in which they must run."""
    for tables in rounds:
        for table, rows in tables.items():
            yield from _grouped(Kind.PATCH, table, _those_with(rows, "patch"))
            yield from _grouped(Kind.ADD, table, _those_with(rows, "add"))
            yield from _grouped(Kind.DROP, table, _dropped(rows))
            yield from _grouped(Kind.PUT, table, _put(rows))
            yield from _grouped(Kind.ADD, table, _those_with(rows, "add_after"))
            yield from _grouped(Kind.PATCH_ALL, table, _those_with(rows, "patch_all"))


def _dropped(rows: dict[Key, Change]) -> Iterator[tuple[Key, Columns]]:
    return ((key, {}) for key, change in rows.items() if change.drop)


def _put(rows: dict[Key, Change]) -> Iterator[tuple[Key, Columns]]:
    return ((key, change.put) for key, change in rows.items() if change.put is not None)


def _those_with(rows: dict[Key, Change], part: str) -> Iterator[tuple[Key, Columns]]:
    for key, change in rows.items():
        columns: Columns = getattr(change, part)
        if columns:
            yield key, columns


def _grouped(
    kind: Kind, table: str, rows: Iterable[tuple[Key, Columns]]
) -> Iterator[Write]:
    groups: dict[tuple[str, ...], Write] = {}
    for key, columns in rows:
        names = tuple(sorted(columns))
        write = groups.get(names)
        if write is None:
            write = groups[names] = Write(kind, table, names, [], [])
        write.keys.append(key)
        write.values.append(tuple([columns[name] for name in names]))
    yield from groups.values()
