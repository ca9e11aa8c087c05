"""Commands for the read tables: status and rebuild."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from application.configuration import Configuration
from domain.wording import counted
from interfaces.cli.database import database
from interfaces.cli.output import AsJson, print_line, print_note, show_list
from interfaces.cli.progress import progress_of
from projections.engine import rebuild as rebuilding
from projections.engine.schema import PROJECTIONS
from projections.monitoring.projection_status import projection_status
from storage.database import connect

COLUMNS = ("name", "position", "head", "behind", "lagSeconds")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    group = typer.Typer(
        help="The read tables, which are computed from the events.",
        rich_markup_mode=None,
    )
    group.command("status")(status)
    group.command("rebuild")(rebuild)
    app.add_typer(group, name="projections")


def status(*, as_json: AsJson = False) -> None:
    """Show the position of each projection and its lag behind the log."""
    with database(Configuration()) as url, connect(url, name="cli") as conn:
        found = projection_status(conn, datetime.now(UTC))
    row = {
        "position": found.position,
        "head": found.head,
        "behind": found.behind,
        "lagSeconds": round(found.lag_seconds, 3),
    }
    rows = [{"name": name, **row} for name in PROJECTIONS]
    show_list(rows, COLUMNS, as_json=as_json)
    if found.rebuilt is not None:
        print_note(f"A rebuild is at event {found.rebuilt}, or was interrupted there.")


def rebuild(
    name: Annotated[
        str | None, typer.Argument(help="One projection; default: all.")
    ] = None,
) -> None:
    """Rebuild the read tables from the events, without an interruption of service."""
    configuration = Configuration()
    workers = configuration.rebuild_workers
    with database(configuration) as url, progress_of("Rebuild") as progress:
        rebuilt = rebuilding.rebuild(url, name=name, workers=workers, progress=progress)
    what = "Everything" if name is None else name
    events = counted(rebuilt.events, "event")
    print_line(f"{what} is rebuilt from {events}, up to {rebuilt.position}.")
