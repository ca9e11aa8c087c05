"""The register of suppressed numbers, newest first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from domain.numbers.number import Number, SuppressionSource
from projections.tables.checkpoint import one_snapshot, position_of
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.pages import (
    LARGEST,
    Page,
    as_cursor,
    from_cursor,
    page_of,
    whole,
)
from projections.tables.queries import select, select_one, select_value
from projections.tables.row_operations import RowOperation, drop, put
from storage.database import Conn

BOARD = "suppression_board"

TABLE = Table(
    BOARD,
    ("id",),
    """
    create table if not exists suppression_board (
        id uuid primary key,
        source text not null,
        phone_id uuid,
        reason_id uuid,
        call_id uuid,
        added_at timestamptz not null,
        added_by text not null,
        position bigint not null
    );
    create index if not exists suppression_board_position
        on suppression_board (position);
    """,
)

MOST_COUNTED = 10_000
"""At most so many entries that match a search are counted."""


@handles(Number.Suppressed, Number.Lifted)
def suppression_board(event: object, position: int) -> Iterator[RowOperation]:
    """Keep a row for each suppressed number; a lifted number has none."""
    match event:
        case Number.Suppressed():
            yield put(
                BOARD,
                event.originator_id,
                source=event.source,
                phone_id=event.phone.words_id if event.phone else None,
                reason_id=event.reason.words_id if event.reason else None,
                call_id=event.call_id,
                added_at=event.timestamp,
                added_by=event.actor,
                position=position,
            )
        case Number.Lifted():
            yield drop(BOARD, event.originator_id)


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """A suppressed number; `phone_id` and `reason_id` name texts in the vault.

    The text of `phone_id` is missing once the person was erased. `call_id` is the call
    in which the person opted out.
    """

    id: UUID
    source: SuppressionSource
    phone_id: UUID | None
    reason_id: UUID | None
    call_id: UUID | None
    added_at: datetime
    added_by: str
    position: int


_COLUMNS: LiteralString = """
    select s.id, s.source, s.phone_id, s.reason_id, s.call_id, s.added_at, s.added_by,
        s.position
    from suppression_board s
"""
_MATCHING: LiteralString = """
    join words_vault v on v.id = s.phone_id
        and v.salt is not null and v.words like %(digits)s
"""
_PAGE: LiteralString = """
    where s.position < %(before)s order by s.position desc limit %(most)s
"""
_FOUND: LiteralString = f"""
    select count(*) from (
        select from suppression_board s {_MATCHING} limit %(counted)s
    ) as found
"""  # noqa: S608 - our own text


def get(conn: Conn, number_id: UUID) -> SuppressionRow | None:
    """Return a number's entry; None if it is not suppressed."""
    return select_one(
        conn, SuppressionRow, _COLUMNS + "where s.id = %(id)s", id=number_id
    )


def page(
    conn: Conn, *, first: int, after: str | None = None, search: str | None = None
) -> Page[SuppressionRow]:
    """List the register, newest first.

    `search`: digits that are part of the number, whatever separates them; `total` then
    stops at MOST_COUNTED. Entries of erased people are found by no search.

    Raises:
        Invalid: `after` is not a cursor of this list.
    """
    before = LARGEST - 1 if after is None else from_cursor(after, whole)[0]
    digits = re.sub(r"\D", "", search or "")
    values = {"before": before, "most": first + 1, "digits": f"%{digits}%"}
    with one_snapshot(conn):
        if not (search or "").strip():
            total = select_value(conn, "select count(*) from suppression_board")
            found = select(conn, SuppressionRow, _COLUMNS + _PAGE, **values)
        elif digits:
            total = select_value(conn, _FOUND, counted=MOST_COUNTED, **values)
            query = _COLUMNS + _MATCHING + _PAGE
            found = select(conn, SuppressionRow, query, **values)
        else:
            total, found = 0, []  # No number matches a text without digits.
        position = position_of(conn)
    return page_of(found, first, _cursor, total=int(total), position=position)


def _cursor(row: SuppressionRow) -> str:
    return as_cursor(row.position)


_IDS: LiteralString = "select string_agg(uuid_send(id), '') from suppression_board"


def suppressed_ids(conn: Conn) -> bytes:
    """Return the ids of all suppressed numbers, 16 bytes each, joined."""
    cursor = conn.cursor(binary=True).execute(_IDS)
    row = cursor.fetchone()
    return bytes(row[0]) if row and row[0] else b""
