"""What an answer to a request for a call means: the table of refusals.

`Unknown` is whatever does not prove that nobody is rung.
"""

import re
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
from provider.reading import read_call

LONGEST_WORDS = 500
MALFORMED = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
UNSETTLED = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT}
NO_CREDIT = {HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED}
NO_ACCOUNT = NO_CREDIT | {HTTPStatus.FORBIDDEN}

FULL = re.compile(r"concurren|rate.?limit|too many (calls|requests)", re.IGNORECASE)
SOON = re.compile(r"not now|try again|temporarily", re.IGNORECASE)
DAILY = re.compile(r"daily|per day", re.IGNORECASE)
CUSTOMER = re.compile(r"\bcustomer\b(?!.*should not exist)", re.IGNORECASE | re.DOTALL)
CUSTOMER_FIELD = re.compile(r"\bcustomer\.\w+(?!.*should not exist)", re.DOTALL)
ACCOUNT = re.compile(
    r"frozen|suspended|disabled|credit|wallet|balance|billing|payment|subscription"
    r"|upgrade your plan|daily|per day|invalid key"
    r"|(assistant|phone.?number)\b.{0,120}(not (be )?f(ou|i)nd|not exist|deleted|gone)"
    r"|couldn't (get|find) (the )?(assistant|phone number)",
    re.IGNORECASE | re.DOTALL,
)


def read_outcome(
    status: int, headers: Mapping[str, str], body: bytes, *, now: datetime
) -> Outcome:
    """Say what came of POST /call by its answer; `headers` take any spelling."""
    answer = parsed(body)
    said = words_of(status, answer, body)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return _accepted(answer, said, now)
    refusal = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if not refusal or status in UNSETTLED:
        return Unknown(said)
    if not isinstance(answer, dict):
        return _refused_by_status(status, headers, said, now)
    return _refused(status, headers, answer.get("message"), said, now)


def _accepted(answer: Any, said: str, now: datetime) -> Outcome:
    call_id = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(call_id, str) or not call_id:
        return Unknown(said)
    call, limits = read_call(answer), answer.get("subscriptionLimits")
    return Accepted(
        provider_call_id=call_id,
        placed_at=call.created_at if call else now,
        concurrency_blocked=isinstance(limits, dict)
        and limits.get("concurrencyBlocked") is True,
    )


def _refused(
    status: int, headers: Mapping[str, str], message: Any, said: str, now: datetime
) -> Outcome:
    if status in MALFORMED and _names_the_customer(message):
        return ContactRefused(said)
    if FULL.search(said) and not DAILY.search(said) and status not in NO_CREDIT:
        return NotNow(said, retry_after(headers, now))
    if ACCOUNT.search(said) or status == HTTPStatus.NOT_FOUND:
        return AccountRefused(said)
    if SOON.search(said) or status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotNow(said, retry_after(headers, now))
    return AccountRefused(said) if status in NO_ACCOUNT else RequestRefused(said)


def _refused_by_status(
    status: int, headers: Mapping[str, str], said: str, now: datetime
) -> Outcome:
    """Believe those statuses that are given before anything is done."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotNow(said, retry_after(headers, now))
    return AccountRefused(said) if status in NO_ACCOUNT else Unknown(said)


def _names_the_customer(message: Any) -> bool:
    """Validation texts come as a list; a plain sentence must name the field."""
    if isinstance(message, list):
        return any(CUSTOMER.search(text) for text in message if isinstance(text, str))
    return isinstance(message, str) and bool(CUSTOMER_FIELD.search(message))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that the provider asks to wait, where it names any."""
    named = {key.lower(): value.strip() for key, value in headers.items()}
    try:
        if "retry-after-ms" in named:
            return _wait(float(named["retry-after-ms"]) / 1000)
        return _wait(float(named["retry-after"]))
    except (KeyError, ValueError):
        return _until(named.get("retry-after", ""), now)


def _wait(seconds: float) -> float | None:
    return seconds if 0 <= seconds < float("inf") else None


def _until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)


def parsed(body: bytes) -> Any:
    """Return the JSON of a body, None for what is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def words_of(status: int, answer: Any, body: bytes) -> str:
    """Return the provider's own words, behind the status."""
    message = answer.get("message") if isinstance(answer, dict) else None
    if isinstance(message, list):
        message = "; ".join(str(text) for text in message)
    said = str(message) if message else body.decode(errors="replace")
    return f"{status}: {' '.join(said.split())}"[:LONGEST_WORDS]
