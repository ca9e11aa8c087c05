"""The active suppression lists, one row each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

from domain.gate.rules import CallPurpose
from domain.numbers.suppression_lists import ListVersion, SuppressionLists
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.queries import select, select_one
from projections.tables.row_operations import RowOperation, drop, put
from storage.database import Conn
from storage.suppression.blocks import BlockStore

BOARD = "suppression_list_board"

TABLE = Table(
    BOARD,
    ("list_id",),
    """
    create table if not exists suppression_list_board (
        list_id uuid primary key,
        version_id uuid not null,
        name text not null,
        as_of date not null,
        max_age_days integer,
        covers text not null,
        purposes text not null,
        numbers bigint not null,
        blocks_digest text not null,
        sha256 text not null,
        uploaded_at timestamptz not null,
        uploaded_by text not null
    );
    """,
)


@handles(SuppressionLists.Activated, SuppressionLists.Removed)
def suppression_list_board(event: object, _position: int) -> Iterator[RowOperation]:
    """Keep a row for each active list."""
    match event:
        case SuppressionLists.Activated(version=version):
            yield put(
                BOARD,
                version.list_id,
                version_id=version.version_id,
                name=version.name,
                as_of=version.as_of,
                max_age_days=version.max_age_days,
                covers=",".join(version.covers),
                purposes=",".join(version.purposes),
                numbers=version.numbers,
                blocks_digest=version.blocks_digest,
                sha256=version.sha256,
                uploaded_at=event.timestamp,
                uploaded_by=event.actor,
            )
        case SuppressionLists.Removed(list_id=list_id):
            yield drop(BOARD, list_id)


@dataclass(frozen=True, slots=True)
class SuppressionListRow:
    """An active list; see `domain.numbers.suppression_lists.ListVersion`."""

    list_id: UUID
    version_id: UUID
    name: str
    as_of: date
    max_age_days: int | None
    covers: list[str]
    purposes: list[str]
    numbers: int
    blocks_digest: str
    sha256: str
    uploaded_at: datetime
    uploaded_by: str


_LISTS: LiteralString = """
    select list_id, version_id, name, as_of, max_age_days,
        array_remove(string_to_array(covers, ','), '') as covers,
        array_remove(string_to_array(purposes, ','), '') as purposes,
        numbers, blocks_digest, sha256, uploaded_at, uploaded_by
    from suppression_list_board
"""


def lists(conn: Conn) -> list[SuppressionListRow]:
    """Read the active lists in the order of their names."""
    return select(conn, SuppressionListRow, _LISTS + " order by name, list_id")


def versions(conn: Conn) -> list[ListVersion]:
    """Read the active version of each list, in the order of their names."""
    return [
        ListVersion(
            list_id=row.list_id,
            version_id=row.version_id,
            name=row.name,
            as_of=row.as_of,
            max_age_days=row.max_age_days,
            covers=tuple(row.covers),
            purposes=tuple(map(CallPurpose, row.purposes)),
            numbers=row.numbers,
            blocks_digest=row.blocks_digest,
            sha256=row.sha256,
        )
        for row in lists(conn)
    ]


def containing(conn: Conn, blocks: BlockStore, number: str) -> list[SuppressionListRow]:
    """Read the lists that contain an E.164 number, in the order of their names.

    Raises:
        BlocksMissing: the blocks of a list are not complete.
    """
    rows = lists(conn)
    found = blocks.contained(conn, [row.version_id for row in rows], number)
    return [row for row in rows if found[row.version_id]]


def get(conn: Conn, list_id: UUID) -> SuppressionListRow | None:
    """Read one active list."""
    query: LiteralString = _LISTS + " where list_id = %(id)s"
    return select_one(conn, SuppressionListRow, query, id=list_id)
