"""Webhooks of the provider: authenticate, parse, store, and then answer 200."""

import json
from asyncio import get_running_loop
from collections.abc import Callable, Mapping
from logging import DEBUG, getLogger
from time import perf_counter
from typing import Any

import orjson
import structlog
from eventsourcing.persistence import IntegrityError
from opentelemetry.trace import get_current_span
from psycopg import InterfaceError, OperationalError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from application.calls.message_recorder import MessageReceipt
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
from interfaces.webhooks.inbox import Inbox, Ticket

ALLOW = {"Allow": "POST"}

STORE_SECONDS = 4.5
"""Including all overhead, this is less than the 5 s within which we must answer."""

MOST_DIGITS = 20
"""Characters of the longest whole number of 64 bits, with its sign."""

UNSTORED = (
    *(StoreUnavailable, IntegrityError, TimeoutError),
    *(OperationalError, InterfaceError),  # Of the read model, for calls we do not know.
)

type ReadMessage = Callable[[dict[str, Any]], ProviderMessage]
type ToolResponse = Callable[[Mapping[str, str]], dict[str, Any]]
"""Returns the body of a response: the results of tool calls by their ids."""
type Count = Callable[[str | None, str, float], None]
"""Called with a message's type (None: not parsed), its result and the seconds."""

log = structlog.get_logger(__name__)


class NotAMessage(ValueError):
    """The posted body is not a message; the text states why."""


class Webhooks:
    """An ASGI application that answers a message after the inbox has stored it.

    Without `authenticate` every message is refused with 503. `largest_body` is in
    bytes; `memory` limits all bodies together. `tool_response` writes the results of
    tool calls as the provider reads them.
    """

    path = PATH
    """The path under which requests are measured, as of a route."""

    def __init__(
        self,
        authenticate: Authenticate | None,
        inbox: Inbox,
        *,
        memory: Memory | None = None,
        store_seconds: float = STORE_SECONDS,
        largest_body: int = LARGEST_BODY,
        count: Count = lambda _type, _result, _seconds: None,
        tool_response: ToolResponse = dict,
    ) -> None:
        self._authenticate, self._inbox, self._count = authenticate, inbox, count
        self._memory, self._tool_response = memory or Memory(), tool_response
        self._store_seconds, self._largest_body = store_seconds, largest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request to the webhook route."""
        scope["route"] = self
        _name_in_traces(scope)
        answer = await self._answer(scope, WatchedReceive(receive))
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: WatchedReceive) -> ASGIApp:
        request = Request(scope, receive)
        if request.method != "POST":
            return refusal(request, 405, "Send messages by POST.", headers=ALLOW)
        began, type_ = perf_counter(), None
        answer: ASGIApp
        with self._memory.share() as share:
            body = Body(request, share, self._largest_body)
            try:
                type_, receipt = await self._stored(body)
                result = "repeated" if receipt.repeated else "stored"
                answer = self._response_to(receipt)
            except Refused as refused:
                result = refused.code.lower()
                answer = refused.response(early=not receive.ended)
            except Exception:
                log.exception("a webhook could not be processed")
                result = "internal"
                answer = _failed().response(early=not receive.ended)
        self._count(type_, result, perf_counter() - began)
        return answer

    def _response_to(self, receipt: MessageReceipt) -> ASGIApp:
        """Return the response: the results of tool calls, else an empty object."""
        if not receipt.answers:
            return _send_empty_object
        results = {answer.tool_call_id: answer.result for answer in receipt.answers}
        return JSONResponse(self._tool_response(results))

    async def _stored(self, body: Body) -> tuple[str | None, MessageReceipt]:
        """Return the message's type and its receipt once it is stored."""
        if self._authenticate is None:
            message = "No webhook secret is configured (AUTOLYNX_WEBHOOK_SECRET)."
            raise Refused(503, "NOT_CONFIGURED", message)
        ticket = self._inbox.put(await body.authentic(self._authenticate))
        try:
            return await _stored(ticket, self._store_seconds - body.share.waited)
        finally:
            ticket.forget()


class WebhooksFirst:
    """Routes webhooks past the middleware of other requests, at a fifth of the cost.

    Webhooks have their own body limit and error handling. `webhooks` returns their
    application; it is called after start-up only.
    """

    def __init__(self, app: ASGIApp, webhooks: Callable[[], ASGIApp]) -> None:
        self._app, self._webhooks = app, webhooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route webhooks to their handler, everything else to the application."""
        ours = scope["type"] == "http" and scope["path"] == PATH
        await (self._webhooks() if ours else self._app)(scope, receive, send)


def _name_in_traces(scope: Scope) -> None:
    """Set the attributes that the framework sets for its own routes."""
    span = get_current_span()
    span.update_name(f"{scope['method']} {PATH}")
    span.set_attribute("http.route", PATH)
    if (telemetry := scope.get("fastapi.telemetry")) is not None:
        telemetry.route = PATH


async def _stored(ticket: Ticket, seconds: float) -> tuple[str | None, MessageReceipt]:
    """Wait until the message is stored; return its type and receipt.

    After a timeout it may be stored nevertheless; its repetition is harmless.
    """
    # A third of what asyncio.timeout costs.
    timer = get_running_loop().call_later(seconds, ticket.expire)
    try:
        receipt = await ticket.answer
    except UNSTORED as error:
        log.warning("a webhook could not be stored", error=repr(error), **_ids(ticket))
        message = "The message could not be stored in time: send it again."
        raise unavailable(message) from error
    except NotAMessage as error:
        raise Refused(400, "INVALID", str(error)) from error
    except Exception as error:
        log.exception("a webhook could not be stored", **_ids(ticket))
        raise _failed() from error
    finally:
        timer.cancel()
    if getLogger(__name__).isEnabledFor(DEBUG):  # Else the ids are not formatted.
        log.debug("a webhook was stored", type=_type(ticket), **_ids(ticket))
    return _type(ticket), receipt


async def _send_empty_object(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Send what JSONResponse({}) would send, without encoding it each time."""
    start = {"type": "http.response.start", "status": 200}
    await send({**start, "headers": [*_EMPTY.raw_headers]})
    await send({"type": "http.response.body", "body": _EMPTY.body})


_EMPTY = JSONResponse({})


def _failed() -> Refused:
    return Refused(500, "INTERNAL", "The message could not be processed.")


def _type(ticket: Ticket) -> str | None:
    return ticket.message.type if ticket.message else None


def _ids(ticket: Ticket) -> dict[str, str | None]:
    """Return the ids of a message for the log."""
    if (message := ticket.message) is None:
        return {}
    call_id = str(message.call_id) if message.call_id else None
    return {"call": call_id, "provider_call": message.provider_call_id}


def read_body(read_message: ReadMessage, raw: bytes) -> ProviderMessage:
    """Parse the posted body. Raises NotAMessage."""
    try:
        body = _parsed(raw)
    except (ValueError, RecursionError) as error:
        raise NotAMessage("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise NotAMessage("The body is not a JSON object.")
    return read_message(body)


def _parsed(raw: bytes) -> Any:
    """Parse JSON, also with a lone surrogate: transcripts are cut within characters."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return json.loads(raw, parse_int=_number)


def _number(digits: str) -> int | float:
    """Return a whole number as orjson does: as a float if it has more than 64 bits."""
    if len(digits) <= MOST_DIGITS and -(2**63) <= (number := int(digits)) < 2**63:
        return number
    return float(digits)
