"""The provider's messages: verify, read, store, and only then say 200."""

import json
import sys
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import orjson
import structlog
from anyio import CapacityLimiter, fail_after, to_thread
from eventsourcing.persistence import IntegrityError
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from application.errors import StoreUnavailable
from application.ports import ProviderMessage
from interfaces.webhooks.authentication import Authenticate

LARGEST_BODY = 16 << 20
"""Bytes."""

RECEIVE_SECONDS = 10.0
STORE_SECONDS = 4.5
"""With what is around it, less than the 5 s in which an answer is owed."""

RETRY_AFTER_SECONDS = 5
AT_A_TIME = 32

type ReadMessage = Callable[[dict[str, Any]], ProviderMessage]
type Hear = Callable[[ProviderMessage], object]
type Count = Callable[[str | None, str, float], None]
"""Is told a message's type (None: not read), what became of it, and in what time."""

type About = dict[str, str | None]
"""The ids of a message, for log lines."""

log = structlog.get_logger(__name__)


class _Refused(Exception):
    """What is answered instead of 200, in the contract's form."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> Response:
        error = {"code": self.code, "message": self.message}
        wait = {"Retry-After": str(RETRY_AFTER_SECONDS)} if self.status == 503 else {}  # noqa: PLR2004 - unavailable
        return JSONResponse({"error": error}, self.status, wait)


def webhook_routes(
    authenticate: Authenticate | None,
    hear: Hear,
    read_message: ReadMessage,
    *,
    store_seconds: float = STORE_SECONDS,
    largest_body: int = LARGEST_BODY,
    count: Count = lambda _type, _result, _seconds: None,
) -> APIRouter:
    """Build the route; `hear` returns when the message is stored.

    Without `authenticate` everything is refused with 503. `largest_body` is in bytes.
    """
    router = APIRouter()
    limiter = CapacityLimiter(AT_A_TIME)
    store = partial(_store, hear, limiter, store_seconds)

    # The route counts the body itself, so that its refusal has the contract's form.
    @router.post("/webhooks/vapi", max_body_size=sys.maxsize)
    async def vapi(request: Request) -> Response:
        began, type_ = perf_counter(), None
        about: About = {}
        try:
            raw = await _authentic_body(request, authenticate, largest_body)
            message = partial(_message, read_message, raw)
            type_, result = await store(message, about)
            answer: Response = JSONResponse({})
        except _Refused as refused:
            result, answer = refused.code.lower(), refused.response()
        except Exception:
            log.exception("A webhook could not be taken", **about)
            said = "The message could not be taken."
            result, answer = "internal", _Refused(500, "INTERNAL", said).response()
        count(type_, result, perf_counter() - began)
        return answer

    return router


async def _authentic_body(
    request: Request, authenticate: Authenticate | None, largest: int
) -> bytes:
    """Return the raw body, which nothing has looked into but the authentication."""
    if authenticate is None:
        message = "No webhook secret is configured (AUTOLYNX_WEBHOOK_SECRET)."
        raise _Refused(503, "NOT_CONFIGURED", message)
    raw = await _body(request, largest)
    if not authenticate(request.headers, raw):
        raise _Refused(401, "UNAUTHENTICATED", "The webhook is not authenticated.")
    return raw


async def _body(request: Request, largest: int) -> bytes:
    body = bytearray()
    try:
        with fail_after(RECEIVE_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest:
                    message = f"A message may have {largest} bytes."
                    raise _Refused(413, "TOO_LARGE", message)
    except (TimeoutError, ClientDisconnect) as error:
        raise _Refused(408, "TIMEOUT", "The message did not arrive whole.") from error
    return bytes(body)


async def _store(
    hear: Hear,
    limiter: CapacityLimiter,
    seconds: float,
    message: Callable[[], ProviderMessage],
    about: About,
) -> tuple[str, str]:
    """Store a message in a thread; a repeat of one that was given up is harmless.

    Return its type, and whether it was `stored` or had been before; `about` is filled
    once it is read.
    """

    def work() -> tuple[str, str]:
        read = message()
        about.update(_ids(read))
        with structlog.contextvars.bound_contextvars(**about):
            heard = hear(read)
            log.debug("A webhook was stored", type=read.type)
        return read.type, "repeated" if getattr(heard, "repeated", False) else "stored"

    try:
        with fail_after(seconds):
            return await to_thread.run_sync(
                work, abandon_on_cancel=True, limiter=limiter
            )
    except (StoreUnavailable, IntegrityError, TimeoutError) as error:
        log.warning("A webhook could not be stored", error=repr(error), **about)
        said = "The message could not be stored in time; send it again."
        raise _Refused(503, "UNAVAILABLE", said) from error


def _ids(read: ProviderMessage) -> About:
    call_id = str(read.call_id) if read.call_id else None
    return {"call": call_id, "provider_call": read.provider_call_id}


def _message(read_message: ReadMessage, raw: bytes) -> ProviderMessage:
    try:
        body = _parsed(raw)
    except (ValueError, RecursionError) as error:
        raise _Refused(400, "INVALID", "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise _Refused(400, "INVALID", "The body is not a JSON object.")
    return read_message(body)


def _parsed(raw: bytes) -> Any:
    """Parse JSON; a transcript that was cut within a character is no reason to fail."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return json.loads(raw)
