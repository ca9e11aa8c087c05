"""Recordings of calls, by short-lived links of the provider."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import RedirectResponse, Response

from application.ports import Provider, ProviderRefused, ProviderUnavailable
from projections.calls import call_log, recordings
from projections.calls.call_log import CallRow
from projections.contacts import contact_log
from storage.database import Conn, Pool

type Authorize = Callable[..., Any]


def recording_routes(
    *, provider: Provider, pool: Pool, authorize: Authorize
) -> APIRouter:
    """Build the route; it redirects, because plain links need the provider's key."""
    router = APIRouter()

    @router.get("/calls/{call_id}/recording")
    def recording(
        call_id: str, _member: Annotated[Any, Depends(authorize)]
    ) -> Response:
        provider_call_id = _provider_call_id(pool, call_id)
        link = provider_call_id and _link(provider, provider_call_id)
        if not link:
            raise HTTPException(404, "There is no recording of this call.")
        return RedirectResponse(link, 302, {"Referrer-Policy": "no-referrer"})

    return router


def _provider_call_id(pool: Pool, call_id: str) -> str | None:
    try:
        id_ = UUID(call_id)
    except ValueError:
        return None
    with pool.connection() as connection:
        call = call_log.of_ids(connection, [id_]).get(id_)
        if call is None or _is_erased(connection, call):
            return None
    return call.provider_call_id


def _is_erased(conn: Conn, call: CallRow) -> bool:
    """Return whether the contact or the report was erased here."""
    if contact_log.erased(conn, call.campaign_id, [call.contact_id]):
        return True
    report = call.report_message_id
    return report is not None and not recordings.of_messages(conn, [report])


def _link(provider: Provider, provider_call_id: str) -> str | None:
    try:
        return provider.recording_link(provider_call_id)
    except (ProviderUnavailable, ProviderRefused) as error:
        message = f"The provider did not return the recording: {error}"
        raise HTTPException(503, message, headers={"Retry-After": "5"}) from error
