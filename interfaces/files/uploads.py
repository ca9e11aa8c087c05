"""Contact files over HTTP: the upload, and the rows of it that were skipped."""

import asyncio
import re
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from anyio import CapacityLimiter, from_thread, to_thread
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from application.contact_file import ContactFile, UnreadableFile
from application.errors import StoreUnavailable
from application.phone_numbers import known_region
from application.uploads import RejectedRow, Upload
from interfaces.auth.rates import Rate
from interfaces.files.csv_cells import csv_lines
from interfaces.files.streaming import Streamed
from interfaces.pauses import short_turns
from storage.uploads import NewUpload, UploadStore

KEPT_FOR = timedelta(days=1)
LARGEST_FILE = 512 << 20
"""Bytes."""

UPLOADS_A_MINUTE = 240
"""Of one member, in one process; 120 are promised."""

_PIECE = 256 << 10  # Bytes that are parsed at a time.
_PATIENCE = 60.0  # Seconds for one piece.
_AT_A_TIME = 4  # Files; more wait for their turn.
_PAGE = 5_000  # Rejected rows.
_LONGEST_NAME = 255
_NAMELESS = "contacts.csv"
OWN_COLUMNS = ("row", "reason", "message")

# A FastAPI dependency: lets pass who may, and gives the member's e-mail.
type Authorize = Callable[..., Any]


class _Refused(Exception):
    """The upload cannot be taken; told to the client in this form."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> Response:
        error = {"code": self.code, "message": self.message}
        return JSONResponse({"error": error}, self.status)


def upload_routes(
    *,
    store: UploadStore,
    authorize: Authorize,
    now: Callable[[], datetime],
    new_id: Callable[[], UUID],
    default_region: Callable[[], str],
    largest_file: int = LARGEST_FILE,
) -> APIRouter:
    """Build the routes; `authorize` enforces the role and yields an e-mail.

    `largest_file` is in bytes.
    """
    router = APIRouter()
    limiter, rate = CapacityLimiter(_AT_A_TIME), Rate(UPLOADS_A_MINUTE)

    # The route counts the body itself, so that its refusal has the contract's form.
    @router.post("/uploads", max_body_size=sys.maxsize)
    async def upload(
        request: Request,
        member: Annotated[str, Depends(authorize)],
        filename: str = "",
        region: Annotated[str | None, Query(alias="defaultRegion")] = None,
    ) -> Response:
        rate.admit(member)
        try:
            _check_kind(request)
            body = _Body(request, largest_file)
            at = now()
            new = NewUpload(
                id=new_id(),
                filename=_plain_name(filename),
                default_region=await to_thread.run_sync(
                    _checked_region, region, default_region
                ),
                created_by=member,
                created_at=at,
                expires_at=at + KEPT_FOR,
            )
            received = await to_thread.run_sync(
                _receive, store, new, body, limiter=limiter
            )
        except _Refused as refused:
            return refused.response()
        return JSONResponse(received, 201)

    @router.get("/uploads/{upload_id}/rejects.csv")
    def rejects(
        upload_id: str, _member: Annotated[str, Depends(authorize)]
    ) -> Response:
        found = _find(store, upload_id, now())
        if found is None:
            message = "There is no such upload, or it has expired."
            return _Refused(404, "NOT_FOUND", message).response()
        return Streamed(
            rejects_csv(found.columns, _pages(store, found.id), found.not_kept_count),
            media_type="text/csv",
            filename='filename="rejects.csv"',
        )

    return router


class _Body:
    """A request's body in pieces, asked for from a worker thread."""

    def __init__(self, request: Request, largest: int) -> None:
        self._chunks = request.stream()
        self._largest = largest
        self._total = 0
        self._check(int(request.headers.get("content-length", "0")))

    def __iter__(self) -> Iterator[bytes]:
        while piece := from_thread.run(self._piece):
            yield piece

    async def _piece(self) -> bytes:
        """Return what has come, some 256 KiB; nothing at the end."""
        piece = bytearray()
        try:
            async with asyncio.timeout(_PATIENCE):
                while len(piece) < _PIECE:
                    chunk = await anext(self._chunks, None)
                    if chunk is None:
                        break
                    piece += chunk
        except (ClientDisconnect, TimeoutError) as error:
            raise _Refused(400, "INVALID", "The file broke off.") from error
        self._total += len(piece)
        self._check(self._total)
        return bytes(piece)

    def _check(self, size: int) -> None:
        if size > self._largest:
            message = f"The file is larger than {self._largest:,} bytes: split it."
            raise _Refused(413, "TOO_LARGE", message)


