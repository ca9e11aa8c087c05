"""Read tables in memory, to which each row operation is applied alone, in order."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from projections.engine.schema import HANDLERS
from projections.tables.row_operations import Kind, RowOperation

type Row = dict[str, Any]


class Memory:
    def __init__(self) -> None:
        self.tables: defaultdict[str, dict[tuple[Any, ...], Row]] = defaultdict(dict)

    def apply(self, operations: Iterable[RowOperation]) -> None:
        for operation in operations:
            self._apply(operation)

    def _apply(self, operation: RowOperation) -> None:
        rows, (kind, _, key, columns) = self.tables[operation.table], operation
        if kind is Kind.PUT:
            rows.setdefault(key, {}).update(columns)
        elif kind is Kind.DROP:
            rows.pop(key, None)
        elif kind is Kind.PATCH_ALL:
            for each, row in rows.items():
                if each[: len(key)] == key:
                    row.update(columns)
        elif key in rows and kind is Kind.PATCH:
            rows[key].update(columns)
        elif key in rows:
            for name, delta in columns.items():
                rows[key][name] = rows[key].get(name, 0) + delta

    def row(self, table: str, *key: Any) -> Row:
        return self.tables[table][key]


def projected(events: Iterable[Any]) -> Memory:
    """Apply events with all handlers, at the positions 1, 2, 3, ..."""
    memory = Memory()
    for position, event in enumerate(events, start=1):
        for handler in HANDLERS:
            memory.apply(handler(event, position))
    return memory
