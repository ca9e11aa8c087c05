"""Export of a campaign over HTTP; baseline: COPY of the same columns."""

from collections.abc import Iterator
from functools import partial
from time import perf_counter
from uuid import UUID, uuid4

import httpx2
import psycopg

from bench.figures import Figure, medians
from bench.installation import Installation, Server, wait_for

ROWS = 200_000
FILL = """
set search_path = read, public;
insert into campaign_board select (jsonb_populate_record(null::campaign_board,
    to_jsonb(b) || jsonb_build_object('id', '{campaign}', 'name', 'Large'))).*
    from campaign_board b limit 1;
insert into contact_import (list_id, campaign_id, filename_words_id, starts_at,
        opened_at, imported_at, imported_position)
    values ('{list}', '{campaign}', '{list}', 0, now(), now(), 1);
create temp table person as
    select n, gen_random_uuid() as contact_id, gen_random_uuid() as call_id,
        gen_random_uuid() as message_id from generate_series(1, {rows}) n;
insert into contact_log (contact_id, list_id, campaign_id, seq, status, call_id,
        attempt)
    select contact_id, '{list}', '{campaign}', n, 'ENDED', call_id, 1 from person;
insert into contact_vault
    select contact_id, '{list}', '{campaign}', 'Person ' || n, 'Company, Inc.',
        '+1202555' || lpad((n % 10000)::text, 4, '0'), '{{}}', 's', 'l' from person;
insert into call_log (call_id, campaign_id, contact_id, attempt, status, standing,
        queued_at, last_event_at, ended_reason, cost, report_message_id, version)
    select call_id, '{campaign}', contact_id, 1, 'ENDED', 'ENDED', now(), now(),
        'customer-ended-call', 0.0512, message_id, 7 from person;
insert into message_vault
    select message_id, call_id, '{campaign}', '{{}}', 'https://example.com/' || n,
        '[{{"role": "bot", "message": "Hello, is this a good time to talk?"}}]',
        's', 'l' from person;
analyze;
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


def measure(server: Server) -> Iterator[Figure]:
    """Measure rows per second of the export, and of COPY."""
    with server.installation() as installation:
        campaign = _filled(installation)
        value, baseline = medians(
            partial(_export, installation, campaign),
            partial(_copy, installation.database, campaign),
        )
    yield Figure(
        name="export",
        value=value,
        unit="rows/s",
        baseline=baseline,
        target=0.4,
        details=f"{ROWS:,} contacts with call, recording and transcript over HTTP;"
        " COPY TO STDOUT of the same columns",
    )


def _filled(installation: Installation) -> UUID:
    """Insert a large finished campaign directly into the tables."""
    campaign, contacts = uuid4(), uuid4()
    installation.small_campaign()  # Its row is copied for the large campaign.
    wait_for(installation.has_caught_up, "the projector")
    with psycopg.connect(installation.database, autocommit=True) as connection:
        text = FILL.format(campaign=campaign, list=contacts, rows=ROWS)
        connection.execute(text.encode())
    return campaign


def _export(installation: Installation, campaign: UUID) -> float:
    start, lines = perf_counter(), 0
    url = f"{installation.url}/campaigns/{campaign}/export.csv"
    with httpx2.stream("GET", url, headers=installation.headers, timeout=600) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_bytes():
            lines += chunk.count(b"\n")
    assert lines == ROWS + 1, lines
    return ROWS / (perf_counter() - start)


def _copy(url: str, campaign: UUID) -> float:
    statement = COPY.format(campaign=campaign).encode()
    with psycopg.connect(url, autocommit=True) as connection:
        start = perf_counter()
        with connection.cursor().copy(statement) as copy:
            rows = sum(1 for _ in copy)
        assert rows == ROWS, rows
        return ROWS / (perf_counter() - start)
