"""A campaign's contacts as CSV and JSON lines, in the order of the file."""

from collections.abc import Callable, Generator, Iterator, Sequence
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import Response
from psycopg_pool import PoolTimeout
from pydantic import AwareDatetime, BaseModel

from domain.calls.recording_url import RecordingUrls
from domain.errors import Invalid
from domain.gate.rules import RuleBook
from domain.outcomes import CallOutcome, Disposition
from domain.values import ContactStatus
from interfaces.files.streaming import Streamed
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.exports.columns import parse_columns
from projections.exports.contacts_jsonl import jsonl_of
from projections.exports.results import ExportOptions, csv_of
from storage.database import Conn, Pool, RetryPolicy

EXPORTS_AT_A_TIME = 4
"""In one process. Each holds a connection until its client has read everything."""

CONNECTION_SECONDS = 1.0
"""How long an export waits for a connection to become free."""

RETRY_AFTER_SECONDS = 10

type Authorize = Callable[..., Any]


def export_routes(
    *,
    pool: Pool,
    exports: Pool,
    authorize: Authorize,
    recordings: RecordingUrls,
    own_url: str,
    rule_book: Callable[[], RuleBook | None],
) -> APIRouter:
    """Build the routes; `authorize` enforces the role.

    Only the exports themselves take connections from the pool `exports`; when all are
    in use, a further one is answered 503. Rows name only recording URLs that
    `recordings` accepts, or links to `own_url`. `rule_book` explains permits of calls.
    """
    router = APIRouter()

    @router.get("/campaigns/{campaign_id}/export.csv")
    def export(
        campaign_id: str,
        query: Annotated[ExportQuery, Query()],
        _member: Annotated[Any, Depends(authorize)],
    ) -> Response:
        campaign = _campaign(pool, campaign_id)
        write = partial(csv_of, options=query.options(own_url))
        return Streamed(
            _from_pool(exports, write, campaign, recordings),
            media_type="text/csv",
            filename=_filename(campaign.name, "csv"),
        )

    @router.get("/campaigns/{campaign_id}/contacts.jsonl")
    def contacts(
        campaign_id: str, _member: Annotated[Any, Depends(authorize)]
    ) -> Response:
        campaign = _campaign(pool, campaign_id)
        write = partial(jsonl_of, book=rule_book())
        return Streamed(
            _from_pool(exports, write, campaign, recordings),
            media_type="application/jsonl",
            filename=_filename(campaign.name, "jsonl"),
        )

    return router


class ExportQuery(BaseModel):
    """Parameters of the CSV export; several values are repeated or have commas."""

    columns: str | None = None
    bom: bool = False
    recordings: Literal["link"] | None = None
    outcome: list[str] = []
    disposition: list[str] = []
    status: list[str] = []
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    def options(self, own_url: str) -> ExportOptions:
        """Return the options of the export.

        Raises:
            HTTPException: 400, when a value is unknown.
        """
        try:
            return ExportOptions(
                columns=() if self.columns is None else parse_columns(self.columns),
                outcomes=parse_values(CallOutcome, "outcome", self.outcome),
                dispositions=parse_values(Disposition, "disposition", self.disposition),
                statuses=parse_values(ContactStatus, "status", self.status),
                since=self.since,
                until=self.until,
                mark=self.bom,
                links=f"{own_url}/calls/" if self.recordings == "link" else None,
            )
        except Invalid as error:
            raise HTTPException(400, str(error)) from error


def parse_values[T: StrEnum](
    kind: type[T], name: str, texts: Sequence[str]
) -> tuple[T, ...] | None:
    """Read values of a filter, in any case; None if there are none.

    Raises:
        Invalid: a value is unknown; the message lists all.
    """
    given = [part.strip() for text in texts for part in text.split(",")]
    for value in given:
        if value.upper() not in kind:
            known = ", ".join(kind)
            raise Invalid(f'"{value[:100]}" is no {name}. Each is one of: {known}.')
    return tuple(kind(value.upper()) for value in given) or None


def _campaign(pool: Pool, campaign_id: str) -> CampaignRow:
    try:
        id_ = UUID(campaign_id)
    except ValueError:
        found = None
    else:
        found = RetryPolicy().run(pool, lambda conn, _: campaign_board.get(conn, id_))
    if found is None:
        raise HTTPException(404, f"There is no campaign {campaign_id[:100]}.")
    return found


def _filename(name: str, extension: str) -> str:
    """Name the file after the campaign: in ASCII, and in full (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)
    full = quote(f"{name}.{extension}", safe="")
    return f"filename=\"{plain[:100]}.{extension}\"; filename*=UTF-8''{full}"


def _from_pool(
    pool: Pool,
    export: Callable[[Conn, UUID, RecordingUrls], Iterator[bytes]],
    campaign: CampaignRow,
    recordings: RecordingUrls,
) -> Generator[bytes]:
    """Yield an export in pieces of whole rows; hold a connection until it is closed.

    Raises:
        HTTPException: 503, when no connection becomes free in CONNECTION_SECONDS; 400,
            when a column is unknown.
    """
    try:
        connection = pool.getconn(CONNECTION_SECONDS)
    except PoolTimeout as error:
        message = "Too many exports are in progress: try again in a moment."
        wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        raise HTTPException(503, message, wait) from error
    try:
        yield from export(connection, campaign.id, recordings)
    except Invalid as error:
        raise HTTPException(400, str(error)) from error
    finally:
        pool.putconn(connection)
