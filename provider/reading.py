"""The provider's messages and documents, read into the port's words.

The same fact stands at several depths, in several spellings, and may be missing:
nothing here raises for what the provider sends. All is read from the redacted
document, so that reading a stored one again gives the same.
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from application.ports import CallReport, Origin, ProviderCall, ProviderMessage
from application.vault import canonical
from provider.redaction import redact

REPORT = "end-of-call-report"
STATUS_UPDATE = "status-update"
UNKNOWN = "unknown"

LONGEST_WORD = 200
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
LONGEST_CALL_SECONDS = 10_000_000
COST_LIMIT = 1_000_000

RECORDINGS = (
    ("artifact", "recording", "mono", "combinedUrl"),
    ("artifact", "recordingUrl"),
    ("recordingUrl",),
)
MESSAGES = (("artifact", "messages"), ("messages",))
TRANSCRIPTS = (("artifact", "transcript"), ("transcript",))


def read_message(body: dict[str, Any]) -> ProviderMessage:
    """Read a webhook's body. What is no message has the type "unknown"."""
    document = redact(body)
    message = _object(document.get("message"))
    call = _object(message.get("call"))
    kind = _word(message.get("type")) or UNKNOWN
    # Other types have a status as well, and `call.status` is a stale copy.
    updated = kind == STATUS_UPDATE
    status = _word(message.get("status")) if updated else None
    return ProviderMessage(
        key=_key(kind, status, call, document),
        type=kind,
        provider_call_id=_word(call.get("id")),
        call_id=_our_call_id(call),
        created_at=_time(call.get("createdAt")),
        said_at=_time(message.get("timestamp")),
        status=status,
        ended_reason=_word(message.get("endedReason")) if status == "ended" else None,
        report=read_report(message) if kind == REPORT else None,
        document=document,
    )


def read_call(document: dict[str, Any]) -> ProviderCall | None:
    """Read a call as GET /call shows it; None for what is no call at all."""
    document = redact(document)
    provider_call_id = _word(document.get("id"))
    created_at = _first_time(document, ("createdAt", "updatedAt", "startedAt"))
    if provider_call_id is None or created_at is None:
        return None
    return ProviderCall(
        provider_call_id=provider_call_id,
        status=_word(document.get("status")) or UNKNOWN,
        created_at=created_at,
        call_id=_our_call_id(document),
        report=read_report(document),
        document=document,
        origin=_origin(document),
    )


def read_report(document: dict[str, Any]) -> CallReport:
    """Read what a call came to, from a report or from the call itself."""
    return CallReport(
        ended_reason=_word(document.get("endedReason")),
        started_at=_time(document.get("startedAt")),
        ended_at=_time(document.get("endedAt")),
        duration_seconds=_duration(document),
        cost=_cost(document.get("cost")),
        recording_url=_first_text(document, RECORDINGS),
        transcript=_first_list(document, MESSAGES)
        or _first_text(document, TRANSCRIPTS),
        has_artifact=any(_object(document.get("artifact")).values()),
    )


def _key(
    kind: str, status: str | None, call: dict[str, Any], document: dict[str, Any]
) -> str:
    """Tell what a repeat has in common with the first; bodies have no id.

    A second call at the provider under our id repeats nothing of the first one.
    """
    call_id = _word(call.get("id")) or "none"
    if kind == REPORT:
        return f"{kind}:{call_id}"
    if status is not None:
        return f"{kind}:{status}:{call_id}"
    return f"{kind}:{call_id}:{sha256(canonical(document)).hexdigest()}"


def _our_call_id(call: dict[str, Any]) -> UUID | None:
    named = _uuid(_metadata(call).get("autolynx_call_id"))
    return named or _uuid(call.get("name"))


def _origin(call: dict[str, Any]) -> Origin | None:
    metadata = _metadata(call)
    campaign_id = _uuid(metadata.get("autolynx_campaign_id"))
    contact_id = _uuid(metadata.get("autolynx_contact_id"))
    attempt = _number(metadata.get("attempt"))
    if campaign_id is None or contact_id is None or attempt is None:
        return None
    return Origin(campaign_id, contact_id, attempt=int(attempt))


def _metadata(call: dict[str, Any]) -> dict[str, Any]:
    return _object(_object(call.get("assistantOverrides")).get("metadata"))


def _duration(document: dict[str, Any]) -> int | None:
    """Return whole seconds, from whichever of the three ways they are told."""
    seconds = _number(document.get("durationSeconds"))
    milliseconds = _number(document.get("durationMs"))
    if seconds is None and milliseconds is not None:
        seconds = milliseconds / 1000
    if seconds is None:
        seconds = _between(document.get("startedAt"), document.get("endedAt"))
    if seconds is None or not 0 <= seconds <= LONGEST_CALL_SECONDS:
        return None
    return math.floor(seconds + 0.5)


def _between(start: Any, end: Any) -> float | None:
    started, ended = _time(start), _time(end)
    return (ended - started).total_seconds() if started and ended else None


def _cost(value: Any) -> Decimal | None:
    """Return dollars by the digits that were sent, not by the binary number."""
    number = _number(value)
    if number is None or not 0 <= number < COST_LIMIT:
        return None
    return Decimal(str(number))


def _number(value: Any) -> int | float | None:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return value if numeric and math.isfinite(value) else None


def _time(value: Any) -> datetime | None:
    """Read milliseconds since 1970 or ISO 8601; None for what is no time of ours."""
    try:
        if isinstance(value, str):
            time = _aware(datetime.fromisoformat(value))
        elif (number := _number(value)) is not None:
            time = datetime.fromtimestamp(number / 1000, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return time if EARLIEST <= time < LATEST else None


def _aware(time: datetime) -> datetime:
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    return time.astimezone(UTC)


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _word(value: Any) -> str | None:
    return value[:LONGEST_WORD] or None if isinstance(value, str) else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _at(document: Any, path: Iterable[str]) -> Any:
    for key in path:
        document = _object(document).get(key)
    return document


def _first_time(document: dict[str, Any], keys: Iterable[str]) -> datetime | None:
    times = (_time(document.get(key)) for key in keys)
    return next((time for time in times if time), None)


def _first_text(
    document: dict[str, Any], paths: Iterable[tuple[str, ...]]
) -> str | None:
    found = (_at(document, path) for path in paths)
    return next((text for text in found if isinstance(text, str) and text), None)


def _first_list(
    document: dict[str, Any], paths: Iterable[tuple[str, ...]]
) -> list[Any] | None:
    found = (_at(document, path) for path in paths)
    return next((items for items in found if isinstance(items, list) and items), None)
