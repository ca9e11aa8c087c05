"""Protection against cross-site request forgery.

Like Go's CrossOriginProtection: browsers send the origin of a request
(Sec-Fetch-Site or Origin); a request without either does not come from a browser.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from interfaces.http.errors import refusal
from interfaces.http.headers import first_header

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES = frozenset({"same-origin", "none"})
FOREIGN = "Requests from pages of other sites are refused."


class SameOrigin:
    """Refuses state-changing requests and sockets from pages of other sites.

    `origins` are our own origins; the requested Host counts as one as well.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app, self._origins = app, frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request or socket, or refuse it with 403."""
        if self._is_allowed(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # The server answers 403 if a socket is closed before it was accepted.
            await receive()
            await send({"type": "websocket.close", "code": 4403})
        else:
            answer = refusal(Request(scope), 403, FOREIGN)
            await answer(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        kind = scope["type"]
        if kind not in {"http", "websocket"} or scope.get("method") in SAFE:
            return True
        return _is_own(scope, self._origins)


def _is_own(scope: Scope, origins: Collection[str]) -> bool:
    """Return whether a request comes from our own pages, or not from a browser."""
    site, origin = (
        first_header(scope, b"sec-fetch-site"),
        first_header(scope, b"origin"),
    )
    named = None if origin is None else origin.decode("latin-1")
    if named in origins:
        return True
    if site is not None:
        return site.decode("latin-1") in OWN_SITES
    if named is None:
        return True
    host = first_header(scope, b"host")
    return host is not None and urlsplit(named).netloc == host.decode("latin-1")
