"""Commands for imported suppression lists, such as a do-not-call registry."""

from datetime import UTC, date
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from application.configuration import Configuration
from application.suppression_lists.service import ListTerms
from domain.gate.rules import CallPurpose
from domain.wording import counted
from interfaces.cli.output import AsJson, as_mapping, print_line, show_list
from interfaces.cli.workbench import actor, workbench
from interfaces.files.suppression_lists import LARGEST_FILE, shown, unpacked
from projections.registers import suppression_list_board

PIECE = 1 << 20
ZIP = b"PK\x03\x04"


def add_commands(suppressions: typer.Typer) -> None:
    """Add the commands to the group `autolynx suppressions`."""
    suppressions.command("import")(import_list)
    suppressions.command("lists")(show_lists)
    suppressions.command("remove-list")(remove_list)


def import_list(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    *,
    name: Annotated[str, typer.Option(help="A file of the same name replaces it.")],
    as_of: Annotated[str, typer.Option(help="Date of the data: 2026-11-20.")],
    max_age_days: Annotated[
        int | None, typer.Option("--max-age", help="Days after which it is too old.")
    ] = None,
    covers: Annotated[
        list[str] | None, typer.Option(help="Prefix it covers, such as +1202.")
    ] = None,
    purpose: Annotated[
        list[CallPurpose] | None, typer.Option(help="Purpose that it restricts.")
    ] = None,
) -> None:
    """Import a list: text, CSV, or a zip file of them. It takes effect as one step."""
    try:
        day = date.fromisoformat(as_of)
    except ValueError:
        message = f"--as-of {as_of!r} is no date; write it like 2026-11-20."
        raise typer.BadParameter(message) from None
    with workbench(Configuration()) as bench, file.open("rb") as content:
        terms = ListTerms(
            name=name,
            as_of=day,
            max_age_days=max_age_days,
            covers=tuple(covers or ()),
            purposes=tuple(purpose or ()),
            region=bench.settings.values().default_region,
        )
        is_zip = content.read(len(ZIP)) == ZIP
        content.seek(0)
        pieces = iter(lambda: content.read(PIECE), b"")
        if is_zip:
            pieces = unpacked(pieces, LARGEST_FILE)
        version, _ = bench.suppression_lists.receive(terms, pieces, by=actor())
        today = bench.now().astimezone(UTC).date()
    row = shown(version, today)
    numbers = counted(version.numbers, "number")
    print_line(f"{row['name']}: {numbers} of {row['asOf']}.")


def show_lists(*, as_json: AsJson = False) -> None:
    """List the imported lists."""
    with workbench(Configuration()) as bench:
        rows = bench.read(suppression_list_board.lists)
    columns = ("listId", "name", "asOf", "maxAgeDays", "numbers", "uploadedBy")
    show_list([as_mapping(row) for row in rows], columns, as_json=as_json)


def remove_list(
    list_id: Annotated[UUID, typer.Argument(metavar="ID", show_default=False)],
) -> None:
    """Stop using a list and delete its numbers (its ID: `suppressions lists`)."""
    with workbench(Configuration()) as bench:
        bench.suppression_lists.remove(list_id, by=actor())
    print_line(f"{list_id} is removed.")
