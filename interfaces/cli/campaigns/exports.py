"""Export of a campaign's contacts on the command line."""

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from application.configuration import Configuration
from domain.errors import NotFound
from interfaces.cli.campaigns.campaign_options import (
    CampaignId,
    Dispositions,
    Outcomes,
    Statuses,
)
from interfaces.cli.campaigns.campaign_terms import time_of
from interfaces.cli.workbench import Workbench, workbench
from projections.campaigns import campaign_board
from projections.exports.columns import parse_columns
from projections.exports.contacts_jsonl import jsonl_of
from projections.exports.results import ExportOptions, csv_of

Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", dir_okay=False, help="Output file; default: standard output."
    ),
]
ByteOrderMark = Annotated[
    bool, typer.Option("--bom", help="Begin with a byte order mark, for Excel.")
]
RecordingLinks = Annotated[
    bool,
    typer.Option(
        "--recording-links",
        help="Link recordings through this installation, not to the provider.",
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Only contacts whose latest call was placed at this time or later.",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TIME",
        help="Only contacts whose latest call was placed before this time.",
    ),
]
JsonLines = Annotated[
    bool,
    typer.Option("--jsonl", help="Write one JSON object per contact, with all calls."),
]


def export(
    campaign_id: CampaignId,
    output: Output = None,
    *,
    columns: Annotated[
        str | None,
        typer.Option(help="Columns, separated by commas, or: all."),
    ] = None,
    outcome: Outcomes = None,
    disposition: Dispositions = None,
    status: Statuses = None,
    since: Since = None,
    until: Until = None,
    bom: ByteOrderMark = False,
    recording_links: RecordingLinks = False,
    jsonl: JsonLines = False,
) -> None:
    """Write the contacts with their results as CSV, in the order of the file."""
    if jsonl and any((columns, outcome, disposition, status, since, until, bom)):
        raise typer.BadParameter("--jsonl writes everything: no option selects a part.")
    configuration = Configuration()
    links = f"{configuration.own_url}/calls/" if recording_links else None
    options = ExportOptions(
        columns=() if columns is None else parse_columns(columns),
        outcomes=outcome,
        dispositions=disposition,
        statuses=status,
        since=time_of("--since", since),
        until=time_of("--until", until),
        mark=bom,
        links=links,
    )
    with workbench(configuration) as bench:
        if bench.read(campaign_board.get, campaign_id) is None:
            raise NotFound("campaign", campaign_id)
        _write(_pieces(bench, campaign_id, None if jsonl else options), output)


def _pieces(
    bench: Workbench, campaign_id: UUID, options: ExportOptions | None
) -> Iterator[bytes]:
    urls = bench.recording_urls
    with bench.reading.connection() as connection:
        if options is None:
            yield from jsonl_of(
                connection, campaign_id, urls, bench.rule_book.current()
            )
        else:
            yield from csv_of(connection, campaign_id, urls, options=options)


def _write(pieces: Iterator[bytes], output: Path | None) -> None:
    """Write to the file; create it once the first piece has been read."""
    first = next(pieces)
    opened = output.open("wb") if output else None
    with opened or nullcontext(sys.stdout.buffer) as out:
        out.write(first)
        for piece in pieces:
            out.write(piece)
