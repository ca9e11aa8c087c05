"""Commands about the history: what happened, how it stood, whether it still fits."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

import typer

from application.configuration import Configuration
from domain.errors import NotFound
from interfaces.cli.database import database
from interfaces.cli.output import AsJson, as_mapping, json_of, say, show_one
from interfaces.cli.progress import progress_of
from interfaces.cli.workbench import Workbench, utc_now, workbench
from projections import event_index
from projections.engine.as_of import call_as_of, campaign_as_of
from projections.engine.chain import Problem
from projections.engine.runner import ProjectionStopped, catch_up
from projections.engine.schema import rebuild_command
from projections.engine.verify import Verified
from projections.engine.verify import verify as verify_history
from projections.event_index import LoggedEvent, Wanted
from projections.tables import as_cursor
from storage.database import connect

PAGE = 1_000
MOST_IN_JSON = 1_000
"""Problems that are kept for one JSON object; as lines they are without end."""


class Kind(StrEnum):
    CAMPAIGN = "campaign"
    CALL = "call"


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(
        help="What happened, how it stood then, and whether it fits.",
        rich_markup_mode=None,
    )
    group.command("events")(events)
    group.command("replay")(replay)
    group.command("verify")(verify)
    app.add_typer(group, name="audit")


def _time(text: str) -> datetime:
    """Read ISO 8601; without an offset it is UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r}: write it as 2026-03-01T12:00:00Z."
        raise typer.BadParameter(message) from None
    return time.replace(tzinfo=time.tzinfo or UTC)


TIME = {"parser": _time, "metavar": "TIME", "show_default": False}


def events(
    *,
    aggregate: Annotated[UUID | None, typer.Option(help="Of one aggregate.")] = None,
    campaign: Annotated[UUID | None, typer.Option(help="About a campaign.")] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option("--type", help="Such as call.ended; may be repeated."),
    ] = None,
    actor: Annotated[str | None, typer.Option(help="An e-mail, or scheduler.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Not earlier than that.", **TIME)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Not later than that.", **TIME)
    ] = None,
    after: Annotated[
        int | None, typer.Option(min=0, help="Behind that position, in the order.")
    ] = None,
    first: Annotated[
        int | None, typer.Option(min=1, help="So many; else all there are.")
    ] = None,
    newest_first: Annotated[
        bool, typer.Option("--newest-first", help="Backwards.")
    ] = False,
) -> None:
    """Print events as JSON lines, in the order of the log."""
    wanted = Wanted(aggregate, campaign, type_ or None, actor, since, until)
    with workbench(Configuration()) as bench:
        found = _events(bench, wanted, after, newest_first=newest_first)
        for event in islice(found, first):
            say(json_of(_shown(event)))


def _events(
    bench: Workbench, wanted: Wanted, after: int | None, *, newest_first: bool
) -> Iterator[LoggedEvent]:
    cursor = None if after is None else as_cursor(after)
    while True:
        page = bench.read(
            event_index.page,
            first=PAGE,
            after=cursor,
            newest_first=newest_first,
            wanted=wanted,
        )
        yield from page.nodes
        if not page.has_next:
            return
        cursor = page.end_cursor


def _shown(event: LoggedEvent) -> dict[str, Any]:
    fields = as_mapping(event, payload=event.payload)
    return {name: value for name, value in fields.items() if name != "state"}


def replay(
    kind: Annotated[Kind, typer.Argument(show_default=False)],
    id_: Annotated[UUID, typer.Argument(metavar="ID", show_default=False)],
    as_of: Annotated[
        datetime | None, typer.Option(help="Else as it stands now.", **TIME)
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a campaign or a call as it stood, made of its events."""
    with workbench(Configuration()) as bench:
        row: Any = (
            bench.read(campaign_as_of, id_, as_of)
            if kind is Kind.CAMPAIGN
            else bench.read(call_as_of, id_, as_of)
        )
    if row is None:
        raise NotFound(kind.value, f"{id_} at that time" if as_of else id_)
    show_one(as_mapping(row), as_json=as_json)


def verify(
    *,
    incremental: Annotated[
        bool, typer.Option("--incremental", help="From the last clean run on.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Verify that log and vault are unchanged and the read tables are correct.

    Prints each problem with its position, and which read tables to rebuild; the exit
    code is 1 if there are problems.
    """
    found = _Found(as_json=as_json)
    with database(Configuration()) as url, progress_of("Verify") as progress:
        _bring_in_all(url, found)
        verified = verify_history(
            url,
            now=utc_now,
            incremental=incremental,
            progress=progress,
            on_problem=found.tell,
        )
    found.conclude(verified)
    return 1 if found.count else 0


def _bring_in_all(url: str, found: "_Found") -> None:
    """Include what no projector has brought in yet, as far as that is possible."""
    try:
        with connect(url, name="cli projector") as connection:
            catch_up(connection)
    except ProjectionStopped as stopped:
        found.tell(Problem(stopped.position, str(stopped)))


class _Found:
    """Says each problem at once, or all of them in one object."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._kept: list[Problem] = []
        self.count = 0

    def tell(self, problem: Problem) -> None:
        self.count += 1
        if not self._as_json:
            say(f"{problem.position}: {problem.message}")
        elif len(self._kept) < MOST_IN_JSON:
            self._kept.append(problem)

    def conclude(self, verified: Verified) -> None:
        said = f"Events {verified.after + 1} to {verified.up_to}"
        if self._as_json:
            say(json_of(self._object(verified)))
        elif self.count:
            say(f"{said}: {self.count} problems.")
            if verified.rebuild:
                say(f"Rebuild with: {rebuild_command(verified.rebuild)}")
        else:
            say(f"{said}, the vault and the read tables fit.")

    def _object(self, verified: Verified) -> dict[str, Any]:
        return {
            "verifiedFrom": verified.after + 1,
            "verifiedUpTo": verified.up_to,
            "rebuild": list(verified.rebuild),
            "problemCount": self.count,
            "problems": [as_mapping(problem) for problem in self._kept],
        }