@short_turns()
def _receive(store: UploadStore, new: NewUpload, body: _Body) -> dict[str, Any]:
    """Read, check and stage a whole file, in a worker thread; return its report."""
    file = ContactFile(new.default_region)
    try:
        with store.receive(new) as reception:
            for piece in body:
                reception.write(file.feed(piece))
            reception.write(file.finish())
            upload = reception.complete(file.columns)
        return _report(upload, store.first_rejects(upload.id))
    except UnreadableFile as error:
        raise _Refused(422, "UNREADABLE_FILE", error.message) from error
    except StoreUnavailable as error:
        message = "The database cannot be reached at present: try again."
        raise _Refused(503, "UNAVAILABLE", message) from error


def _report(upload: Upload, rejects: list[RejectedRow]) -> dict[str, Any]:
    skipped = [
        {"row": row.row, "reason": row.reason, "message": row.message}
        for row in rejects
    ]
    return {
        "id": str(upload.id),
        "filename": upload.filename,
        "columns": upload.columns,
        "report": {
            "accepted": upload.accepted,
            "skippedCount": upload.skipped_count,
            "skipped": skipped,
            "rejectsUrl": f"/uploads/{upload.id}/rejects.csv" if skipped else None,
            "rejectsNotKept": upload.not_kept_count,
        },
        "expiresAt": upload.expires_at.isoformat(),
    }


def _check_kind(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind.strip().lower() != "text/csv":
        message = "Send the file as the body, with Content-Type: text/csv."
        raise _Refused(415, "UNSUPPORTED_MEDIA_TYPE", message)


def _checked_region(asked: str | None, default: Callable[[], str]) -> str:
    region = asked.strip().upper() if asked else default()
    if not known_region(region):
        message = (
            f'"{region[:50]}" is no region: give defaultRegion as two letters, like US.'
        )
        raise _Refused(400, "INVALID", message)
    return region


def _plain_name(filename: str) -> str:
    """Keep of a name what is safe to show: no path, no control characters."""
    last = re.split(r"[/\\]", filename)[-1]
    name = "".join(character for character in last if character.isprintable())
    return name.strip(" .")[:_LONGEST_NAME] or _NAMELESS


def _find(store: UploadStore, upload_id: str, now: datetime) -> Upload | None:
    try:
        return store.get(UUID(upload_id), now)
    except ValueError:
        return None


def _pages(store: UploadStore, upload_id: UUID) -> Iterator[list[RejectedRow]]:
    after = 0
    while page := store.rejects(upload_id, after, _PAGE):
        yield page
        after = page[-1].row


def rejects_csv(
    columns: Sequence[str], pages: Iterable[list[RejectedRow]], not_kept: int
) -> Generator[str]:
    """Yield the skipped rows as they were, each with its number and reason before.

    A last record, with empty cells, names the number of rows that are only counted.
    """
    yield csv_lines([[*OWN_COLUMNS, *columns]])
    for page in pages:
        yield csv_lines([row.row, row.reason, row.message, *row.cells] for row in page)
    if not_kept:
        message = f"{not_kept:,} more rows were skipped; their text was not kept."
        yield csv_lines([["", "", message, *("" for _ in columns)]])
