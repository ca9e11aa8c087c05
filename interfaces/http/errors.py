"""Error responses of all routes: `{"error": {"code", "message"}}` and the status."""

import logging
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from psycopg import InterfaceError, OperationalError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from application.errors import StoreUnavailable
from interfaces.database_errors import unavailable_message

log = logging.getLogger(__name__)

CODES = {
    400: "INVALID",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "INVALID",
    429: "TOO_MANY_REQUESTS",
    503: "UNAVAILABLE",
}
GRAPHQL = "/graphql"
GRAPHQL_CODES = {401: "UNAUTHENTICATED", 403: "FORBIDDEN"}


def add_refusals(app: FastAPI) -> None:
    """Register the exception handlers that build these responses."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    for unreachable in (StoreUnavailable, OperationalError, InterfaceError):
        app.add_exception_handler(unreachable, _unreachable)
    app.add_exception_handler(Exception, _failed)


def refusal(
    request: Request,
    status: int,
    message: str,
    *,
    headers: dict[str, str] | None = None,
) -> Response:
    """Build an error response; for the path /graphql in GraphQL's own form."""
    if request.url.path == GRAPHQL:
        code = "INTERNAL" if status >= 500 else GRAPHQL_CODES.get(status, "BAD_REQUEST")  # noqa: PLR2004 - from 500 the fault is the server's
        errors = [{"message": message, "extensions": {"code": code}}]
        return JSONResponse({"errors": errors}, status, headers)
    error = {"code": CODES.get(status, "INTERNAL"), "message": message}
    return JSONResponse({"error": error}, status, headers)


class TooLarge:
    """Replaces the plain-text 413 of the body limit, which no handler sees, by ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Replace the response if it is the plain-text 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = False

        async def send_ours(message: Message) -> None:
            nonlocal refused
            if not refused and _is_plain_413(message):
                refused = True
                answer = refusal(Request(scope), 413, "The body is too large.")
                await answer(scope, receive, send)
            elif not refused:
                await send(message)

        await self._app(scope, receive, send_ours)


def _is_plain_413(message: Message) -> bool:
    if message["type"] != "http.response.start" or message["status"] != 413:  # noqa: PLR2004 - content too large
        return False
    kind = dict(message["headers"]).get(b"content-type", b"")
    return bool(kind.startswith(b"text/plain"))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return refusal(request, error.status_code, str(error.detail), headers=headers)


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = "; ".join(
        f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()
    )
    return refusal(request, 422, faults or "The request is malformed.")


async def _unreachable(request: Request, error: Exception) -> Response:
    log.warning("The database did not answer: %s", error)
    message = unavailable_message(error)
    return refusal(request, 503, message, headers={"Retry-After": "5"})


async def _failed(request: Request, error: Exception) -> Response:
    error_id = uuid4()
    log.error("REST error %s", error_id, exc_info=error)
    message = f"Internal error. The log has its details under the id {error_id}."
    return refusal(request, 500, message)
