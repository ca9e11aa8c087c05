"""The HTTP surface: authenticate, spoil where the faults say so, translate."""

import asyncio
import hmac
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, cast
from uuid import uuid4

import httpx2
import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from provider.simulator.exchange import Exchange
from provider.simulator.faults import (
    POST_CALL,
    FaultPlan,
    RequestFault,
    ScriptedRequest,
)
from provider.simulator.recordings import a_short_silence
from provider.simulator.settings import SimulatorSettings
from provider.simulator.validation import ApiError, check_labels, check_list_query

LINE = "simulator.line"
INVALID_KEY = (
    "Invalid Key. Hot tip, you may be using the private key instead of the public "
    "key, or vice versa."
)
PLANS = TypeAdapter(FaultPlan)

type Handler = Callable[[Exchange, Request, Any], Awaitable[Response]]


class Line(HttpToolsProtocol):
    """A connection that a handler may cut, or leave without an answer."""

    silent = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, object]", self.scope)[LINE] = self

    def cut(self) -> None:
        """Close with a TCP reset."""
        now_and_hard = struct.pack("ii", 1, 0)
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now_and_hard)
        self.transport.abort()

    def shutdown(self) -> None:
        if self.silent:
            self.cut()
        else:
            super().shutdown()


class NoAnswer(Response):
    """Keeps silent until the client has gone."""

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue


def build_app(settings: SimulatorSettings) -> FastAPI:
    """Make the application; its state lives from start-up to shutdown."""
    app = FastAPI(lifespan=_lifespan(settings), openapi_url=None)
    for (method, path), handler in API.items():
        app.add_api_route(
            path, _endpoint(f"{method} {path}", handler), methods=[method]
        )
    for (method, path), control in CONTROLS.items():
        app.add_api_route(path, _control(control), methods=[method])
    return app


def _lifespan(settings: SimulatorSettings) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        limits = httpx2.Limits(
            max_connections=settings.webhook_connections,
            max_keepalive_connections=settings.webhook_connections,
        )
        async with httpx2.AsyncClient(
            limits=limits, timeout=None, trust_env=False
        ) as client:
            app.state.exchange = Exchange(settings, client)
            yield
            await app.state.exchange.close()

    return lifespan


# Around every route of the API


def _endpoint(route: str, handler: Handler) -> Any:
    async def endpoint(request: Request) -> Response:
        exchange: Exchange = request.app.state.exchange
        raw = await request.body()
        outcome, response = await _answer(exchange, request, route, raw, handler)
        exchange.ledger.answered(route, outcome)
        return response

    return endpoint


async def _answer(
    exchange: Exchange, request: Request, route: str, raw: bytes, handler: Handler
) -> tuple[str, Response]:
    if exchange.desk.plan.down:
        return "reset", _reset(request)
    try:
        if not route.endswith("/control"):
            _authenticate(exchange, request)
        body = _json(raw)
        subject = _subject(route, request, body)
        fault = exchange.desk.for_request(route, subject)
        if fault is None:
            return _counted(await handler(exchange, request, body))
        return await _spoilt(exchange, request, body, handler, fault)
    except ApiError as error:
        return str(error.status), _refusal(error)


def _counted(response: Response) -> tuple[str, Response]:
    return str(response.status_code), response


def _authenticate(exchange: Exchange, request: Request) -> None:
    given = request.headers.get("authorization", "").encode()
    keys = exchange.settings.api_keys
    if not any(hmac.compare_digest(f"Bearer {key}".encode(), given) for key in keys):
        raise ApiError(HTTPStatus.UNAUTHORIZED, INVALID_KEY)


def _json(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, str(error)) from error


def _subject(route: str, request: Request, body: Any) -> str:
    if route != POST_CALL:
        return request.url.path
    customer = body.get("customer") if isinstance(body, dict) else None
    return str(customer.get("number")) if isinstance(customer, dict) else ""


# Faults


