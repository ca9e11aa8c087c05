"""Routes of the dashboard."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from interfaces.dashboard.site import IMMUTABLE, REVALIDATE, Asset, Site

METHODS = ["GET", "HEAD"]
PAGES = (
    "/",
    "/sign-in",
    "/campaigns",
    "/campaigns/new",
    "/campaigns/{campaign_id}",
    "/campaigns/{campaign_id}/history",
    "/campaigns/{campaign_id}/contacts/{contact_id}",
    "/rehearsals/{rehearsal_id}",
    "/do-not-call",
    "/rules",
    "/assistants",
    "/spend",
    "/forecasts",
    "/health",
    "/members",
    "/webhooks",
    "/tokens",
    "/settings",
    "/audit",
)


def dashboard_routes(site: Site) -> APIRouter:
    """Build the routes of the page and of its assets, which browsers cache."""
    router = APIRouter(include_in_schema=False)

    async def page(request: Request) -> Response:
        return _page(request, site)

    async def asset(request: Request, path: str) -> Response:
        found = site.assets.get(path)
        if found is None:
            raise HTTPException(404, "There is no such file: reload the page.")
        return _sent(request, found, {"Cache-Control": IMMUTABLE})

    for address in PAGES:
        router.add_api_route(address, page, methods=METHODS)
    router.add_api_route(site.prefix + "{path:path}", asset, methods=METHODS)
    return router


def page_for_unknown_addresses(site: Site, otherwise: ASGIApp) -> ASGIApp:
    """Answer browsers with the page, and 404, where no route has the address.

    The page then shows that there is no such view. `otherwise` answers other clients.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in METHODS:
            request = Request(scope)
            if "text/html" in request.headers.get("accept", ""):
                await _page(request, site, status=404)(scope, receive, send)
                return
        await otherwise(scope, receive, send)

    return answer


def _page(request: Request, site: Site, status: int = 200) -> Response:
    headers = {
        "Cache-Control": REVALIDATE,
        "Content-Security-Policy": site.policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "same-origin",
    }
    return _sent(request, site.page, headers, status)


def _sent(
    request: Request, asset: Asset, headers: dict[str, str], status: int = 200
) -> Response:
    headers |= {"Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    body = asset.body
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = asset.compressed
    return Response(body, status, headers, media_type=asset.media_type)
