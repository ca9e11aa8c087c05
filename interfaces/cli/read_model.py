"""Commands about the read tables: how far they are, and making them anew."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from application.configuration import Configuration
from interfaces.cli.database import database
from interfaces.cli.output import AsJson, remark, say, show_list
from interfaces.cli.progress import progress_of
from projections.engine import rebuild as rebuilding
from projections.engine.projection_status import standing
from projections.engine.schema import PROJECTIONS
from storage.database import connect

COLUMNS = ("name", "position", "head", "behind", "lagSeconds")


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(
        help="The read tables, which are made of the events.", rich_markup_mode=None
    )
    group.command("status")(status)
    group.command("rebuild")(rebuild)
    app.add_typer(group, name="projections")


def status(*, as_json: AsJson = False) -> None:
    """Show how far each projection is, and how far behind the log."""
    with database(Configuration()) as url, connect(url, name="cli") as conn:
        found = standing(conn, datetime.now(UTC))
    row = {
        "position": found.position,
        "head": found.head,
        "behind": found.behind,
        "lagSeconds": round(found.lag_seconds, 3),
    }
    rows = [{"name": name, **row} for name in PROJECTIONS]
    show_list(rows, COLUMNS, as_json=as_json)
    if found.rebuilt is not None:
        remark(f"A rebuild stands at event {found.rebuilt}, or was broken off there.")


def rebuild(
    name: Annotated[
        str | None, typer.Argument(help="One projection; else all of them.")
    ] = None,
) -> None:
    """Make the read tables anew from the events; everything goes on meanwhile."""
    with database(Configuration()) as url, progress_of("Rebuild") as progress:
        rebuilt = rebuilding.rebuild(url, name=name, progress=progress)
    what = "Everything" if name is None else name
    say(f"{what} is made anew from {rebuilt.events} events, up to {rebuilt.position}.")
