"""What a campaign's calls have come to, as CSV that a spreadsheet opens safely."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, LiteralString
from uuid import UUID

from psycopg.abc import Buffer

from domain.calls.recording_url import RecordingUrls
from domain.outcomes import CallOutcome, Disposition
from domain.values import ContactStatus
from projections.contacts.contact_results import JOINED_RESULTS
from projections.contacts.contact_row import SHOWN_STATUS
from projections.exports.columns import (
    ALL,
    RECORDING,
    Columns,
    are_default,
    choose_columns,
    selection_of,
)
from projections.exports.places import JOINED_PLACES, PLACES, places_of_campaign
from projections.exports.recording_links import ACCEPTED_URL, url_values
from projections.exports.report_facts import report_facts
from projections.tables.checkpoint import one_snapshot
from storage.database import Conn

LONGEST = "30min"
"""Statement timeout: a reader that takes longer, or stops reading, is disconnected."""

WORK_MEM = "64MB"
"""With the default, a large campaign's joins go to disk and take twice the time."""

PIECE_BYTES = 1 << 18
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}".encode()

_SETTINGS: LiteralString = """
    select set_config('statement_timeout', %s, true), set_config('work_mem', %s, true),
        set_config('timezone', 'UTC', true), set_config('jit', 'off', true)
"""


def prepare(conn: Conn) -> None:
    """Set the limits and the time zone of an export for the current transaction.

    Compiling the many expressions of a row takes longer than it saves.
    """
    conn.execute(_SETTINGS, (LONGEST, WORK_MEM))


_CONTACTS: LiteralString = """
    from campaign_board c
    join contact_import i on i.campaign_id = c.id and i.imported_position is not null
    join contact_log k on k.list_id = i.list_id
    left join contact_vault v
        on v.contact_id = k.contact_id and v.list_id = k.list_id
    left join call_log call on call.call_id = k.call_id
    left join message_vault m on m.id = call.report_message_id and m.salt is not null
"""

_NOTES: LiteralString = """
    left join contact_disposition noted on noted.contact_id = k.contact_id
    left join words_vault note on note.id = noted.note_words_id
"""

_ARMS: LiteralString = """
    left join (
        select t.contact_id, s.name from arm_contact t
        join campaign_arm a on a.campaign_id = t.campaign_id and a.arm = t.arm
        join assistant_directory s on s.id = a.assistant_id
        where t.campaign_id = %(campaign)s
    ) arm on arm.contact_id = k.contact_id
"""

_JOINS: dict[str, str] = {
    "result.": JOINED_RESULTS,
    "note.": _NOTES,
    "arm.": _ARMS,
    "place.": JOINED_PLACES,
}
"""Joins by what an expression that needs them mentions."""

_EXIST: LiteralString = """
    select exists (select from contact_disposition
            where campaign_id = %(campaign)s and note_words_id is not null),
        exists (select from campaign_arm where campaign_id = %(campaign)s)
"""
_OPTIONAL = ("note.words", "arm.name")
"""Values that few campaigns have, in the order of _EXIST."""

_LISTS: LiteralString = """
    select count(*) from contact_import
    where campaign_id = %(campaign)s and imported_position is not null
"""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What an export contains; without arguments, the default columns of all contacts.

    `columns` are names as in `columns.choose_columns`. `statuses`, `outcomes` and
    `dispositions` select contacts that have one of these; None selects all. `since` and
    `until` select contacts whose latest call was placed at `since` or later, and before
    `until`. `mark` writes a byte order mark first. `links` is the URL of this
    installation's calls, ending in a slash: recordings are then links to it, not to the
    provider.
    """

    columns: tuple[str, ...] = ()
    statuses: Collection[ContactStatus] | None = None
    outcomes: Collection[CallOutcome] | None = None
    dispositions: Collection[Disposition] | None = None
    since: datetime | None = None
    until: datetime | None = None
    mark: bool = False
    links: str | None = None


EVERYTHING = ExportOptions()


def csv_of(
    conn: Conn,
    campaign_id: UUID,
    recordings: RecordingUrls,
    piece_bytes: int = PIECE_BYTES,
    options: ExportOptions = EVERYTHING,
) -> Iterator[bytes]:
    """Yield the CSV in pieces: a row per contact, in the file's order.

    A row describes the contact's latest call. Its recording URL is left out unless
    `recordings` accepts it.

    Raises:
        Invalid: the options name a column that the campaign does not have.
    """
    with one_snapshot(conn):
        prepare(conn)
        wanted = options.columns
        facts = report_facts(
            conn,
            campaign_id,
            origins=not wanted or not {RECORDING, ALL}.isdisjoint(wanted),
            outputs=not are_default(wanted),
        )
        values: dict[str, Any] = {"campaign": campaign_id}
        columns = choose_columns(conn, campaign_id, wanted, facts.outputs)
        exist = conn.execute(_EXIST, values).fetchone() or ()
        for value, has_some in zip(_OPTIONAL, exist, strict=True):
            if not has_some:
                columns = columns.without(value)
        lists = conn.execute(_LISTS, values).fetchone()
        statement = _statement(columns, options, several_lists=lists != (1,))
        values |= {
            "links": options.links,
            "statuses": _names(options.statuses),
            "outcomes": _names(options.outcomes),
            "dispositions": _names(options.dispositions),
            "since": options.since,
            "until": options.until,
        }
        if ACCEPTED_URL in statement:
            values |= url_values(facts.origins, recordings)
        if PLACES in statement:
            values["places"] = places_of_campaign(conn, campaign_id)
        head = (BYTE_ORDER_MARK if options.mark else b"") + columns.header.encode()
        with conn.cursor().copy(statement.encode(), values) as copy:
            yield from in_pieces(chain((head,), copy), piece_bytes)


def _statement(columns: Columns, options: ExportOptions, *, several_lists: bool) -> str:
    chosen = selection_of(columns)
    values = ", ".join(
        f"{value} as value_{at}" for at, value in enumerate(chosen.values)
    )
    where = _where(options)
    joins = "".join(
        join for part, join in _JOINS.items() if part in f"{values} {where}"
    )
    order = "each.imported_position, each.seq" if several_lists else "each.seq"
    # Parallel workers of Postgres compute values and cells, unless the OFFSET needs a
    # cast.
    return f"""
        copy (select {", ".join(chosen.cells)} from (
                select i.imported_position, k.seq, {values}
                {_CONTACTS} {joins} {chosen.joins}
                where c.id = %(campaign)s {where} offset bigint '0'
            ) each order by {order}
        ) to stdout (format csv)
    """  # noqa: S608 - our own text


def _where(options: ExportOptions) -> str:
    conditions = {
        f"{SHOWN_STATUS} = any(%(statuses)s)": options.statuses,
        "result.outcome = any(%(outcomes)s)": options.outcomes,
        "result.disposition = any(%(dispositions)s)": options.dispositions,
        "call.placed_at >= %(since)s": options.since,
        "call.placed_at < %(until)s": options.until,
    }
    return "".join(f" and {sql}" for sql, given in conditions.items() if given)


def _names(
    values: Collection[ContactStatus | CallOutcome | Disposition] | None,
) -> list[str]:
    return [value.value for value in values or ()]


def in_pieces(lines: Iterable[Buffer], least: int) -> Iterator[bytes]:
    """Join lines to pieces of at least `least` bytes; the last piece may be shorter."""
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= least:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)
