"""A campaign's results as CSV: one row per contact, in the order of the file."""

from collections.abc import Callable, Generator
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response
from psycopg_pool import PoolTimeout

from domain.recording_url import RecordingUrls
from interfaces.files.streaming import Streamed
from projections import campaign_board, results
from storage.database import Pool, RetryPolicy

EXPORTS_AT_A_TIME = 4
"""In one process. Each holds a connection until its client has read everything."""

CONNECTION_SECONDS = 1.0
"""How long an export waits for a connection to become free."""

RETRY_AFTER_SECONDS = 10

type Authorize = Callable[..., Any]


def export_routes(
    *, pool: Pool, exports: Pool, authorize: Authorize, recordings: RecordingUrls
) -> APIRouter:
    """Build the route; `authorize` enforces the role.

    `pool` and `exports` read the read model. Only the exports themselves take
    connections from `exports`; when all are in use, a further one is answered 503.
    Rows name only recording URLs that `recordings` accepts.
    """
    router = APIRouter()

    @router.get("/campaigns/{campaign_id}/export.csv")
    def export(
        campaign_id: str, _member: Annotated[Any, Depends(authorize)]
    ) -> Response:
        campaign = _campaign(pool, campaign_id)
        if campaign is None:
            raise HTTPException(404, f"There is no campaign {campaign_id[:100]}.")
        return Streamed(
            export_csv(exports, campaign.id, recordings),
            media_type="text/csv",
            filename=_filename(campaign.name),
        )

    return router


def _campaign(pool: Pool, campaign_id: str) -> campaign_board.CampaignRow | None:
    try:
        id_ = UUID(campaign_id)
    except ValueError:
        return None
    return RetryPolicy().run(pool, lambda conn, _: campaign_board.get(conn, id_))


def _filename(name: str) -> str:
    """Name the file after the campaign: in ASCII, and in full (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)
    full = quote(f"{name}.csv", safe="")
    return f"filename=\"{plain[:100]}.csv\"; filename*=UTF-8''{full}"


def export_csv(
    pool: Pool, campaign_id: UUID, recordings: RecordingUrls
) -> Generator[bytes]:
    """Yield the export in pieces of whole rows, from one snapshot.

    Raises:
        HTTPException: 503, when no connection becomes free in CONNECTION_SECONDS.
    """
    try:
        connection = pool.getconn(CONNECTION_SECONDS)
    except PoolTimeout as error:
        message = "Too many exports are in progress: try again in a moment."
        wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        raise HTTPException(503, message, wait) from error
    try:
        yield from results.csv_of(connection, campaign_id, recordings)
    finally:
        pool.putconn(connection)
