"""Default security headers of every response; a route may set its own values."""

from collections.abc import Collection

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULTS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
OVER_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}


class SecurityHeaders:
    """Adds the default headers.

    With `secure`, browsers use https. Paths in `editors` load scripts of other hosts
    and get no content policy.
    """

    def __init__(
        self, app: ASGIApp, *, secure: bool, editors: Collection[str] = ()
    ) -> None:
        self._app, self._editors = app, editors
        headers = DEFAULTS | (OVER_HTTPS if secure else {})
        # Encoded once, because every response needs them.
        self._headers = [(k.lower().encode(), v.encode()) for k, v in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to the response of an HTTP request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [*message["headers"]]
                names = {name for name, _ in own}
                own += [header for header in self._headers if header[0] not in names]
                message["headers"] = own
                if scope["path"] in self._editors:
                    del MutableHeaders(scope=message)["Content-Security-Policy"]
            await send(message)

        await self._app(scope, receive, send_with_headers)
