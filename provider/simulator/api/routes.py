"""The HTTP API: authenticates requests, applies faults, and calls the exchange."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx2
import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError

from provider.simulator.api.answers import as_json, refusal, reset
from provider.simulator.api.faulty_answers import Outcome, faulty_answer
from provider.simulator.calls.outcomes import shown
from provider.simulator.calls.recordings import some_silence
from provider.simulator.exchange import Exchange
from provider.simulator.faults.fault_plan import (
    POST_CALL,
    FaultPlan,
    RequestFault,
)
from provider.simulator.settings import SimulatorSettings
from provider.simulator.validation import (
    ApiError,
    check_labels,
    check_list_query,
    check_tool,
)

INVALID_KEY = (
    "Invalid Key. Hot tip, you may be using the private key instead of the public "
    "key, or vice versa."
)
PLANS = TypeAdapter(FaultPlan)

type Handler = Callable[[Exchange, Request, Any], Awaitable[Response]]


def build_app(settings: SimulatorSettings) -> FastAPI:
    """Build the application; its state exists from start-up to shutdown."""
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
) -> Outcome:
    if exchange.desk.plan.down:
        return "reset", reset(request)
    try:
        if not route.endswith("/control"):
            _authenticate(exchange, request)
        body = _json(raw)
        subject = _subject(route, request, body)
        fault = exchange.desk.for_request(route, subject)
        if fault and fault.fault is RequestFault.CONCURRENCY_BLOCKED:
            handler, fault = _create_blocked_call, None
        act = partial(handler, exchange, request, body)
        if fault is None:
            return _counted(await act())
        wait = exchange.desk.plan.retry_after_seconds
        return await faulty_answer(request, act, fault, wait)
    except ApiError as error:
        return str(error.status), refusal(error)


def _counted(response: Response) -> Outcome:
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


# The API


async def _create_call(exchange: Exchange, _request: Request, body: Any) -> Response:
    return as_json(await exchange.create(body), HTTPStatus.CREATED)


async def _create_blocked_call(
    exchange: Exchange, _request: Request, body: Any
) -> Response:
    created = await exchange.create(body, blocked=True)
    return as_json(created, HTTPStatus.CREATED)


async def _list_calls(exchange: Exchange, request: Request, _body: Any) -> Response:
    query = dict(request.query_params)
    limit, times = check_list_query(query)
    same = {k: v for k, v in query.items() if k in SAME}
    return as_json(exchange.list_calls(same, times, limit))


async def _get_call(exchange: Exchange, request: Request, _body: Any) -> Response:
    return as_json(shown(exchange.get(_id(request)), exchange.recordings))


async def _recording(exchange: Exchange, request: Request, _body: Any) -> Response:
    call = exchange.get(_id(request))
    if call.started_at is None or call.reported_at is None:
        raise ApiError(HTTPStatus.NOT_FOUND, "Recording not found")
    return RedirectResponse(exchange.recordings.signed(call.id), HTTPStatus.FOUND)


async def _control_call(exchange: Exchange, request: Request, body: Any) -> Response:
    if not isinstance(body, dict) or body.get("type") != "end-call":
        raise ApiError(HTTPStatus.BAD_REQUEST, ["type must be end-call"])
    exchange.hang_up(_id(request))
    return as_json({})


async def _list_assistants(
    exchange: Exchange, request: Request, _body: Any
) -> Response:
    limit, _ = check_list_query(dict(request.query_params))
    return as_json(list(exchange.assistants.values())[:limit])


async def _create_assistant(
    exchange: Exchange, _request: Request, body: Any
) -> Response:
    made = exchange.save_assistant(str(uuid4()), check_labels(body))
    return as_json(made, HTTPStatus.CREATED)


async def _get_assistant(exchange: Exchange, request: Request, _body: Any) -> Response:
    return as_json(exchange.assistant(_id(request)))


async def _change_assistant(
    exchange: Exchange, request: Request, body: Any
) -> Response:
    known = exchange.assistant(_id(request))
    return as_json(exchange.save_assistant(known["id"], check_labels(body)))


async def _delete_assistant(
    exchange: Exchange, request: Request, _body: Any
) -> Response:
    gone = exchange.assistant(_id(request))
    del exchange.assistants[gone["id"]]
    return as_json(gone)


async def _list_tools(exchange: Exchange, request: Request, _body: Any) -> Response:
    limit, _ = check_list_query(dict(request.query_params))
    return as_json(list(exchange.tools.values())[:limit])


async def _create_tool(exchange: Exchange, _request: Request, body: Any) -> Response:
    made = exchange.save_tool(str(uuid4()), check_tool(body))
    return as_json(made, HTTPStatus.CREATED)


async def _get_tool(exchange: Exchange, request: Request, _body: Any) -> Response:
    return as_json(exchange.tool(_id(request)))


async def _change_tool(exchange: Exchange, request: Request, body: Any) -> Response:
    known = exchange.tool(_id(request))
    changed = check_tool({"type": known["type"], **body})
    return as_json(exchange.save_tool(known["id"], changed))


async def _list_lines(exchange: Exchange, _request: Request, _body: Any) -> Response:
    return as_json(list(exchange.open_lines().values()))


async def _get_line(exchange: Exchange, request: Request, _body: Any) -> Response:
    return as_json(exchange.line(_id(request)))


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
    ("GET", "/tool"): _list_tools,
    ("POST", "/tool"): _create_tool,
    ("GET", "/tool/{id}"): _get_tool,
    ("PATCH", "/tool/{id}"): _change_tool,
    ("GET", "/phone-number"): _list_lines,
    ("GET", "/phone-number/{id}"): _get_line,
}


# Routes that only the simulator has: without a key, never faulty


def _control(handler: Callable[[Exchange, Request], Awaitable[Response]]) -> Any:
    async def endpoint(request: Request) -> Response:
        return await handler(request.app.state.exchange, request)

    return endpoint


async def _storage(exchange: Exchange, request: Request) -> Response:
    query = request.query_params
    name, expires = request.path_params["name"], query.get("X-Amz-Expires", "")
    if not exchange.recordings.opens(name, expires, query.get("X-Amz-Signature", "")):
        return refusal(ApiError(HTTPStatus.FORBIDDEN, "Forbidden"))
    return Response(some_silence(), media_type="audio/wav")


async def _ledger(exchange: Exchange, request: Request) -> Response:
    """Show the ledger; `calls` and `timeout` wait until that many are all over."""
    query = request.query_params
    try:
        async with asyncio.timeout(float(query.get("timeout", "0"))):
            await exchange.ledger.wait_until_quiet(int(query.get("calls", "0")))
    except TimeoutError:
        pass
    return as_json(exchange.ledger.shown(exchange.recordings))


async def _get_faults(exchange: Exchange, _request: Request) -> Response:
    return as_json(PLANS.dump_python(exchange.desk.plan, mode="json"))


async def _put_faults(exchange: Exchange, request: Request) -> Response:
    try:
        plan = PLANS.validate_json(await request.body())
    except ValidationError as error:
        faults = [str(item["loc"]) + " " + item["msg"] for item in error.errors()]
        return refusal(ApiError(HTTPStatus.BAD_REQUEST, faults))
    exchange.desk.replace(plan)
    return as_json(PLANS.dump_python(plan, mode="json"))


async def _do_reset(exchange: Exchange, _request: Request) -> Response:
    exchange.reset()
    return as_json({})


async def _health(exchange: Exchange, _request: Request) -> Response:
    return as_json({"live": exchange.ledger.live})


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
