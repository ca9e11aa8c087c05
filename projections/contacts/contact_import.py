"""Imported lists of campaigns, and their skipped rows.

`imported_position` is null until the campaign records the import; such a list is
neither shown nor called. It stays null if the import was interrupted for good.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from domain.campaigns.campaign import Campaign
from domain.contacts.contact_list import ContactList
from domain.values import SkipReason
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.queries import select, select_one, select_value
from projections.tables.row_operations import RowOperation, patch, put
from storage.database import Conn

IMPORT, SKIPPED = "contact_import", "skipped_row"

TABLES = (
    Table(
        IMPORT,
        ("list_id",),
        """
    create table if not exists contact_import (
        list_id uuid primary key,
        campaign_id uuid not null,
        filename_words_id uuid not null,
        columns_words_id uuid,
        starts_at bigint not null,
        opened_at timestamptz not null,
        accepted bigint not null default 0,
        skipped bigint not null default 0,
        imported_at timestamptz,
        imported_position bigint
    );
    create index if not exists contact_import_campaign
        on contact_import (campaign_id, imported_position);
    """,
    ),
    Table(
        SKIPPED,
        ("list_id", "row"),
        """
    create table if not exists skipped_row (
        list_id uuid not null,
        "row" integer not null,
        reason text not null,
        primary key (list_id, "row")
    );
    """,
    ),
)


@handles(ContactList.Created, ContactList.RowsSkipped, Campaign.ContactsImported)
def contact_import(event: object, position: int) -> Iterator[RowOperation]:
    match event:
        case ContactList.Created():
            yield put(
                IMPORT,
                event.originator_id,
                campaign_id=event.campaign_id,
                filename_words_id=event.filename.words_id,
                columns_words_id=event.columns.words_id if event.columns else None,
                starts_at=event.starts_at,
                opened_at=event.timestamp,
            )
        case ContactList.RowsSkipped():
            for skipped in event.skipped:
                key = (event.originator_id, skipped.row)
                yield put(SKIPPED, key, reason=skipped.reason)
        case Campaign.ContactsImported():
            yield patch(
                IMPORT,
                event.list_id,
                accepted=event.accepted,
                skipped=event.skipped,
                imported_at=event.timestamp,
                imported_position=position,
            )


@dataclass(frozen=True, slots=True)
class ContactImport:
    """A list that was imported; the file's name and columns are in the vault.

    `columns_words_id` is None for imports of release 1, which did not keep the columns.
    """

    list_id: UUID
    campaign_id: UUID
    filename_words_id: UUID
    columns_words_id: UUID | None
    accepted: int
    skipped: int
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row left out; `row` as a spreadsheet shows it, the header being 1."""

    row: int
    reason: SkipReason
    message: str


_IMPORT: LiteralString = """
    select list_id, campaign_id, filename_words_id, columns_words_id, accepted, skipped,
        imported_at
    from contact_import where imported_position is not null
"""


def get(conn: Conn, list_id: UUID) -> ContactImport | None:
    query = _IMPORT + "and list_id = %(id)s"
    return select_one(conn, ContactImport, query, id=list_id)


def of_campaign(conn: Conn, campaign_id: UUID) -> list[ContactImport]:
    """Read a campaign's imports in the order in which they were imported."""
    query = _IMPORT + "and campaign_id = %(id)s order by imported_position"
    return select(conn, ContactImport, query, id=campaign_id)


def rejects_not_kept(conn: Conn, imported: ContactImport) -> int:
    """Return how many skipped rows were only counted, without their number and text."""
    if not imported.skipped:
        return 0
    query: LiteralString = "select count(*) from skipped_row where list_id = %(id)s"
    kept = int(select_value(conn, query, id=imported.list_id) or 0)
    return imported.skipped - kept


def skipped_rows(conn: Conn, list_id: UUID, most: int = 1000) -> list[SkippedRow]:
    """Read the first rows that were left out, in the file's order.

    The message is empty where the vault has none (any more).
    """
    query: LiteralString = """
        select s."row", s.reason, coalesce(r.message, '') as message
        from skipped_row s
        left join reject_vault r on r.list_id = s.list_id and r."row" = s."row"
        where s.list_id = %(id)s
        order by s."row" limit %(most)s
    """
    return select(conn, SkippedRow, query, id=list_id, most=most)
