"""A request id in each log record and response."""

import re
from collections.abc import Callable
from uuid import UUID

import structlog
from opentelemetry.trace import format_trace_id, get_current_span
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interfaces.http.headers import first_header

HEADER = "X-Request-Id"
NAME = HEADER.lower().encode()
"""As ASGI servers pass it."""

FIT = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIds:
    """Middleware that takes a valid X-Request-Id of a proxy, else creates an id."""

    def __init__(self, app: ASGIApp, new_id: Callable[[], UUID]) -> None:
        self._app, self._new_id = app, new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bind the id to log records, and add it to the response."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        given = (first_header(scope, NAME) or b"").decode("latin-1")
        id_ = given if FIT.fullmatch(given) else self._new_id().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [one for one in message.get("headers", ()) if one[0] != NAME]
                message["headers"] = [*kept, (NAME, id_.encode("latin-1"))]
            await send(message)

        bound = structlog.contextvars.bind_contextvars(request=id_, **_trace())
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            structlog.contextvars.reset_contextvars(**bound)


def _trace() -> dict[str, str]:
    """Return the id of the request's trace, if it is traced."""
    found = get_current_span().get_span_context()
    return {"trace": format_trace_id(found.trace_id)} if found.is_valid else {}
