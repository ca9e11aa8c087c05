from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from application.ports import (
    Accepted,
    AccountRefused,
    ContactRefused,
    NotNow,
    RequestRefused,
    Unknown,
)
from provider.vapi.requests.request_outcomes import LONGEST_TEXT, read_outcome

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
CREATED = datetime(2026, 11, 22, 11, 59, 58, tzinfo=UTC)
NUMBER = "customer.number must be a valid phone number in the E.164 format."


def outcome(
    status: int, message: Any = "", headers: dict[str, str] | None = None
) -> Any:
    body = orjson.dumps({"message": message, "statusCode": status})
    return read_outcome(status, headers or {}, body, now=NOW)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (429, "Rate limit exceeded", NotNow),
        (429, "ThrottlerException: Too Many Requests", NotNow),
        (429, "", NotNow),
        (400, "Over Concurrency Limit", NotNow),
        (403, "Over Concurrency Limit. Upgrade your plan.", NotNow),
        (404, "Over Concurrency Limit", NotNow),
        (400, "Not now, try again later.", NotNow),
        (400, [NUMBER], ContactRefused),
        (422, ["customer.name must be shorter than 40 characters"], ContactRefused),
        (400, "customer.number is on the national blocklist", ContactRefused),
        (401, "Invalid Key. Hot tip, ...", AccountRefused),
        (402, "Your wallet balance is too low.", AccountRefused),
        (403, "Forbidden resource", AccountRefused),
        (400, "Your subscription is frozen", AccountRefused),
        (400, "Not enough credits.", AccountRefused),
        (429, "Numbers bought on Vapi have a daily outbound limit", AccountRefused),
        (400, "Rate limit of your number: 10 calls per day", AccountRefused),
        (404, "Not found", AccountRefused),
        (
            400,
            "Couldn't Get Phone Number. `phoneNumberId` 7 Does Not Exist.",
            AccountRefused,
        ),
        (400, "assistant 8a1e was not found", AccountRefused),
        (400, ["property foo should not exist"], RequestRefused),
        (400, ["customer.property foo should not exist"], RequestRefused),
        (400, ["assistantOverrides.server.url must be a URL"], RequestRefused),
        (413, "request entity too large", RequestRefused),
        (400, "We lost a customer once", RequestRefused),
        (408, "Request Timeout", Unknown),
        (409, "Conflict", Unknown),
        (500, NUMBER, Unknown),
        (503, "Over Concurrency Limit", Unknown),
        (302, "Found", Unknown),
    ],
)
def test_each_answer_has_one_outcome(status: int, message: Any, kind: type) -> None:
    assert type(outcome(status, message)) is kind


def test_an_accepted_call_has_the_providers_id_and_time() -> None:
    body = orjson.dumps({"id": "call-1", "createdAt": "2026-11-22T11:59:58.000Z"})
    assert read_outcome(201, {}, body, now=NOW) == Accepted("call-1", CREATED)


def test_a_call_that_waits_for_a_slot_is_accepted() -> None:
    limits = {"concurrencyBlocked": True}
    body = orjson.dumps({"id": "call-1", "subscriptionLimits": limits})
    expected = Accepted("call-1", NOW, concurrency_blocked=True)
    assert read_outcome(201, {}, body, now=NOW) == expected


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"id": 7}', b"null"])
@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_without_a_call_id_is_unknown(status: int, body: bytes) -> None:
    assert isinstance(read_outcome(status, {}, body, now=NOW), Unknown)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Unknown), (404, Unknown), (429, NotNow), (401, AccountRefused)],
)
def test_an_answer_that_is_not_json_proves_a_refusal_for_few_statuses(
    status: int, kind: type
) -> None:
    assert type(read_outcome(status, {}, b"<html>No</html>", now=NOW)) is kind


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 1.0),
        ({"Retry-After": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"Retry-After": "Sun, 22 Nov 2026 11:00:00 GMT"}, 1.0),
        ({"Retry-After": "Sun, 22 Nov 2026 23:00:00 GMT"}, 900.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "86400"}, 900.0),
        ({"retry-after-ms": "5000"}, 5.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "-1"}, None),
        ({}, None),
    ],
)
def test_the_requested_wait_is_limited_to_1_s_to_15_min(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert outcome(429, "Rate limit exceeded", headers).retry_after == seconds


def test_the_providers_message_is_kept_up_to_a_limit() -> None:
    assert outcome(400, [NUMBER, "and more"]).text == f"400: {NUMBER}; and more"
    assert len(outcome(400, "x" * 9000).text) == LONGEST_TEXT
