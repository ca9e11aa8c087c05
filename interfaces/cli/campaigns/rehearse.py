"""The rehearsal of a campaign on the command line."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from application.configuration import Configuration
from domain.assistant import Assistant, assistant_id_of
from domain.campaigns.arms import first_share
from domain.campaigns.campaign_terms import CallingTerms
from domain.values import uuid_or_none
from domain.wording import counted
from interfaces.cli.campaigns.campaign_arms import Arms, parsed_arm
from interfaces.cli.campaigns.campaign_options import (
    ContactFile,
    FileOptions,
    Name,
    SettingsOptions,
)
from interfaces.cli.campaigns.campaign_terms import NewTermsOptions, time_of
from interfaces.cli.option_groups import takes
from interfaces.cli.output import AsJson, json_of, print_line, print_note
from interfaces.cli.workbench import Workbench, workbench
from interfaces.rehearsals import rehearsal
from storage.database import url_of
from storage.process.rehearsal_order import (
    FileToRead,
    RehearsalOrder,
    RehearsalScenario,
    RehearsedAssistant,
)

ANY = "rehearsal"
"""The id of the assistant and of the line unless others are named."""

AnyAssistant = Annotated[
    str, typer.Option(help="Our id or the provider's; default: any.")
]
AnyLine = Annotated[
    str, typer.Option("--phone-number", help="Id of the line; default: any.")
]
ExportFile = Annotated[
    Path | None,
    typer.Option("-o", "--output", dir_okay=False, help="File for the export."),
]
EventsFile = Annotated[
    Path | None,
    typer.Option(dir_okay=False, help="File for the events, as JSON lines."),
]
BeginsAt = Annotated[
    str | None,
    typer.Option(
        "--begins-at", metavar="TIME", help="Virtual time of the start; default: now."
    ),
]
Seed = Annotated[int, typer.Option(help="Another seed, other outcomes of the calls.")]


ScenarioOption = Annotated[
    RehearsalScenario,
    typer.Option(case_sensitive=False, help="How people and the provider behave."),
]


@takes(settings=SettingsOptions, options=FileOptions, terms=NewTermsOptions)
def rehearse(
    *,
    file: ContactFile,
    name: Name = None,
    assistant: AnyAssistant = ANY,
    arm: Arms = None,
    phone_number: AnyLine = ANY,
    settings: SettingsOptions,
    options: FileOptions,
    terms: NewTermsOptions,
    begins_at: BeginsAt = None,
    seed: Seed = 1,
    scenario: ScenarioOption = RehearsalScenario.NORMAL,
    output: ExportFile = None,
    events: EventsFile = None,
    as_json: AsJson = False,
) -> None:
    """Run a campaign with simulated calls in virtual time: nobody is called.

    The scheduler, the calling rules and the retries are the real ones. Everything
    happens in a database of its own, which is dropped afterwards.
    """
    with workbench(Configuration()) as bench:
        order = _order(
            bench,
            (assistant, *(arm or [])),
            terms.terms(),
            begins_at=time_of("--begins-at", begins_at) or bench.context.now(),
            name=name or file.stem,
            phone_number_id=phone_number,
            **settings.values(),
            seed=seed,
            scenario=scenario,
            export=str(output.absolute()) if output else None,
            events=str(events.absolute()) if events else None,
            file=_file_to_read(bench, file, options),
        )
        figures = _run(order)
    if as_json:
        print_line(json_of(figures))
    else:
        _print(figures)


def _file_to_read(bench: Workbench, file: Path, options: FileOptions) -> FileToRead:
    return FileToRead(
        path=str(file.absolute()),
        region=options.region or bench.settings.values().default_region,
        any_kind=options.any_kind,
        mapped=tuple(options.mapped or ()),
        sheet=options.sheet,
    )


def _order(
    bench: Workbench,
    named: tuple[str, ...],
    terms: CallingTerms,
    *,
    begins_at: datetime,
    **campaign: Any,
) -> RehearsalOrder:
    first, *arms = named
    compared = [parsed_arm(arm) for arm in arms]
    first_share([share for _, share in compared])
    assistants = ((first, 0), *compared)
    return RehearsalOrder(
        url=url_of(bench.writing),
        assistants=tuple(_assistant(bench, *each) for each in assistants),
        begins_at=begins_at,
        settings=bench.settings.values(),
        terms=terms,
        **campaign,
    )


def _assistant(bench: Workbench, id_: str, share: int) -> RehearsedAssistant:
    """Return the assistant of our directory, or one with this id and no settings."""
    for known in (uuid_or_none(id_), assistant_id_of(id_)):
        found = bench.app.find(Assistant, known) if known is not None else None
        if found is not None:
            config = orjson.dumps(found.config).decode()
            name = found.name
            return RehearsedAssistant(found.provider_assistant_id, name, config, share)
    return RehearsedAssistant(id_, id_, "{}", share)


def _run(order: RehearsalOrder) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    with rehearsal(order) as reports:
        for report in reports:
            figures = report.get("done", {})
            if progress := report.get("progress"):
                print_note(
                    f"{progress['at']}: {progress['ended']} of"
                    f" {counted(progress['contacts'], 'contact')} ended"
                )
    return figures


def _print(figures: dict[str, Any]) -> None:
    print_line(f"A rehearsal: nobody was called. {figures['state']}.")
    print_line(f"began      {figures['startedAt'] or '-'}")
    print_line(f"finished   {figures['completedAt'] or '-'}")
    for label in ("contacts", "calls", "answered", "human", "goals", "withheld"):
        print_line(f"{label:<10} {figures[label]}")
    print_line(f"spend      ${figures['spend']}")
    for outcome, calls in figures["outcomes"].items():
        print_line(f"outcome    {outcome}: {calls}")
    for number, arm in enumerate(figures["arms"], start=1):
        goals, contacts = arm["goals"], arm["contacts"]
        achieved = f"{counted(goals, 'goal')}, {counted(contacts, 'contact')}"
        print_line(f"arm {number}      {achieved}")
    for reason in figures["waits"]:
        print_line(f"waits      {reason}")
    events = counted(figures["events"], "event")
    print_note(f"{events} in {figures['seconds']} s.")
