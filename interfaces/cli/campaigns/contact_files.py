"""Reading of a contact file on the command line, and the report about it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path

import typer

from application.contacts.files.columns import InvalidMapping, parse_overrides
from application.contacts.files.contact_file import ReadOptions
from application.contacts.files.unreadable import MappingNeeded, UnreadableFile
from application.contacts.files.upload_report import (
    SAMPLE_ROWS,
    sample_row,
    upload_report,
)
from application.contacts.files.uploads import Upload
from domain.gate.dialability import Dialability
from domain.wording import counted
from interfaces.cli.campaigns import dialability
from interfaces.cli.campaigns.campaign_options import FileOptions
from interfaces.cli.output import json_of, print_line, print_note
from interfaces.cli.progress import OnProgress, progress_of
from interfaces.cli.workbench import Workbench, actor
from storage.vault.reception import receive_file
from storage.vault.uploads import NewUpload

REJECTS_SHOWN = 5
REJECTS_IN_JSON = 1_000
LONGEST_VALUE = 30
"""Characters that are printed of a value."""
CHUNK = 1 << 20
KEPT = timedelta(days=1)


def receive(bench: Workbench, path: Path, options: FileOptions) -> Upload:
    """Read and store a file's rows; store nothing of a file that is refused."""
    region = options.region or bench.settings.values().default_region
    now = bench.context.now()
    new = NewUpload(
        id=bench.context.new_id(),
        filename=path.name,
        default_region=region,
        created_by=actor(),
        created_at=now,
        expires_at=now + KEPT,
    )
    try:
        read = ReadOptions(
            default_region=region,
            any_kind=options.any_kind,
            overrides=parse_overrides(options.mapped or ()),
            sheet=options.sheet,
        )
        return receive_file(bench.uploads, new, _pieces(path), read)
    except InvalidMapping as error:
        raise UnreadableFile(_for_command_line(error)) from error
    except UnreadableFile as error:
        message = _for_command_line(error) + _other_sheets(error)
        raise UnreadableFile(message) from error


def _for_command_line(error: UnreadableFile) -> str:
    is_about_columns = isinstance(error, MappingNeeded | InvalidMapping)
    return (
        error.message.replace("map=", "--map ") if is_about_columns else error.message
    )


def _other_sheets(error: UnreadableFile) -> str:
    """Return a sentence about the sheets of a refused workbook that were not read."""
    sheets = error.sheets
    others = [name for name in sheets.names if name != sheets.read] if sheets else []
    if sheets is None or not others:
        return ""
    shown = ", ".join(f'"{name}"' for name in others)
    return f' The sheet "{sheets.read}" was read; --sheet chooses another: {shown}.'


def _pieces(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file, bar("bytes read", long=size > CHUNK) as on_progress:
        while chunk := file.read(CHUNK):
            yield chunk
            on_progress(file.tell(), size)


def bar(what: str, *, long: bool) -> AbstractContextManager[OnProgress]:
    """Show a progress bar if the command takes long."""
    return progress_of(what) if long else nullcontext(lambda _done, _of: None)


def print_findings(bench: Workbench, upload: Upload, fit: Sequence[str] = ()) -> None:
    """Print to stderr what was understood and which rows were skipped.

    `fit` are warnings about the assistants of the campaign.
    """
    print_counts(upload.accepted, upload.skipped_count)
    if upload.not_kept_count:
        rows = counted(upload.not_kept_count, "skipped row was", "skipped rows were")
        print_note(f"{rows} counted but not stored.")
    for reject in bench.uploads.first_rejects(upload.id, REJECTS_SHOWN):
        print_note(f"row {reject.row}: {reject.message}")
    for warning in (*upload.warnings, *fit):
        print_note(f"warning: {warning}")


def print_counts(accepted: int, skipped: int) -> None:
    """Print to stderr how many rows of a file became contacts."""
    contacts, rows = counted(accepted, "contact"), counted(skipped, "row")
    print_note(f"{contacts}, {rows} skipped.")


def print_report(
    bench: Workbench,
    upload: Upload,
    found: Dialability,
    fit: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Print the whole report to stdout, and how many contacts may be called.

    As JSON it is the report of `POST /uploads`, with a member `dialability` and with
    `fit`, the warnings about the assistants of the campaign.
    """
    sample = bench.uploads.rows(upload.id, 0, SAMPLE_ROWS)
    if as_json:
        rejects = bench.uploads.first_rejects(upload.id, REJECTS_IN_JSON)
        report = upload_report(upload, rejects, sample)
        report["warnings"] += fit
        print_line(json_of({**report, "dialability": dialability.shown(found)}))
        return
    print_line(f"file       {upload.filename}")
    if upload.sheets:
        print_line(f"sheet      {upload.sheets.read}")
    for column, role in zip(upload.columns, upload.roles, strict=True):
        values = [row.variables.get(column, "")[:LONGEST_VALUE] for row in sample]
        shown = ", ".join(filter(None, values))
        print_line(f"column     {column}: {role}{f' ({shown})' if shown else ''}")
    print_line(f"region     {upload.default_region}")
    for country, contacts in upload.countries:
        print_line(f"country    {country}: {contacts}")
    for kind, contacts in upload.kinds:
        print_line(f"kind       {kind}: {contacts}")
    for staged in sample:
        row = sample_row(staged)
        parts = (row.name, row.business_name, row.phone, *row.places, *row.time_zones)
        print_line(f"row {row.row:<6} {', '.join(filter(None, parts))}")
    print_line(f"accepted   {upload.accepted}")
    print_line(f"skipped    {upload.skipped_count}")
    skipped = bench.uploads.first_rejects(upload.id, REJECTS_IN_JSON)
    more = " or more" if upload.skipped_count > len(skipped) else ""
    for reason, rows in Counter(reject.reason for reject in skipped).most_common():
        print_line(f"reason     {reason}: {rows}{more}")
    for line in dialability.lines(found):
        print_line(line)


def required(value: str | None, option: str) -> str:
    """Return an option's value.

    Raises:
        BadParameter: it is missing; only a dry run does without it.
    """
    if value is None:
        raise typer.BadParameter(f"{option} is missing: only --dry-run needs none.")
    return value