async def _spoilt(
    exchange: Exchange,
    request: Request,
    body: Any,
    handler: Handler,
    fault: ScriptedRequest,
) -> tuple[str, Response]:
    kind = fault.fault
    if kind is RequestFault.CONCURRENCY_BLOCKED:
        return _counted(await _create_call(exchange, request, body, blocked=True))
    if kind in REFUSALS:
        raise _refused(kind, exchange.desk.plan.retry_after_seconds)
    way, _, moment = kind.partition("_")
    if moment == "after":
        await handler(exchange, request, body)
    return await WAYS[way](request, fault)


def _refused(kind: RequestFault, retry_after: int) -> ApiError:
    status, message = REFUSALS[kind]
    error = ApiError(status, message)
    if kind is RequestFault.RATE_LIMITED_RETRY_AFTER:
        error.headers["Retry-After"] = str(retry_after)
    return error


async def _error(_request: Request, _fault: ScriptedRequest) -> tuple[str, Response]:
    raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error")


async def _given(_request: Request, fault: ScriptedRequest) -> tuple[str, Response]:
    raise ApiError(fault.status, fault.message)


async def _cut(request: Request, _fault: ScriptedRequest) -> tuple[str, Response]:
    return "reset", _reset(request)


async def _hang(request: Request, _fault: ScriptedRequest) -> tuple[str, Response]:
    _line(request).silent = True
    return "hang", NoAnswer()


async def _garbage(_request: Request, _fault: ScriptedRequest) -> tuple[str, Response]:
    page = "<html><body>upstream connect error</body></html>"
    return "garbage", Response(page, HTTPStatus.CREATED, media_type="text/html")


def _reset(request: Request) -> Response:
    _line(request).cut()
    return NoAnswer()


def _line(request: Request) -> Line:
    line: Line = request.scope[LINE]
    return line


WAYS = {
    "error": _error,
    "answer": _given,
    "reset": _cut,
    "hang": _hang,
    "garbage": _garbage,
}
REFUSALS = {
    RequestFault.RATE_LIMITED: (429, "Rate limit exceeded"),
    RequestFault.RATE_LIMITED_RETRY_AFTER: (429, "Rate limit exceeded"),
    RequestFault.OVER_CONCURRENCY: (400, "Over Concurrency Limit"),
    RequestFault.PAYMENT_REQUIRED: (
        402,
        "Your wallet balance is too low. Purchase more credits or upgrade your plan.",
    ),
}


# The API


async def _create_call(
    exchange: Exchange, _request: Request, body: Any, *, blocked: bool = False
) -> Response:
    created = await exchange.create(body, blocked=blocked)
    return _shown(created, HTTPStatus.CREATED)


async def _list_calls(exchange: Exchange, request: Request, _body: Any) -> Response:
    query = dict(request.query_params)
    limit, times = check_list_query(query)
    same = {k: v for k, v in query.items() if k in SAME}
    return _shown(exchange.list_calls(same, times, limit))


async def _get_call(exchange: Exchange, request: Request, _body: Any) -> Response:
    return _shown(exchange.get(_id(request)).shown(exchange.recordings))


async def _recording(exchange: Exchange, request: Request, _body: Any) -> Response:
    call = exchange.get(_id(request))
    if call.started_at is None or call.reported_at is None:
        raise ApiError(HTTPStatus.NOT_FOUND, "Recording not found")
    return RedirectResponse(exchange.recordings.signed(call.id), HTTPStatus.FOUND)


async def _control_call(exchange: Exchange, request: Request, body: Any) -> Response:
    if not isinstance(body, dict) or body.get("type") != "end-call":
        raise ApiError(HTTPStatus.BAD_REQUEST, ["type must be end-call"])
    exchange.hang_up(_id(request))
    return _shown({})


async def _list_assistants(
    exchange: Exchange, request: Request, _body: Any
) -> Response:
    limit, _ = check_list_query(dict(request.query_params))
    return _shown(list(exchange.assistants.values())[:limit])


async def _create_assistant(
    exchange: Exchange, _request: Request, body: Any
) -> Response:
    made = exchange.save_assistant(str(uuid4()), check_labels(body))
    return _shown(made, HTTPStatus.CREATED)


async def _get_assistant(exchange: Exchange, request: Request, _body: Any) -> Response:
    return _shown(exchange.assistant(_id(request)))


