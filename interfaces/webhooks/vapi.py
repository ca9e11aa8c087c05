"""The provider's messages: verify, read, store, and only then say 200."""

import json
from asyncio import timeout
from collections.abc import Callable
from time import perf_counter
from typing import Any

import orjson
import structlog
from eventsourcing.persistence import IntegrityError
from opentelemetry.trace import get_current_span
from psycopg import InterfaceError, OperationalError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from application.errors import StoreUnavailable
from application.ports import ProviderMessage
from interfaces.http.errors import refusal
from interfaces.http.request_body import WatchedReceive
from interfaces.webhooks.authentication import PATH, Authenticate
from interfaces.webhooks.body import (
    LARGEST_BODY,
    Body,
    Memory,
    Refused,
    unavailable,
)
from interfaces.webhooks.inbox import Inbox, Place

ALLOW = {"Allow": "POST"}

STORE_SECONDS = 4.5
"""With what is around it, less than the 5 s in which an answer is owed."""

UNSTORED = (
    *(StoreUnavailable, IntegrityError, TimeoutError),
    *(OperationalError, InterfaceError),  # Of the read model, asked about strangers.
)

type ReadMessage = Callable[[dict[str, Any]], ProviderMessage]
type Count = Callable[[str | None, str, float], None]
"""Is told a message's type (None: not read), what became of it, and in what time."""

log = structlog.get_logger(__name__)


class NotAMessage(ValueError):
    """What was posted cannot be read at all; it says why."""


class Webhooks:
    """Answers a message when the inbox has stored it; an application by itself.

    Without `authenticate` everything is refused with 503. `largest_body` is in bytes;
    `memory` limits what all bodies hold together.
    """

    path = PATH
    """As routes have it: requests are measured under this name."""

    def __init__(
        self,
        authenticate: Authenticate | None,
        inbox: Inbox,
        *,
        memory: Memory | None = None,
        store_seconds: float = STORE_SECONDS,
        largest_body: int = LARGEST_BODY,
        count: Count = lambda _type, _result, _seconds: None,
    ) -> None:
        self._authenticate, self._inbox, self._count = authenticate, inbox, count
        self._memory = memory or Memory()
        self._store_seconds, self._largest_body = store_seconds, largest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self
        _name_in_traces(scope)
        answer = await self._answer(scope, WatchedReceive(receive))
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: WatchedReceive) -> Response:
        request = Request(scope, receive)
        if request.method != "POST":
            return refusal(request, 405, "Messages come by POST.", headers=ALLOW)
        began, type_ = perf_counter(), None
        async with self._memory.share() as share:
            body = Body(request, share, self._largest_body)
            try:
                type_, result = await self._stored(body)
                answer: Response = JSONResponse({})
            except Refused as refused:
                result = refused.code.lower()
                answer = refused.response(early=not receive.ended)
            except Exception:
                log.exception("A webhook could not be taken")
                result = "internal"
                answer = _failed().response(early=not receive.ended)
        self._count(type_, result, perf_counter() - began)
        return answer

    async def _stored(self, body: Body) -> tuple[str | None, str]:
        """Return the message's type, and whether it was `stored` or had been before."""
        if self._authenticate is None:
            message = "No webhook secret is configured (AUTOLYNX_WEBHOOK_SECRET)."
            raise Refused(503, "NOT_CONFIGURED", message)
        place = self._inbox.put(await body.authentic(self._authenticate))
        try:
            return await _stored(place, self._store_seconds - body.share.waited)
        finally:
            place.forget()


class WebhooksFirst:
    """Keeps them from all that other requests need: a fifth of what one would cost.

    They have a limit of their own for the body, and catch their own errors.
    `webhooks` says what answers them; it is there once the service has started.
    """

    def __init__(self, app: ASGIApp, webhooks: Callable[[], ASGIApp]) -> None:
        self._app, self._webhooks = app, webhooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] == "http" and scope["path"] == PATH
        await (self._webhooks() if ours else self._app)(scope, receive, send)


def _name_in_traces(scope: Scope) -> None:
    """Say what the framework says of routes of its own."""
    span = get_current_span()
    span.update_name(f"{scope['method']} {PATH}")
    span.set_attribute("http.route", PATH)
    if (told := scope.get("fastapi.telemetry")) is not None:
        told.route = PATH


async def _stored(place: Place, seconds: float) -> tuple[str | None, str]:
    """Return the message's type, and whether it was `stored` or had been before.

    A repeat of one that was given up is harmless.
    """
    try:
        async with timeout(seconds):
            heard = await place.answer
    except UNSTORED as error:
        log.warning("A webhook could not be stored", error=repr(error), **_ids(place))
        said = "The message could not be stored in time; send it again."
        raise unavailable(said) from error
    except NotAMessage as error:
        raise Refused(400, "INVALID", str(error)) from error
    except Exception as error:
        log.exception("A webhook could not be taken", **_ids(place))
        raise _failed() from error
    log.debug("A webhook was stored", type=_type(place), **_ids(place))
    return _type(place), "repeated" if heard.repeated else "stored"


def _failed() -> Refused:
    return Refused(500, "INTERNAL", "The message could not be taken.")


def _type(place: Place) -> str | None:
    return place.message.type if place.message else None


def _ids(place: Place) -> dict[str, str | None]:
    """Name it in log lines."""
    if (message := place.message) is None:
        return {}
    call_id = str(message.call_id) if message.call_id else None
    return {"call": call_id, "provider_call": message.provider_call_id}


def read_body(read_message: ReadMessage, raw: bytes) -> ProviderMessage:
    """Read what was posted; raises NotAMessage."""
    try:
        body = _parsed(raw)
    except (ValueError, RecursionError) as error:
        raise NotAMessage("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise NotAMessage("The body is not a JSON object.")
    return read_message(body)


def _parsed(raw: bytes) -> Any:
    """Parse JSON; a transcript that was cut within a character is no reason to fail."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return json.loads(raw)
