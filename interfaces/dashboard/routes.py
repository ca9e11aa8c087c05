"""Routes of the dashboard."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

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
    "/do-not-call",
    "/rules",
    "/assistants",
    "/spend",
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
        headers = {
            "Cache-Control": REVALIDATE,
            "Content-Security-Policy": site.policy,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Referrer-Policy": "same-origin",
        }
        return _sent(request, site.page, headers)

    async def asset(request: Request, path: str) -> Response:
        found = site.assets.get(path)
        if found is None:
            raise HTTPException(404, "There is no such file: reload the page.")
        return _sent(request, found, {"Cache-Control": IMMUTABLE})

    for address in PAGES:
        router.add_api_route(address, page, methods=METHODS)
    router.add_api_route(site.prefix + "{path:path}", asset, methods=METHODS)
    return router


def _sent(request: Request, asset: Asset, headers: dict[str, str]) -> Response:
    headers |= {"Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    body = asset.body
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = asset.compressed
    return Response(body, headers=headers, media_type=asset.media_type)
