"""Faulty answers to requests, according to the fault plan."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import Request, Response

from provider.simulator.api.answers import NoAnswer, line_of, reset
from provider.simulator.faults.fault_plan import RequestFault, ScriptedRequest
from provider.simulator.validation import ApiError

type Outcome = tuple[str, Response]
type Act = Callable[[], Awaitable[Response]]


async def faulty_answer(
    request: Request, act: Act, fault: ScriptedRequest, retry_after: int
) -> Outcome:
    """Give a faulty answer, before or after acting; return its name for the ledger.

    Raises ApiError if the faulty answer is an error of the API.
    """
    kind = fault.fault
    if kind in REFUSALS:
        raise _refused(kind, retry_after)
    way, _, moment = kind.partition("_")
    if moment == "after":
        await act()
    return await WAYS[way](request, fault)


def _refused(kind: RequestFault, retry_after: int) -> ApiError:
    status, message = REFUSALS[kind]
    error = ApiError(status, message)
    if kind is RequestFault.RATE_LIMITED_RETRY_AFTER:
        error.headers["Retry-After"] = str(retry_after)
    return error


async def _error(_request: Request, _fault: ScriptedRequest) -> Outcome:
    raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error")


async def _given(_request: Request, fault: ScriptedRequest) -> Outcome:
    raise ApiError(fault.status, fault.message)


async def _cut(request: Request, _fault: ScriptedRequest) -> Outcome:
    return "reset", reset(request)


async def _hang(request: Request, _fault: ScriptedRequest) -> Outcome:
    line_of(request).silent = True
    return "hang", NoAnswer()


async def _garbage(_request: Request, _fault: ScriptedRequest) -> Outcome:
    page = "<html><body>upstream connect error</body></html>"
    return "garbage", Response(page, HTTPStatus.CREATED, media_type="text/html")


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
    RequestFault.RATE_LIMIT_STORM: (429, "Rate limit exceeded"),
    RequestFault.OVER_CONCURRENCY: (400, "Over Concurrency Limit"),
    RequestFault.PAYMENT_REQUIRED: (
        402,
        "Your wallet balance is too low. Purchase more credits or upgrade your plan.",
    ),
}
