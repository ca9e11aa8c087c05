"""Upload of contact files, and download of the rows that were skipped."""

import re
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import JSONResponse, Response

from application.contacts.files.columns import (
    InvalidMapping,
    Overrides,
    parse_overrides,
)
from application.contacts.files.contact_file import ReadOptions
from application.contacts.files.table_start import OWN_COLUMNS
from application.contacts.files.unreadable import MappingNeeded, UnreadableFile
from application.contacts.files.upload_report import SAMPLE_ROWS, upload_report
from application.contacts.files.uploads import RejectedRow, Upload
from application.contacts.phone_numbers import Kinds, known_region
from application.errors import StoreUnavailable
from interfaces.auth.rates import RateLimit
from interfaces.database_errors import unavailable_message
from interfaces.files.csv_cells import csv_lines
from interfaces.files.streaming import Streamed
from interfaces.files.upload_body import Body, Pace, Refused, RefusingRoute, refusal_of
from interfaces.files.upload_slots import UploadSlots
from interfaces.http.gil_switching import short_turns
from storage.vault.reception import receive_file
from storage.vault.uploads import NewUpload, UploadStore

KEPT_FOR = timedelta(days=1)
LARGEST_FILE = 512 << 20
"""Bytes."""

UPLOADS_A_MINUTE = 240
"""Limit per member and process; the documentation promises 120."""

MEDIA_TYPES = frozenset(
    {
        "text/csv",
        "text/tab-separated-values",
        "application/csv",
        "application/octet-stream",
        "application/vnd.ms-excel",
        "application/vnd.ms-excel.sheet.macroenabled.12",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/x-vnd.oasis.opendocument.spreadsheet",
    }
)
"""Accepted content types; what the file is, is decided by its first bytes.

Types that a page of another site may send without permission are not among them.
"""

_PAGE = 5_000  # Rejected rows.
_LONGEST_NAME = 255
_NAMELESS = "contacts.csv"

# A FastAPI dependency that checks the role and yields the member's e-mail address.
type Authorize = Callable[..., Any]


def upload_routes(
    *,
    store: UploadStore,
    authorize: Authorize,
    now: Callable[[], datetime],
    new_id: Callable[[], UUID],
    default_region: Callable[[], str],
    largest_file: int = LARGEST_FILE,
    slots: UploadSlots | None = None,
    pace: Callable[[], Pace] = Pace,
) -> APIRouter:
    """Build the routes; `authorize` enforces the role and yields an e-mail.

    `largest_file` is in bytes; `pace` limits how slowly one file may arrive.
    """
    router, slots = APIRouter(route_class=RefusingRoute), slots or UploadSlots()
    limits = _Limits(largest_file, slots, pace)
    reception = _Reception(store, now, new_id, default_region, limits)

    # The route counts the body itself, so that its refusal has the contract's form.
    @router.post("/uploads", max_body_size=sys.maxsize)
    async def upload(  # noqa: PLR0917 - the query's parameters
        request: Request,
        member: Annotated[str, Depends(authorize)],
        filename: str = "",
        region: Annotated[str | None, Query(alias="defaultRegion")] = None,
        kinds: str = "",
        mapped: Annotated[list[str] | None, Query(alias="map")] = None,
        sheet: str | None = None,
        replaces: UUID | None = None,
    ) -> Response:
        asked = _Asked(filename, region, kinds, mapped or [], sheet, replaces)
        return await reception.receive(request, member, asked)

    @router.get("/uploads/{upload_id}/rejects.csv")
    def rejects(
        upload_id: str, _member: Annotated[str, Depends(authorize)]
    ) -> Response:
        return _rejects(store, upload_id, now())

    return router


@dataclass(frozen=True, slots=True)
class _Asked:
    """The query of an upload, as it was sent.

    `replaces` is the id of an earlier upload, which is not needed any more.
    """

    filename: str
    region: str | None
    kinds: str
    mapped: Sequence[str]
    sheet: str | None
    replaces: UUID | None


@dataclass(frozen=True, slots=True)
class _Limits:
    """What limits one upload, in bytes and speed, and the uploads at a time."""

    largest_file: int
    slots: UploadSlots
    pace: Callable[[], Pace]


