"""Commands for the event history: list, replay, verify."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

import typer

from application.calling_rules.permit_words import permit_words
from application.configuration import Configuration
from domain.calls.call import Call
from domain.errors import NotFound
from domain.wording import counted
from interfaces.cli.database import database
from interfaces.cli.output import AsJson, as_mapping, json_of, print_line, show_one
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
from projections.tables.pages import as_cursor
from storage.database import connect
from storage.log.mapper import to_plain

PAGE = 1_000
MOST_IN_JSON = 1_000
"""Most problems in the JSON output; as lines, all of them are printed."""


class Kind(StrEnum):
    """What `audit replay` can show."""

    CAMPAIGN = "campaign"
    CALL = "call"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    group = typer.Typer(
        help="List, replay and verify the event history.",
        rich_markup_mode=None,
    )
    group.command("events")(events)
    group.command("replay")(replay)
    group.command("verify")(verify)
    app.add_typer(group, name="audit")


def _time(text: str) -> datetime:
    """Parse ISO 8601; UTC if there is no offset."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r}: write it as 2026-03-01T12:00:00Z."
        raise typer.BadParameter(message) from None
    return time.replace(tzinfo=time.tzinfo or UTC)


TIME = {"parser": _time, "metavar": "TIME", "show_default": False}


def events(
    *,
    aggregate: Annotated[
        UUID | None, typer.Option(help="Only of this aggregate.")
    ] = None,
    campaign: Annotated[
        UUID | None, typer.Option(help="Only of this campaign.")
    ] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option(
            "--type", help="Only of this type, such as call.ended; may be repeated."
        ),
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(help="Only by this actor: an e-mail address, or scheduler."),
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Earliest time.", **TIME)
    ] = None,
    until: Annotated[datetime | None, typer.Option(help="Latest time.", **TIME)] = None,
    after: Annotated[
        int | None,
        typer.Option(min=0, help="Only after this position, in the chosen order."),
    ] = None,
    first: Annotated[
        int | None, typer.Option(min=1, help="Most events to print.")
    ] = None,
    newest_first: Annotated[
        bool, typer.Option("--newest-first", help="In descending order.")
    ] = False,
) -> None:
    """Print events as JSON lines, in the order of the log."""
    wanted = Wanted(aggregate, campaign, type_ or None, actor, since, until)
    with workbench(Configuration()) as bench:
        found = _events(bench, wanted, after, newest_first=newest_first)
        for event in islice(found, first):
            print_line(json_of(_shown(event)))


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
        datetime | None, typer.Option(help="Time of the state; default: now.", **TIME)
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the state of a campaign or call at a time, computed from its events."""
    with workbench(Configuration()) as bench:
        row: Any = (
            bench.read(campaign_as_of, id_, as_of)
            if kind is Kind.CAMPAIGN
            else bench.read(call_as_of, id_, as_of)
        )
        requested = _last_request(bench, id_, as_of)
        permit = _permit(bench, requested)
    if row is None:
        raise NotFound(kind.value, f"{id_} at that time" if as_of else id_)
    shown = as_mapping(row)
    if kind is Kind.CALL:
        arm = requested.arm if requested else None
        shown |= {"permit": permit, "arm": to_plain(arm) if arm else None}
    show_one(shown, as_json=as_json)


def _last_request(
    bench: Workbench, call_id: UUID, as_of: datetime | None
) -> Call.Requested | None:
    """Return the last request of a call until that time; None for another aggregate."""
    requested: Call.Requested | None = None
    for stored in bench.app.recorder.select_events(call_id):
        event: Any = bench.app.mapper.to_domain_event(stored)
        is_known = as_of is None or event.timestamp <= as_of
        if isinstance(event, Call.Requested) and is_known:
            requested = event
    return requested


def _permit(
    bench: Workbench, requested: Call.Requested | None
) -> dict[str, Any] | None:
    """Return the permit of a request, with it in words."""
    if requested is None or requested.permit is None:
        return None
    at, permit = requested.timestamp, requested.permit
    words = permit_words(permit, at, bench.rule_book.current())
    return {"grantedAt": at, "words": words, **to_plain(permit)}


def verify(
    *,
    incremental: Annotated[
        bool,
        typer.Option(
            "--incremental", help="Start after the last run without problems."
        ),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Verify that log and vault are unchanged and the read tables are correct.

    Prints each problem with its position, and which read tables to rebuild; the exit
    code is 1 if there are problems.
    """
    found, configuration = _Found(as_json=as_json), Configuration()
    with database(configuration) as url, progress_of("Verify") as progress:
        _catch_up(url, found)
        verified = verify_history(
            url,
            now=utc_now,
            incremental=incremental,
            workers=configuration.rebuild_workers,
            progress=progress,
            on_problem=found.report,
        )
    found.conclude(verified)
    return 1 if found.count else 0


def _catch_up(url: str, found: "_Found") -> None:
    """Project events that no projector has processed yet, as far as possible."""
    try:
        with connect(url, name="cli projector") as connection:
            catch_up(connection)
    except ProjectionStopped as stopped:
        found.report(Problem(stopped.position, str(stopped)))


class _Found:
    """Prints each problem at once, or all of them as one JSON object."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._problems: list[Problem] = []
        self.count = 0

    def report(self, problem: Problem) -> None:
        self.count += 1
        if not self._as_json:
            print_line(f"{problem.position}: {problem.message}")
        elif len(self._problems) < MOST_IN_JSON:
            self._problems.append(problem)

    def conclude(self, verified: Verified) -> None:
        checked = f"Events {verified.after + 1} to {verified.up_to}"
        if self._as_json:
            print_line(json_of(self._object(verified)))
        elif self.count:
            print_line(f"{checked}: {counted(self.count, 'problem')}.")
            if verified.rebuild:
                print_line(f"Rebuild with: {rebuild_command(verified.rebuild)}")
        else:
            print_line(f"{checked}, the vault and the read tables fit.")

    def _object(self, verified: Verified) -> dict[str, Any]:
        return {
            "verifiedFrom": verified.after + 1,
            "verifiedUpTo": verified.up_to,
            "rebuild": list(verified.rebuild),
            "problemCount": self.count,
            "problems": [as_mapping(problem) for problem in self._problems],
        }
