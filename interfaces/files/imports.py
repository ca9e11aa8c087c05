"""The rows that an import left out, as they were, for as long as the vault has them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response

from application.uploads import RejectedRow
from application.vault import RejectRow, VaultReader
from domain.values import SkipReason
from interfaces.files.streaming import Streamed
from interfaces.files.uploads import rejects_csv
from projections import contact_import
from storage.database import Pool
from storage.uploads import UploadStore

ROWS_A_PAGE = 5_000
NAMED_BY_ALL = ("name", "business_name", "phone")

type Authorize = Callable[..., Any]


def import_routes(
    *,
    vault: VaultReader,
    reading: Pool,
    uploads: UploadStore,
    authorize: Authorize,
    now: Callable[[], datetime],
) -> APIRouter:
    router = APIRouter()

    @router.get("/imports/{list_id}/rejects.csv")
    def rejects(list_id: str, _member: Annotated[Any, Depends(authorize)]) -> Response:
        known = _known(reading, list_id)
        if known is None:
            raise HTTPException(404, f"There is no import {list_id[:100]}.")
        upload = uploads.get(known, now())
        # The file's own header is kept as long as the upload.
        columns = upload.columns if upload else NAMED_BY_ALL
        return Streamed(
            rejects_csv(columns, _pages(vault, known)),
            media_type="text/csv",
            filename='filename="rejects.csv"',
        )

    return router


def _known(reading: Pool, list_id: str) -> UUID | None:
    try:
        id_ = UUID(list_id)
    except ValueError:
        return None
    with reading.connection() as connection:
        return id_ if contact_import.get(connection, id_) else None


def _pages(vault: VaultReader, list_id: UUID) -> Iterator[list[RejectedRow]]:
    after = 0
    while rows := vault.rejects(list_id, after_row=after, limit=ROWS_A_PAGE):
        yield [_row(row) for row in rows]
        after = rows[-1].row


def _row(row: RejectRow) -> RejectedRow:
    return RejectedRow(row.row, SkipReason(row.reason), row.message, tuple(row.cells))