class _Reception:
    """Receives the uploaded files of all members; see `upload_routes`."""

    def __init__(
        self,
        store: UploadStore,
        now: Callable[[], datetime],
        new_id: Callable[[], UUID],
        default_region: Callable[[], str],
        limits: _Limits,
    ) -> None:
        self._store, self._now, self._new_id = store, now, new_id
        self._default_region, self._limits = default_region, limits
        self._limiter = CapacityLimiter(limits.slots.of_all)
        self._rate = RateLimit(UPLOADS_A_MINUTE)

    async def receive(self, request: Request, member: str, asked: _Asked) -> Response:
        """Store the file in a request's body; answer with its report, or a refusal."""
        self._rate.require(member)
        body = Body(request, self._limits.pace())
        try:
            _check_kind(request)
            body.limit(self._limits.largest_file)
            received = await self._received(body, member, asked)
        except Refused as refused:
            return refusal_of(refused, drain=not body.ended)
        unused = [asked.replaces] if asked.replaces else []
        if await request.is_disconnected():  # The browser has sent another mapping.
            unused.append(UUID(received["id"]))
        for upload_id in unused:
            await to_thread.run_sync(self._remove, upload_id, member)
        return JSONResponse(received, 201)

    def _remove(self, upload_id: UUID, member: str) -> None:
        with suppress(StoreUnavailable):  # It is removed after its expiry.
            self._store.remove_unused(upload_id, created_by=member)

    async def _received(self, body: Body, member: str, asked: _Asked) -> dict[str, Any]:
        called = _checked_kinds(asked.kinds)
        overrides = _checked_overrides(asked.mapped)
        at = self._now()
        new = NewUpload(
            id=self._new_id(),
            filename=_plain_name(asked.filename),
            default_region=await to_thread.run_sync(
                _checked_region, asked.region, self._default_region
            ),
            created_by=member,
            created_at=at,
            expires_at=at + KEPT_FOR,
        )
        options = ReadOptions(
            default_region=new.default_region,
            any_kind=called is Kinds.ANY,
            overrides=overrides,
            sheet=asked.sheet,
        )
        async with self._limits.slots.taken(member):
            return await to_thread.run_sync(
                _receive, self._store, new, body, options, limiter=self._limiter
            )


@short_turns()
def _receive(
    store: UploadStore, new: NewUpload, body: Body, options: ReadOptions
) -> dict[str, Any]:
    """Read, check and store a whole file, in a worker thread; return its report."""
    try:
        upload = receive_file(store, new, body, options)
        sample = store.rows(upload.id, 0, SAMPLE_ROWS)
        return upload_report(upload, store.first_rejects(upload.id), sample)
    except MappingNeeded as error:
        details = {"columns": error.columns, "rows": error.rows} | _sheets_of(error)
        raise Refused(422, "MAPPING_NEEDED", error.message, details) from error
    except UnreadableFile as error:
        details = _sheets_of(error)
        raise Refused(422, "UNREADABLE_FILE", error.message, details) from error
    except StoreUnavailable as error:
        raise Refused(503, "UNAVAILABLE", unavailable_message(error)) from error


def _sheets_of(error: UnreadableFile) -> dict[str, Any]:
    """Return what lets the user choose another sheet of a workbook."""
    if error.sheets is None:
        return {}
    return {"sheet": error.sheets.read, "sheets": error.sheets.names}


def _check_kind(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind.strip().lower() not in MEDIA_TYPES:
        message = (
            "Send the file as the body, with Content-Type: text/csv or that of a"
            " workbook."
        )
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", message)


def _checked_region(asked: str | None, default: Callable[[], str]) -> str:
    region = asked.strip().upper() if asked else default()
    if not known_region(region):
        message = (
            f'"{region[:50]}" is no region: defaultRegion is two letters, such as US.'
        )
        raise Refused(400, "INVALID", message)
    return region


def _checked_kinds(kinds: str) -> Kinds:
    try:
        return Kinds(kinds.lower() or Kinds.CALLED)
    except ValueError:
        message = f'"{kinds[:50]}" is unknown: leave kinds out, or send kinds=any.'
        raise Refused(400, "INVALID", message) from None


def _checked_overrides(mapped: Sequence[str]) -> Overrides:
    try:
        return parse_overrides(mapped)
    except InvalidMapping as error:
        raise Refused(400, "INVALID", error.message) from error


def _plain_name(filename: str) -> str:
    """Return a file name that is safe to show: no path, no control characters."""
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


def _rejects(store: UploadStore, upload_id: str, now: datetime) -> Response:
    found = _find(store, upload_id, now)
    if found is None:
        raise HTTPException(404, "There is no such upload, or it has expired.")
    return Streamed(
        rejects_csv(found.columns, _pages(store, found.id), found.not_kept_count),
        media_type="text/csv",
        filename='filename="rejects.csv"',
    )


def rejects_csv(
    columns: Sequence[str], pages: Iterable[list[RejectedRow]], not_kept: int
) -> Generator[str]:
    """Yield the skipped rows as CSV, each after its row number and reason.

    A last record with empty cells states how many rows were counted but not stored.
    """
    yield csv_lines([[*OWN_COLUMNS, *columns]])
    for page in pages:
        yield csv_lines([row.row, row.reason, row.message, *row.cells] for row in page)
    if not_kept:
        message = f"{not_kept:,} more rows were skipped; their text was not stored."
        yield csv_lines([["", "", message, *("" for _ in columns)]])
