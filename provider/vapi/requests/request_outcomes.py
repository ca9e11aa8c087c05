"""Interprets the answer to a request for a call (POST /call).

The outcome is `Unknown` unless the answer proves that the call was accepted or refused.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import orjson

from application.ports import (
    Accepted,
    AccountRefused,
    ContactRefused,
    NotNow,
    Outcome,
    RequestRefused,
    Unknown,
)
from domain.values import Refusal, RefusalKind
from provider.vapi.messages.reading import read_call
from provider.vapi.refusals import refusal_of_answer, refusal_of_status

LONGEST_TEXT = 500
UNSETTLED = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT}
BELIEVED = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.PAYMENT_REQUIRED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS,
}
"""Statuses that prove a refusal, whatever the body: they precede any action."""

SHORTEST_WAIT, LONGEST_WAIT = 1.0, 900.0
"""Bounds in seconds for `Retry-After`: a wrong clock must not stop a line for long."""


def read_outcome(
    status: int, headers: Mapping[str, str], body: bytes, *, now: datetime
) -> Outcome:
    """Return the outcome of POST /call; names of `headers` may be in any case."""
    answer = parsed(body)
    text = answer_text(status, answer, body)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return _accepted(answer, text, now)
    refusal = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if not refusal or status in UNSETTLED:
        return Unknown(text)
    if isinstance(answer, dict):
        found = refusal_of_answer(status, answer.get("message"), text)
    elif status in BELIEVED:
        found = refusal_of_status(status)
    else:
        return Unknown(text)
    return _refused(found, headers, text, now)


def _accepted(answer: Any, text: str, now: datetime) -> Outcome:
    call_id = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(call_id, str) or not call_id:
        return Unknown(text)
    call, limits = read_call(answer), answer.get("subscriptionLimits")
    return Accepted(
        provider_call_id=call_id,
        placed_at=call.created_at if call else now,
        concurrency_blocked=isinstance(limits, dict)
        and limits.get("concurrencyBlocked") is True,
    )


def _refused(
    refusal: Refusal, headers: Mapping[str, str], text: str, now: datetime
) -> Outcome:
    match refusal.kind:
        case RefusalKind.CAPACITY:
            return NotNow(text, retry_after(headers, now), rule=refusal.rule)
        case RefusalKind.ACCOUNT:
            return AccountRefused(text, refusal.scope, rule=refusal.rule)
        case RefusalKind.CONTACT:
            return ContactRefused(text, rule=refusal.rule)
        case RefusalKind.PLATFORM:
            return RequestRefused(text, rule=refusal.rule)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that the provider asks to wait, limited to 1 s to 15 min.

    Reads `retry-after-ms`, and `Retry-After` in seconds or as an HTTP date (RFC 9110,
    10.2.3). None if neither header can be read.
    """
    named = {key.lower(): value.strip() for key, value in headers.items()}
    asked = _number(named.get("retry-after-ms"))
    if asked is not None:
        asked /= 1000
    else:
        asked = _number(named.get("retry-after"))
    if asked is None:
        asked = _until(named.get("retry-after", ""), now)
    return None if asked is None else min(max(asked, SHORTEST_WAIT), LONGEST_WAIT)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()


def parsed(body: bytes) -> Any:
    """Return the decoded JSON of a body; None if it is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def answer_text(status: int, answer: Any, body: bytes) -> str:
    """Return the status and the provider's message, up to LONGEST_TEXT characters."""
    message = answer.get("message") if isinstance(answer, dict) else None
    if isinstance(message, list):
        message = "; ".join(str(text) for text in message)
    text = str(message) if message else body.decode(errors="replace")
    return f"{status}: {' '.join(text.split())}"[:LONGEST_TEXT]


def error_text(error: Exception) -> str:
    """Return the error of a request that got no answer, in one short line."""
    return f"{type(error).__name__}: {error}"[:LONGEST_TEXT]
