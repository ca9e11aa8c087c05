"""A campaign's results as CSV, one row a contact, streamed in the file's order."""

from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response, StreamingResponse

from interfaces.files.csv_cells import csv_lines
from projections import call_log, campaign_board, contact_log, recordings
from projections.call_log import CallRow
from projections.contact_log import ContactRow
from projections.recordings import Recording
from storage.database import Conn, Pool

CONTACTS_A_PAGE = 5_000
CALLS_AT_A_TIME = 250
"""Transcripts may be large: so many are in memory at once."""

type Authorize = Callable[..., Any]


class ResultRow(NamedTuple):
    """What came of a contact: the columns of the export, in order."""

    name: str
    business_name: str
    phone: str
    status: str
    ended_reason: str
    cost: str
    recording_url: str
    transcript_json: str


def export_routes(*, pool: Pool, authorize: Authorize) -> APIRouter:
    """Build the route; `pool` reads the read model, `authorize` enforces the role."""
    router = APIRouter()

    @router.get("/campaigns/{campaign_id}/export.csv")
    def export(
        campaign_id: str, _member: Annotated[Any, Depends(authorize)]
    ) -> Response:
        campaign = _campaign(pool, campaign_id)
        if campaign is None:
            raise HTTPException(404, f"There is no campaign {campaign_id[:100]}.")
        return StreamingResponse(
            export_csv(pool, campaign.id),
            media_type="text/csv",
            headers={"Content-Disposition": _disposition(campaign.name)},
        )

    return router


def _campaign(pool: Pool, campaign_id: str) -> campaign_board.CampaignRow | None:
    try:
        id_ = UUID(campaign_id)
    except ValueError:
        return None
    with pool.connection() as connection:
        return campaign_board.get(connection, id_)


def _disposition(name: str) -> str:
    """Name the file for the campaign; old clients take the plain name."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)
    full = quote(f"{name}.csv", safe="")
    return f"attachment; filename=\"{plain[:100]}.csv\"; filename*=UTF-8''{full}"


def export_csv(pool: Pool, campaign_id: UUID) -> Iterator[str]:
    """Yield the export in pieces of some hundred rows."""
    yield csv_lines([ResultRow._fields])
    for rows in result_rows(pool, campaign_id):
        yield csv_lines(rows)


def result_rows(pool: Pool, campaign_id: UUID) -> Iterator[list[ResultRow]]:
    """Yield rows in the file's order; nothing is held open between them."""
    after: str | None = None
    while True:
        with pool.connection() as connection:
            page = contact_log.page(
                connection, campaign_id, first=CONTACTS_A_PAGE, after=after
            )
        for contacts in batched(page.nodes, CALLS_AT_A_TIME):
            with pool.connection() as connection:
                rows = _rows(connection, contacts)
            yield rows
        if not page.has_next:
            return
        after = page.end_cursor


def _rows(conn: Conn, contacts: Sequence[ContactRow]) -> list[ResultRow]:
    call_ids = [contact.call_id for contact in contacts if contact.call_id]
    calls = call_log.of_ids(conn, call_ids)
    reports = [call.report_message_id for call in calls.values()]
    found = recordings.of_messages(conn, [id_ for id_ in reports if id_])
    return [_row(contact, calls, found) for contact in contacts]


def _row(
    contact: ContactRow,
    calls: dict[UUID, CallRow],
    found: dict[UUID, Recording],
) -> ResultRow:
    call = calls.get(contact.call_id) if contact.call_id else None
    report_id = call.report_message_id if call else None
    recording = found.get(report_id) if report_id else None
    return ResultRow(
        name=contact.name,
        business_name=contact.business_name,
        phone=contact.phone,
        status=contact.status.value,
        ended_reason=(call.ended_reason if call else None) or "",
        cost=f"{call.cost:f}" if call and call.cost is not None else "",
        recording_url=(recording.recording_url if recording else None) or "",
        transcript_json=_json(recording.transcript if recording else None),
    )


def _json(transcript: Any) -> str:
    return "" if transcript is None else orjson.dumps(transcript).decode()
