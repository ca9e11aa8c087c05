"""Other people's pages send nothing here, whatever cookies their visitors have.

As Go's CrossOriginProtection does it: browsers say where a request comes from, and
who says nothing is no browser.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from interfaces.http.errors import refusal

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES = frozenset({"same-origin", "none"})
FOREIGN = "A page of another site may not send this."


class SameOrigin:
    """Refuses what changes something, or opens a socket, from another site's page.

    `origins` are our own; the Host that was asked is one as well.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app, self._origins = app, frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._lets_pass(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Closing before accepting is what a server answers with 403.
            await receive()
            await send({"type": "websocket.close", "code": 4403})
        else:
            answer = refusal(Request(scope), 403, FOREIGN)
            await answer(scope, receive, send)

    def _lets_pass(self, scope: Scope) -> bool:
        kind = scope["type"]
        if kind not in {"http", "websocket"} or scope.get("method") in SAFE:
            return True
        return is_own(Headers(scope=scope), self._origins)


def is_own(headers: Headers, origins: Collection[str]) -> bool:
    """Say whether it comes from our own pages, or from no page at all."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin in origins:
        return True
    if site is not None:
        return site in OWN_SITES
    return origin is None or urlsplit(origin).netloc == headers.get("host")
