"""Output of the command line: results to stdout, everything else to stderr."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer
from rich.console import Console
from rich.table import Table

LEAST_WIDTH = 8
"""Characters of a column without ids in a narrow terminal."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_line(text: str) -> None:
    """Print one line of a result to stdout."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_note(text: str) -> None:
    """Print one line that is not part of the result to stderr."""
    sys.stderr.write(f"autolynx: {' '.join(text.split())}\n")
    sys.stderr.flush()


def show_list(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool
) -> None:
    """Print these columns as a table, or all fields as a JSON array."""
    if as_json:
        print_line(json_of(list(rows)))
    else:
        _print_table([[_cell(row[name]) for name in columns] for row in rows], columns)


def show_one(thing: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one object as JSON, or one line per field."""
    if as_json:
        print_line(json_of(thing))
        return
    width = max(len(name) for name in thing)
    for name, value in thing.items():
        print_line(f"{name:<{width}}  {_cell(value)}")


def json_of(value: Any) -> str:
    """Serialize to JSON; amounts and times are strings, as in the API."""
    return orjson.dumps(value, default=str).decode()


def as_mapping(row: Any, **more: Any) -> dict[str, Any]:
    """Return a dataclass's fields and `more`, named as in the API."""
    assert is_dataclass(row)
    own = {camel(field.name): getattr(row, field.name) for field in fields(row)}
    return own | more


def camel(name: str) -> str:
    """Convert snake_case to camelCase."""
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def snake(name: str) -> str:
    """Convert camelCase or kebab-case to snake_case."""
    parts = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return parts.replace("-", "_")


def _print_table(rows: list[list[str]], columns: Sequence[str]) -> None:
    if not sys.stdout.isatty():
        for row in [list(columns), *rows]:
            print_line("\t".join(row))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for at, name in enumerate(columns):
        whole = max((len(row[at]) for row in rows), default=0) if is_id(name) else None
        table.add_column(name, min_width=whole, no_wrap=is_id(name))
    for row in rows:
        table.add_row(*row)
    console = Console()
    # Rich shortens ids where they do not fit: a wider table wraps in the terminal.
    needed = sum((column.min_width or LEAST_WIDTH) + 1 for column in table.columns)
    console.width = max(console.width, needed)
    console.print(table, markup=False)


def is_id(column: str) -> bool:
    """Whether the column contains ids, which are never shortened."""
    return column == "id" or column.endswith("Id")


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%SZ")
        case Enum():
            return str(value.value)
        case Decimal() | UUID() | int() | float() | str():
            return " ".join(str(value).split())
        case _:
            return json_of(value)
