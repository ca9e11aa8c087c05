"""The skipped rows of an import, unchanged, as long as the vault holds them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response

from application.contacts.files.uploads import RejectedRow, columns_from_json
from application.vault import RejectRow, VaultReader
from domain.values import SkipReason
from interfaces.files.streaming import Streamed
from interfaces.files.uploads import rejects_csv
from projections.contacts import contact_import
from projections.contacts.contact_import import ContactImport
from storage.database import Pool
from storage.vault.uploads import UploadStore

ROWS_PER_PAGE = 5_000
DEFAULT_COLUMNS = ("name", "business_name", "phone")
"""Columns of a file whose own columns were not stored, or were erased."""

type Authorize = Callable[..., Any]


def import_routes(
    *,
    vault: VaultReader,
    reading: Pool,
    uploads: UploadStore,
    authorize: Authorize,
    now: Callable[[], datetime],
) -> APIRouter:
    """Build the route that downloads the skipped rows of an import."""
    router = APIRouter()

    @router.get("/imports/{list_id}/rejects.csv")
    def rejects(list_id: str, _member: Annotated[Any, Depends(authorize)]) -> Response:
        found = _find(reading, list_id)
        if found is None:
            raise HTTPException(404, f"There is no import {list_id[:100]}.")
        known, not_kept = found
        if known.columns_words_id is None:  # An import of release 1.
            upload = uploads.get(known.list_id, now())
            columns = upload.columns if upload else DEFAULT_COLUMNS
        else:
            words = vault.words(known.columns_words_id)
            columns = columns_from_json(words) if words else DEFAULT_COLUMNS
        return Streamed(
            rejects_csv(columns, _pages(vault, known.list_id), not_kept),
            media_type="text/csv",
            filename='filename="rejects.csv"',
        )

    return router


def _find(reading: Pool, list_id: str) -> tuple[ContactImport, int] | None:
    """Return the import and the number of its rejects that are only counted."""
    try:
        id_ = UUID(list_id)
    except ValueError:
        return None
    with reading.connection() as connection:
        found = contact_import.get(connection, id_)
        if found is None:
            return None
        return found, contact_import.rejects_not_kept(connection, found)


def _pages(vault: VaultReader, list_id: UUID) -> Iterator[list[RejectedRow]]:
    after = 0
    while rows := vault.rejects(list_id, after_row=after, limit=ROWS_PER_PAGE):
        yield [_row(row) for row in rows]
        after = rows[-1].row


def _row(row: RejectRow) -> RejectedRow:
    return RejectedRow(row.row, SkipReason(row.reason), row.message, tuple(row.cells))
