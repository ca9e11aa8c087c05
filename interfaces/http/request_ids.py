"""A request id in each log record and response."""

import re
from collections.abc import Callable
from uuid import UUID

import structlog
from opentelemetry.trace import format_trace_id, get_current_span
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-Id"
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
        given = Headers(scope=scope).get(HEADER, "")
        id_ = given if FIT.fullmatch(given) else self._new_id().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = id_
            await send(message)

        with structlog.contextvars.bound_contextvars(request=id_, **_trace()):
            await self._app(scope, receive, send_with_id)


def _trace() -> dict[str, str]:
    """Return the id of the request's trace, if it is traced."""
    found = get_current_span().get_span_context()
    return {"trace": format_trace_id(found.trace_id)} if found.is_valid else {}
