"""A campaign's results as CSV, one row a contact, streamed in the file's order."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import Response, StreamingResponse

from projections import campaign_board, results
from storage.database import Pool

type Authorize = Callable[..., Any]


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


def export_csv(pool: Pool, campaign_id: UUID) -> Iterator[bytes]:
    """Yield the export in pieces of whole rows, all of one moment."""
    with pool.connection() as connection:
        yield from results.csv_of(connection, campaign_id)
