"""Validation of requests, with the texts of NestJS, the provider's framework."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

E164 = re.compile(r"\+[1-9]\d{6,14}")
NUMBER_TEXT = (
    "customer.number must be a valid phone number in the E.164 format. "
    "Hot tip, you may be missing the country code (Eg. US: +1)."
)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CALL_PROPERTIES = _names(
    "assistant assistantId assistantOverrides assistantVersion customer customerId"
    " customers name phoneNumber phoneNumberId schedulePlan squad squadId"
    " squadOverrides squadVersion transport workflow workflowId"
    " workflowOverrides"
)
CUSTOMER_PROPERTIES = _names(
    "assistantOverrides email extension externalId name number"
    " numberE164CheckEnabled sipUri squadOverrides"
)
OVERRIDE_PROPERTIES = _names(
    "analysisPlan artifactPlan backgroundSound backgroundSpeechDenoisingPlan"
    " clientMessages compliancePlan credentialIds credentials endCallMessage"
    " endCallPhrases firstMessage firstMessageInterruptionsEnabled firstMessageMode"
    " hooks keypadInputPlan maxDurationSeconds metadata model"
    " modelOutputInMessagesEnabled monitorPlan name observabilityPlan server"
    " serverMessages startSpeakingPlan stopSpeakingPlan tools:append transcriber"
    " transportConfigurations variableValues voice voicemailDetection"
    " voicemailMessage"
)
SERVER_PROPERTIES = _names(
    "backoffPlan credentialId encryptedPaths headers secret"
    " staticIpAddressesEnabled timeoutSeconds url"
)
BACKOFF_PROPERTIES = frozenset(
    ["baseDelaySeconds", "excludedStatusCodes", "maxRetries", "type"]
)
SERVER_MESSAGES = _names(
    "assistant.started assistant.speechStarted conversation-update"
    " end-of-call-report function-call hang language-changed"
    " language-change-detected model-output phone-call-control speech-update"
    ' status-update transcript transcript[transcriptType="final"] tool-calls'
    " transfer-destination-request handoff-destination-request transfer-update"
    " user-interrupted voice-input chat.created chat.deleted session.created"
    " session.updated session.deleted call.deleted call.delete.failed"
    " call.artifact.upload"
)
TIME_FILTERS = frozenset(
    f"{field}{suffix}"
    for field in ("createdAt", "updatedAt")
    for suffix in ("Gt", "Lt", "Ge", "Le")
)
LIST_FILTERS = TIME_FILTERS | {"id", "assistantId", "phoneNumberId", "limit"}
LONGEST_LABEL = 40
LONGEST_EXTENSION = 10
LARGEST_PAGE = 1000


class ApiError(Exception):
    """An answer of the API that is not a success."""

    def __init__(self, status: int, message: str | list[str]) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.headers: dict[str, str] = {}

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        return {
            "message": self.message,
            "error": HTTPStatus(self.status).phrase,
            "statusCode": self.status,
        }


def check_call(request: object) -> dict[str, Any]:
    """Return the body of POST /call; raises ApiError 400 with all faults in it."""
    body = _object(request)
    refuse(_call_faults(body))
    return body


def refuse(faults: Iterable[str]) -> None:
    """Raise ApiError 400 with the faults as an array, if there are any."""
    if found := list(faults):
        raise ApiError(HTTPStatus.BAD_REQUEST, found)


def check_labels(request: object) -> dict[str, Any]:
    """Return the body of an assistant; raise ApiError 400 for a name too long."""
    body = _object(request)
    refuse(_too_long(body, ("name",), ""))
    return body


def check_tool(request: object) -> dict[str, Any]:
    """Return the body of a tool; raise ApiError 400 for a function without a name."""
    body = _object(request)
    function = body.get("function")
    named = isinstance(function, dict) and bool(function.get("name"))
    if body.get("type") == "function" and not named:
        refuse(["function.name must be a string"])
    if not body.get("type"):
        refuse(["type must be one of the following values: function, ..."])
    return body


def check_list_query(query: Mapping[str, str]) -> tuple[int, dict[str, datetime]]:
    """Return limit and time filters; raises ApiError 400 for unknown parameters."""
    refuse(_unknown(query, LIST_FILTERS, ""))
    return _limit(query.get("limit", "100")), {
        key: _time(key, value) for key, value in query.items() if key in TIME_FILTERS
    }


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ApiError(HTTPStatus.BAD_REQUEST, ["body must be an object"])
    return value


def _call_faults(body: dict[str, Any]) -> Iterator[str]:
    yield from _unknown(body, CALL_PROPERTIES, "")
    yield from _too_long(body, ("name",), "")
    yield from _ids(body)
    yield from _nested(body, "customer", _customer_faults, required=True)
    yield from _nested(body, "assistantOverrides", _override_faults)


def _ids(body: dict[str, Any]) -> Iterator[str]:
    for key in ("assistantId", "phoneNumberId"):
        if not isinstance(body.get(key, ""), str):
            yield f"{key} must be a UUID"


def _nested(
    body: dict[str, Any],
    key: str,
    check: Callable[[dict[str, Any]], Iterator[str]],
    *,
    required: bool = False,
) -> Iterator[str]:
    value = body.get(key)
    if isinstance(value, dict):
        yield from check(value)
    elif required or value is not None:
        yield f"{key} must be an object"


def _customer_faults(customer: dict[str, Any]) -> Iterator[str]:
    yield from _unknown(customer, CUSTOMER_PROPERTIES, "customer.")
    yield from _too_long(customer, ("name", "email", "externalId"), "customer.")
    number = customer.get("number")
    lenient = customer.get("numberE164CheckEnabled") is False
    pattern = re.compile(r"\+?[A-Za-z0-9]{3,40}") if lenient else E164
    if not isinstance(number, str) or not pattern.fullmatch(number):
        yield NUMBER_TEXT
    extension = customer.get("extension", "")
    if not isinstance(extension, str) or len(extension) > LONGEST_EXTENSION:
        limit = f"shorter than or equal to {LONGEST_EXTENSION} characters"
        yield f"customer.extension must be {limit}"


def _override_faults(overrides: dict[str, Any]) -> Iterator[str]:
    prefix = "assistantOverrides."
    yield from _unknown(overrides, OVERRIDE_PROPERTIES, prefix)
    yield from _too_long(overrides, ("name",), prefix)
    for key in ("metadata", "variableValues"):
        if not isinstance(overrides.get(key, {}), dict):
            yield f"{prefix}{key} must be an object"
    if any(item not in SERVER_MESSAGES for item in _items(overrides)):
        yield f"each value in {prefix}serverMessages must be one of its enum values"
    yield from _out_of(overrides, "maxDurationSeconds", (10, 43200), prefix)
    yield from _nested(overrides, "server", _server_faults)


def _items(overrides: dict[str, Any]) -> list[Any]:
    listed = overrides.get("serverMessages", [])
    return listed if isinstance(listed, list) else [listed]


def _server_faults(server: dict[str, Any]) -> Iterator[str]:
    prefix = "assistantOverrides.server."
    yield from _unknown(server, SERVER_PROPERTIES, prefix)
    yield from _out_of(server, "timeoutSeconds", (1, 300), prefix)
    backoff = server.get("backoffPlan") or {}
    yield from _unknown(backoff, BACKOFF_PROPERTIES, f"{prefix}backoffPlan.")
    for key in ("maxRetries", "baseDelaySeconds"):
        yield from _out_of(backoff, key, (0, 10), f"{prefix}backoffPlan.")


def _unknown(
    body: Mapping[str, Any], known: frozenset[str], prefix: str
) -> Iterator[str]:
    for key in body:
        if key not in known:
            yield f"{prefix}property {key} should not exist"


def _too_long(
    body: dict[str, Any], keys: tuple[str, ...], prefix: str
) -> Iterator[str]:
    for key in keys:
        value = body.get(key)
        if value is None:
            continue
        if not isinstance(value, str) or len(value) > LONGEST_LABEL:
            limit = f"shorter than or equal to {LONGEST_LABEL} characters"
            yield f"{prefix}{key} must be {limit}"


def _out_of(
    body: dict[str, Any], key: str, span: tuple[int, int], prefix: str
) -> Iterator[str]:
    value, (least, most) = body.get(key), span
    if value is None:
        return
    if not isinstance(value, int | float) or not least <= value <= most:
        yield f"{prefix}{key} must be between {least} and {most}"


def _limit(text: str) -> int:
    try:
        limit = int(float(text))
    except ValueError:
        limit = -1
    if not 0 <= limit <= LARGEST_PAGE:
        raise ApiError(
            HTTPStatus.BAD_REQUEST, [f"limit must be between 0 and {LARGEST_PAGE}"]
        )
    return limit


def _time(key: str, text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        fault = f"{key} must be a valid ISO 8601 date string"
        raise ApiError(HTTPStatus.BAD_REQUEST, [fault]) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