async def _change_assistant(
    exchange: Exchange, request: Request, body: Any
) -> Response:
    known = exchange.assistant(_id(request))
    return _shown(exchange.save_assistant(known["id"], check_labels(body)))


async def _delete_assistant(
    exchange: Exchange, request: Request, _body: Any
) -> Response:
    gone = exchange.assistant(_id(request))
    del exchange.assistants[gone["id"]]
    return _shown(gone)


async def _list_lines(exchange: Exchange, _request: Request, _body: Any) -> Response:
    return _shown(list(exchange.lines.values()))


async def _get_line(exchange: Exchange, request: Request, _body: Any) -> Response:
    return _shown(exchange.line(_id(request)))


SAME = ("id", "assistantId", "phoneNumberId")
API: dict[tuple[str, str], Handler] = {
    ("POST", "/call"): _create_call,
    ("GET", "/call"): _list_calls,
    ("GET", "/call/{id}"): _get_call,
    ("GET", "/call/{id}/mono-recording"): _recording,
    ("POST", "/{id}/control"): _control_call,
    ("GET", "/assistant"): _list_assistants,
    ("POST", "/assistant"): _create_assistant,
    ("GET", "/assistant/{id}"): _get_assistant,
    ("PATCH", "/assistant/{id}"): _change_assistant,
    ("DELETE", "/assistant/{id}"): _delete_assistant,
    ("GET", "/phone-number"): _list_lines,
    ("GET", "/phone-number/{id}"): _get_line,
}


# What only the simulator has; no key, no faults


def _control(handler: Callable[[Exchange, Request], Awaitable[Response]]) -> Any:
    async def endpoint(request: Request) -> Response:
        return await handler(request.app.state.exchange, request)

    return endpoint


async def _storage(exchange: Exchange, request: Request) -> Response:
    query = request.query_params
    name, expires = request.path_params["name"], query.get("X-Amz-Expires", "")
    if not exchange.recordings.opens(name, expires, query.get("X-Amz-Signature", "")):
        return _refusal(ApiError(HTTPStatus.FORBIDDEN, "Forbidden"))
    return Response(a_short_silence(), media_type="audio/wav")


async def _ledger(exchange: Exchange, request: Request) -> Response:
    """Show the ledger; `calls` and `timeout` wait until that many are all over."""
    query = request.query_params
    try:
        async with asyncio.timeout(float(query.get("timeout", "0"))):
            await exchange.ledger.wait_until_quiet(int(query.get("calls", "0")))
    except TimeoutError:
        pass
    return _shown(exchange.ledger.shown(exchange.recordings))


async def _get_faults(exchange: Exchange, _request: Request) -> Response:
    return _shown(PLANS.dump_python(exchange.desk.plan, mode="json"))


async def _put_faults(exchange: Exchange, request: Request) -> Response:
    try:
        plan = PLANS.validate_json(await request.body())
    except ValidationError as error:
        faults = [str(item["loc"]) + " " + item["msg"] for item in error.errors()]
        return _refusal(ApiError(HTTPStatus.BAD_REQUEST, faults))
    exchange.desk.replace(plan)
    return _shown(PLANS.dump_python(plan, mode="json"))


async def _do_reset(exchange: Exchange, _request: Request) -> Response:
    exchange.reset()
    return _shown({})


async def _health(exchange: Exchange, _request: Request) -> Response:
    return _shown({"live": exchange.ledger.live})


CONTROLS = {
    ("GET", "/storage/{name}"): _storage,
    ("GET", "/simulator/ledger"): _ledger,
    ("GET", "/simulator/faults"): _get_faults,
    ("PUT", "/simulator/faults"): _put_faults,
    ("POST", "/simulator/reset"): _do_reset,
    ("GET", "/simulator/health"): _health,
}


def _id(request: Request) -> str:
    return str(request.path_params["id"])


def _shown(content: object, status: int = HTTPStatus.OK) -> Response:
    body = orjson.dumps(content)
    return Response(body, status, media_type="application/json")


def _refusal(error: ApiError) -> Response:
    response = _shown(error.body(), error.status)
    response.headers.update(error.headers)
    return response
