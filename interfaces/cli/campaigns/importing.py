"""The command that adds the contacts of a file to a campaign."""

from uuid import UUID

import typer

from application.configuration import Configuration
from application.contacts.files.uploads import Upload
from domain.errors import NotFound, Refused
from interfaces.cli.campaigns.campaign_options import (
    CampaignId,
    ContactFile,
    FileOptions,
)
from interfaces.cli.campaigns.contact_files import (
    REJECTS_IN_JSON,
    REJECTS_SHOWN,
    print_counts,
    receive,
)
from interfaces.cli.option_groups import takes
from interfaces.cli.output import AsJson, as_mapping, json_of, print_line, print_note
from interfaces.cli.workbench import Workbench, actor, workbench
from projections.campaigns import campaign_board
from projections.contacts import contact_import
from projections.contacts.contact_import import ContactImport


def add_commands(group: typer.Typer) -> None:
    """Add the command to the group `campaigns`."""
    group.command("import-contacts")(import_contacts)


@takes(options=FileOptions)
def import_contacts(
    campaign_id: CampaignId,
    *,
    file: ContactFile,
    options: FileOptions,
    as_json: AsJson = False,
) -> None:
    """Add the contacts of a file to a campaign that is not finished.

    Numbers that the campaign has already are skipped. It prints the id of the import.
    """
    with workbench(Configuration()) as bench:
        if bench.read(campaign_board.get, campaign_id) is None:
            raise NotFound("campaign", campaign_id)
        upload = receive(bench, file, options)
        imported = _import(bench, campaign_id, upload)
        if as_json:
            _print_json(bench, upload, imported)
        else:
            _print_report(bench, upload, imported)


def _import(bench: Workbench, campaign_id: UUID, upload: Upload) -> ContactImport:
    """Import an upload; delete it if the import is refused."""
    try:
        bench.imports.import_contacts(campaign_id, upload.id, by=actor())
    except Refused:
        bench.uploads.remove_unused(upload.id, actor())
        raise
    imported = bench.read(contact_import.get, upload.id)
    assert imported is not None
    return imported


def _print_json(bench: Workbench, upload: Upload, imported: ContactImport) -> None:
    rows = bench.read(
        contact_import.skipped_rows, imported.list_id, most=REJECTS_IN_JSON
    )
    report = {
        "accepted": imported.accepted,
        "skippedCount": imported.skipped,
        "skipped": [as_mapping(row) for row in rows],
        "rejectsNotKept": bench.read(contact_import.rejects_not_kept, imported),
    }
    warnings = list(upload.warnings)
    print_line(
        json_of({"id": imported.list_id, "report": report, "warnings": warnings})
    )


def _print_report(bench: Workbench, upload: Upload, imported: ContactImport) -> None:
    print_counts(imported.accepted, imported.skipped)
    for row in bench.read(
        contact_import.skipped_rows, imported.list_id, most=REJECTS_SHOWN
    ):
        print_note(f"row {row.row}: {row.message}")
    for warning in upload.warnings:
        print_note(f"warning: {warning}")
    print_line(str(imported.list_id))
