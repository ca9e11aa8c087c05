"""What came of a campaign, as CSV that a spreadsheet opens and does not run.

The database writes it: one statement sees one moment, however long it is read.
"""

from collections.abc import Iterable, Iterator
from typing import LiteralString
from uuid import UUID

from psycopg.abc import Buffer

from domain.recording_url import RecordingUrls
from projections.tables.state_sql import shown_status_sql
from storage.database import Conn

LONGEST = "30min"
"""A reader that takes longer, or stands still, is cut off."""

WORK_MEM = "32MB"
"""With the default, a large campaign's joins go to disk and take twice the time."""

PIECE_BYTES = 1 << 18

# The first character as a number: = + - @, tab and return. Asking for it as text
# would take as long as all the joins.
_HARMLESS: LiteralString = """
    case when ascii({0}) in (61, 43, 45, 64, 9, 13)
            and {0} !~ '^[+][0-9]{{6,15}}( ext[.] [0-9]+)?$'
        then '''' || {0} else nullif({0}, '') end
"""


def _harmless(column: LiteralString) -> LiteralString:
    """Keep spreadsheets from running the cell, and telephone numbers as they are."""
    return _HARMLESS.format(column)


# Written as by `phone_numbers.with_extension`, so an upload can read it back.
_PHONE: LiteralString = "(v.phone || coalesce(' ext. ' || v.extension, ''))"

_RESULTS: LiteralString = f"""
copy (
    select {_harmless("v.name")} as name,
        {_harmless("v.business_name")} as business_name,
        {_harmless(_PHONE)} as phone,
        {shown_status_sql("k.status", "b.state", "b.expired_at is not null")} as status,
        {_harmless("c.ended_reason")} as ended_reason,
        c.cost,
        case when m.recording_url ~ %(recordings)s then m.recording_url end
            as recording_url, -- Release 1 stored whatever URL the provider sent.
        m.transcript as transcript_json -- JSON begins with a bracket or a quote.
    from campaign_board b
    join contact_import i on i.campaign_id = b.id and i.imported_position is not null
    join contact_log k on k.list_id = i.list_id
    left join contact_vault v
        on v.contact_id = k.contact_id and v.list_id = k.list_id
    left join call_log c on c.call_id = k.call_id
    left join message_vault m on m.id = c.report_message_id and m.salt is not null
    where b.id = %(campaign_id)s
    order by i.imported_position, k.seq
) to stdout (format csv, header)
"""  # noqa: S608 - our own columns


_BOUNDS: LiteralString = """
    select set_config('statement_timeout', %s, true), set_config('work_mem', %s, true)
"""


def csv_of(
    conn: Conn,
    campaign_id: UUID,
    recordings: RecordingUrls,
    piece_bytes: int = PIECE_BYTES,
) -> Iterator[bytes]:
    """Yield the CSV in pieces: a row per contact, in the file's order.

    A row describes the contact's latest call. Its recording URL is left out unless
    `recordings` accepts it.
    """
    values = {"campaign_id": campaign_id, "recordings": recordings.pattern}
    with conn.transaction():
        conn.execute(_BOUNDS, (LONGEST, WORK_MEM))
        with conn.cursor().copy(_RESULTS, values) as copy:
            yield from _pieces(copy, piece_bytes)


def _pieces(lines: Iterable[Buffer], least: int) -> Iterator[bytes]:
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= least:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)
