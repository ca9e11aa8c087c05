"""What each handler writes for a fixed set of events, recorded per handler version.

`handler_outputs.json` contains, for each read table, its handler version and a digest
of the different row operations for each golden event and variants of it. The digests
depend on the handler and on all domain code that it uses, but not on names or comments,
nor on fields of events that no handler reads.
`python -m tests.projections.handler_outputs` records new tables, versions and events.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from hashlib import sha256
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import orjson
from eventsourcing.persistence import StoredEvent

from projections.engine.schema import HANDLERS, TABLES
from projections.event_index import INDEX, Recorded, index_columns
from projections.tables.row_operations import RowOperation, put
from tests.golden.catalogue import (
    STREAM,
    event_classes,
    event_of,
    golden_files,
    own_fields,
    topic_of,
)

FILE = Path(__file__).with_name("handler_outputs.json")
POSITION = 7
LINK = {"hash": b"head", "latest_at": datetime(2026, 1, 1, tzinfo=UTC)}
"""Columns of the event index that depend on earlier events."""

type Digests = dict[str, Any]
"""{"events": golden events, "tables": {table: {"version": n, "outputs": {event: x}}}}.

Events without an output for a table are left out of its outputs."""


def current() -> Digests:
    """Return the versions and digests of the current code."""
    outputs: dict[str, dict[str, list[str]]] = {table.name: {} for table in TABLES}
    for file in golden_files():
        topic = topic_of(file)
        golden = event_of(topic, orjson.loads(file.read_bytes()))
        for event in (golden, *variants(golden, topic)):
            for operation in operations(event, topic):
                row = outputs[operation.table].setdefault(file.stem, [])
                row.append(_text(operation))
    tables = {
        table.name: {
            "version": table.handler_version,
            "outputs": {
                name: sha256("\n".join(dict.fromkeys(rows)).encode()).hexdigest()[:16]
                for name, rows in sorted(outputs[table.name].items())
            },
        }
        for table in TABLES
    }
    return {"events": [file.stem for file in golden_files()], "tables": tables}


def operations(event: Any, topic: str) -> Iterator[RowOperation]:
    for handler in HANDLERS:
        yield from handler(event, POSITION)
    stored = StoredEvent(STREAM, event.originator_version, topic, b"{}")
    columns = index_columns([Recorded(POSITION, stored, event, b"")])
    row = {name: value for name, [value] in columns.items()}
    yield put(INDEX, row.pop("position"), **row, **LINK)


def variants(event: Any, topic: str) -> Iterator[Any]:
    """Yield copies that differ in one field: other enum values, bools and None."""
    for name, hint in sorted(own_fields(event_classes()[topic]).items()):
        for value in _other_values(hint):
            if value != getattr(event, name, None):
                copy = object.__new__(type(event))
                copy.__dict__.update({**event.__dict__, name: value})
                yield copy


def _other_values(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) in {Union, UnionType}:
        return tuple(v for part in get_args(hint) for v in _other_values(part))
    if hint is type(None):
        return (None,)
    if hint is bool:
        return (False, True)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return tuple(hint)
    return ()


def _text(operation: RowOperation) -> str:
    columns = {name: str(value) for name, value in sorted(operation.columns.items())}
    return f"{operation.kind.name} {[str(part) for part in operation.key]} {columns}"


def recorded() -> Digests:
    digests: Digests = orjson.loads(FILE.read_bytes())
    return digests


def changed(before: Digests, now: Digests) -> dict[str, list[str]]:
    """Return by table the events with another output under the same version."""
    found = {}
    for table, entry in now["tables"].items():
        old = before["tables"].get(table)
        if old is not None and old["version"] == entry["version"]:
            outputs, earlier = entry["outputs"], old["outputs"]
            names = [n for n in before["events"] if outputs.get(n) != earlier.get(n)]
            if names:
                found[table] = names
    return found


def main() -> None:
    """Record the current digests; refuse changed outputs of an unchanged version."""
    now = current()
    if FILE.exists() and (wrong := changed(recorded(), now)):
        raise SystemExit(f"raise handler_version of these tables first: {wrong}")
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    FILE.write_bytes(orjson.dumps(now, option=options))


if __name__ == "__main__":
    main()
