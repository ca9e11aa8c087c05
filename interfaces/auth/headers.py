"""What every answer tells browsers not to do with it; a route's own word stands."""

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
    """`secure` where browsers come by https; `editors` load scripts from elsewhere."""

    def __init__(
        self, app: ASGIApp, *, secure: bool, editors: Collection[str] = ()
    ) -> None:
        self._app, self._editors = app, editors
        self._headers = DEFAULTS | (OVER_HTTPS if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if scope["path"] in self._editors:
                    del headers["Content-Security-Policy"]
            await send(message)

        await self._app(scope, receive, send_with_headers)
