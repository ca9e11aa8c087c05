"""The command that creates a campaign from a file of contacts."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID

import typer

from application.configuration import Configuration
from application.contacts.files.uploads import Upload
from application.contacts.imports import NewCampaign
from application.contacts.list_import import OnProgress
from domain.campaigns.campaign_terms import CallingTerms
from interfaces.cli.assistants import assistant_here
from interfaces.cli.campaigns.assistant_values import assistant_warnings
from interfaces.cli.campaigns.campaign_arms import Arms, compared, print_smallest
from interfaces.cli.campaigns.campaign_options import (
    AssistantName,
    ContactFile,
    DryRun,
    FileOptions,
    Name,
    PhoneNumber,
    RequestId,
    SettingsOptions,
    Start,
)
from interfaces.cli.campaigns.campaign_terms import NewTermsOptions
from interfaces.cli.campaigns.contact_files import (
    bar,
    print_findings,
    print_report,
    receive,
    required,
)
from interfaces.cli.directory import line_here
from interfaces.cli.option_groups import takes
from interfaces.cli.output import AsJson, json_of, print_line
from interfaces.cli.workbench import Workbench, actor, workbench
from projections.campaigns import campaign_board

MANY = 10_000
"""Contacts from which an import shows its progress."""


def add_commands(group: typer.Typer) -> None:
    """Add the command to the group `campaigns`."""
    group.command("create")(create)


@takes(settings=SettingsOptions, options=FileOptions, terms=NewTermsOptions)
def create(
    *,
    file: ContactFile,
    name: Name = None,
    assistant: AssistantName = None,
    arm: Arms = None,
    phone_number: PhoneNumber = None,
    settings: SettingsOptions,
    options: FileOptions,
    dry_run: DryRun = False,
    terms: NewTermsOptions,
    request_id: RequestId = None,
    start: Start = False,
    as_json: AsJson = False,
) -> None:
    """Create a campaign from a file of contacts and print its id."""
    if dry_run:
        named_assistants = (assistant, arm or [])
        _report_only(file, options, terms.terms(), named_assistants, as_json=as_json)
        return
    wanted = partial(
        NewCampaign,
        name=required(name, "--name"),
        **settings.values(),
        terms=terms.terms(),
        request_id=request_id,
    )
    named = (
        required(assistant, "--assistant"),
        arm or [],
        required(phone_number, "--phone-number"),
    )
    _create_from_file(file, options, named, wanted, start=start, as_json=as_json)


def _create_from_file(
    file: Path,
    options: FileOptions,
    named: tuple[str, list[str], str],
    wanted: Callable[..., NewCampaign],
    *,
    start: bool,
    as_json: bool,
) -> None:
    assistant, arms, line = named
    with workbench(Configuration()) as bench:
        upload = receive(bench, file, options)
        new = wanted(
            upload_id=upload.id,
            assistant_id=assistant_here(bench, assistant),
            compared=compared(bench, arms),
            phone_number_id=line_here(bench, line),
        )
        with bar("contacts imported", long=upload.accepted > MANY) as on_progress:
            campaign_id = _create(
                bench, new, lambda done: on_progress(done, upload.accepted), start=start
            )
        fit = assistant_warnings(bench, upload, assistant, arms)
        _print_created(bench, campaign_id, upload, fit, as_json=as_json)


def _report_only(
    file: Path,
    options: FileOptions,
    terms: CallingTerms,
    assistants: tuple[str | None, list[str]],
    *,
    as_json: bool,
) -> None:
    with workbench(Configuration()) as bench:
        upload = receive(bench, file, options)
        try:
            count, now = bench.dialability.of_upload, bench.now()
            found = bench.read(count, upload.id, terms, now)
            fit = assistant_warnings(bench, upload, *assistants)
            print_report(bench, upload, found, fit, as_json=as_json)
            print_findings(bench, upload, fit)
        finally:
            bench.uploads.remove(upload.id)


def _create(
    bench: Workbench, new: NewCampaign, on_progress: OnProgress, *, start: bool
) -> UUID:
    cap = bench.settings.values().default_cap
    made = bench.imports.create_campaign(
        new, default_cap=cap, by=actor(), on_progress=on_progress
    )
    if start:
        bench.campaigns.start(made.campaign_id, by=actor())
    bench.read(campaign_board.get, made.campaign_id)
    return made.campaign_id


def _print_created(
    bench: Workbench,
    campaign_id: UUID,
    upload: Upload,
    fit: list[str],
    *,
    as_json: bool,
) -> None:
    if not as_json:
        print_findings(bench, upload, fit)
        print_smallest(bench, campaign_id)
        print_line(str(campaign_id))
        return
    report = {
        "accepted": upload.accepted,
        "skippedCount": upload.skipped_count,
        "rejectsNotKept": upload.not_kept_count,
    }
    warnings = [*upload.warnings, *fit]
    print_line(json_of({"id": campaign_id, "report": report, "warnings": warnings}))
