"""Exports of a campaign over HTTP; baseline: COPY of the same columns."""

from collections.abc import Iterator
from functools import partial
from time import perf_counter
from uuid import UUID, uuid4

import httpx2
import psycopg

from bench.support.figures import Figure, medians
from bench.support.finished_contacts import fill_finished
from bench.support.installation import Installation, Server, wait_for

ROWS = 200_000
BOARD = """
set search_path = read, public;
insert into campaign_board select (jsonb_populate_record(null::campaign_board,
    to_jsonb(b) || jsonb_build_object('id', '{campaign}', 'name', 'Large'))).*
    from campaign_board b limit 1;
"""
COPY = """
copy (
    select v.name, v.business_name, v.phone, k.status, c.ended_reason, c.cost,
        m.recording_url, m.transcript
    from read.contact_log k
    join contact_vault v on v.contact_id = k.contact_id and v.list_id = k.list_id
    join read.call_log c on c.call_id = k.call_id
    join message_vault m on m.id = c.report_message_id
    where k.campaign_id = '{campaign}' order by k.seq
) to stdout
"""

COPY_ALL = """
copy (
    select v.name, v.business_name, v.phone, k.status, c.ended_reason, c.cost,
        m.recording_url, m.transcript, c.outcome, c.disposition, k.withheld, k.attempt,
        w.words, k.contact_id, c.call_id, c.provider_call_id, v.extension, c.placed_at,
        c.started_at, c.ended_at, c.duration_seconds, m.summary, v.variables ->> 'Plan',
        v.variables ->> 'City', v.variables ->> 'Owner', v.variables ->> 'Notes',
        m.structured_outputs ->> 'interested', m.structured_outputs ->> 'score'
    from read.contact_log k
    join contact_vault v on v.contact_id = k.contact_id and v.list_id = k.list_id
    join read.call_log c on c.call_id = k.call_id
    join message_vault m on m.id = c.report_message_id
    left join read.contact_disposition d on d.contact_id = k.contact_id
    left join words_vault w on w.id = d.note_words_id
    where k.campaign_id = '{campaign}' order by k.seq
) to stdout
"""

EXPORTS = (
    (
        *("export", "export.csv", 1, COPY),
        "contacts with call, recording and transcript over HTTP",
    ),
    (
        *("export_all", "export.csv?columns=all", 1, COPY_ALL),
        "contacts with all columns, 4 of them the file's, and 2 outputs",
    ),
    (
        *("export_jsonl", "contacts.jsonl", 0, COPY_ALL),
        "contacts with their calls as JSON lines",
    ),
)
"""Name, path, header lines, baseline and details of each measured export."""


def measure(server: Server) -> Iterator[Figure]:
    """Measure rows per second of the exports, and of COPY."""
    with server.installation() as installation:
        campaign = _filled(installation)
        for name, path, header, copied, details in EXPORTS:
            value, baseline = medians(
                partial(_export, installation, campaign, path, header),
                partial(_copy, installation.database, campaign, copied),
            )
            yield Figure(
                name=name,
                value=value,
                unit="rows/s",
                baseline=baseline,
                target=0.6 if header else None,
                details=f"{ROWS:,} {details}; COPY TO STDOUT of the same columns",
            )


def _filled(installation: Installation) -> UUID:
    """Insert a large finished campaign directly into the tables."""
    campaign = uuid4()
    installation.small_campaign()  # Its row is copied for the large campaign.
    wait_for(installation.has_caught_up, "the projector")
    with psycopg.connect(installation.database, autocommit=True) as connection:
        connection.execute(BOARD.format(campaign=campaign).encode())
    fill_finished(installation.database, campaign, ROWS)
    return campaign


def _export(
    installation: Installation, campaign: UUID, path: str, header: int
) -> float:
    start, lines = perf_counter(), 0
    url = f"{installation.url}/campaigns/{campaign}/{path}"
    with httpx2.stream("GET", url, headers=installation.headers, timeout=600) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_bytes():
            lines += chunk.count(b"\n")
    assert lines == ROWS + header, lines
    return ROWS / (perf_counter() - start)


def _copy(url: str, campaign: UUID, copied: str) -> float:
    statement = copied.format(campaign=campaign).encode()
    with psycopg.connect(url, autocommit=True) as connection:
        start = perf_counter()
        with connection.cursor().copy(statement) as copy:
            rows = sum(1 for _ in copy)
        assert rows == ROWS, rows
        return ROWS / (perf_counter() - start)
