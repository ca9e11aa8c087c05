"""Translates the provider's messages and documents into the port's types.

The provider puts the same value at several depths and in several forms, or leaves it
out; nothing here raises for any content. Everything is read from the redacted document,
so that a stored document gives the same result again.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from application.ports import CallPhase, Origin, ProviderCall, ProviderMessage, ToolCall
from application.vault import canonical
from domain.calls.recording_url import RecordingUrls
from provider.vapi.messages.outcomes import EndedCall, outcome_of
from provider.vapi.messages.reports import (
    PUBLIC_RECORDINGS,
    ended_message,
    ended_reason,
    first_time,
    number,
    read_report,
    reason_detail,
    time,
    word,
)
from provider.vapi.messages.tool_calls import TOOL_CALLS, read_phone, read_tool_calls
from provider.vapi.redaction import redact
from provider.vapi.refusals import refusal_of_reason

REPORT = "end-of-call-report"
STATUS_UPDATE = "status-update"
UNKNOWN = "unknown"

REPEATED = frozenset({"call", "timestamp"})
"""Keys that differ between two deliveries of a report, or equal in all reports."""

PHASES = {
    "scheduled": CallPhase.SCHEDULED,
    "queued": CallPhase.QUEUED,
    "ringing": CallPhase.RINGING,
    "in-progress": CallPhase.ANSWERED,
    "forwarding": CallPhase.TRANSFERRED,
    "ended": CallPhase.ENDED,
}
"""Vapi's call statuses that are phases of a call; there are others (not-found)."""

READ_FROM_CALL = ("endedReason", "startedAt", "endedAt")
EMPTY: tuple[Any, ...] = (None, "", [], {})
CONTAINERS = frozenset({dict, list})


def read_message(
    body: dict[str, Any], *, recordings: RecordingUrls = PUBLIC_RECORDINGS
) -> ProviderMessage:
    """Read the body of a webhook; any other content gets the type "unknown".

    A report's recording URL is dropped unless `recordings` accepts it.
    """
    document = redact(body)
    message = _object(document.get("message"))
    call = _object(message.get("call"))
    kind = word(message.get("type")) or UNKNOWN
    # Other types have a status as well, and `call.status` is a stale copy.
    updated = kind == STATUS_UPDATE
    status = word(message.get("status")) if updated else None
    reason = ended_reason(message, call) if status == "ended" else None
    explanation = ended_message(message, call) if status == "ended" else None
    refusal = refusal_of_reason(reason, explanation)
    tool_calls = read_tool_calls(message) if kind == TOOL_CALLS else ()
    return ProviderMessage(
        key=(
            _key_of_tool_calls(call, tool_calls)
            if tool_calls
            else _key(kind, status, reason, document)
        ),
        type=kind,
        provider_call_id=word(call.get("id")),
        call_id=_our_call_id(call),
        created_at=time(call.get("createdAt")),
        sent_at=time(message.get("timestamp")),
        phase=PHASES.get(status or ""),
        ended_reason=reason,
        ended_message=explanation,
        refusal=refusal,
        outcome=outcome_of(EndedCall(reason=reason, refusal=refusal)),
        reason_detail=reason_detail(reason),
        report=(
            read_report(message, call, recordings=recordings)
            if kind == REPORT
            else None
        ),
        document=document,
        tool_calls=tool_calls,
        phone=read_phone(message, call) if tool_calls else None,
    )


def read_call(
    document: dict[str, Any], *, recordings: RecordingUrls = PUBLIC_RECORDINGS
) -> ProviderCall | None:
    """Read a call as GET /call shows it; None if the document is not a call.

    The recording URL is dropped unless `recordings` accepts it.
    """
    document = redact(document)
    provider_call_id = word(document.get("id"))
    created_at = first_time([document], ("createdAt", "updatedAt", "startedAt"))
    if provider_call_id is None or created_at is None:
        return None
    status = word(document.get("status")) or UNKNOWN
    return ProviderCall(
        provider_call_id=provider_call_id,
        status=status,
        phase=PHASES.get(status),
        created_at=created_at,
        call_id=_our_call_id(document),
        report=read_report(document, recordings=recordings),
        document=document,
        origin=_origin(document),
    )


def _key(
    kind: str,
    status: str | None,
    reason: str | None,
    document: dict[str, Any],
) -> str:
    """Return a key that a repeated message shares with the first; bodies have no id.

    A second report or end with other content is not a repetition, nor is a message
    about another call of the provider with our id. A report that is sent again has
    another time and other signed links, which the redaction removes.
    """
    message = _object(document.get("message"))
    call = _object(message.get("call"))
    call_id = word(call.get("id")) or "none"
    if status == "ended":
        return f"{kind}:{status}:{call_id}:{reason}:{message.get('timestamp')}"
    if status is not None:
        return f"{kind}:{status}:{call_id}"
    content = (
        _without_empty(_report_content(message, call)) if kind == REPORT else document
    )
    return f"{kind}:{call_id}:{sha256(canonical(content)).hexdigest()}"


def _key_of_tool_calls(call: dict[str, Any], tool_calls: Sequence[ToolCall]) -> str:
    """Return the key of a message with tool calls: their ids, names and arguments.

    Sent again it may have another time and a longer conversation.
    """
    content = [[one.id, one.name, one.arguments] for one in tool_calls]
    call_id = word(call.get("id")) or "none"
    return f"{TOOL_CALLS}:{call_id}:{sha256(canonical(content)).hexdigest()}"


def _report_content(message: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a report that distinguishes it from other reports."""
    own = {name: message[name] for name in message if name not in REPEATED}
    return {**own, "call": {name: call.get(name) for name in READ_FROM_CALL}}


def _without_empty(value: Any) -> Any:
    """Remove empty values: they mean the same as missing ones."""
    # Reports have thousands of values, so no function is called for plain ones.
    if type(value) is dict:
        kept = {}
        for name, item in value.items():
            found = _without_empty(item) if type(item) in CONTAINERS else item
            if found or found not in EMPTY:  # Most values are true.
                kept[name] = found
        return kept
    if type(value) is list:
        return [
            _without_empty(item) if type(item) in CONTAINERS else item for item in value
        ]
    return value


def _our_call_id(call: dict[str, Any]) -> UUID | None:
    named = _uuid(_metadata(call).get("autolynx_call_id"))
    return named or _uuid(call.get("name"))


def _origin(call: dict[str, Any]) -> Origin | None:
    metadata = _metadata(call)
    campaign_id = _uuid(metadata.get("autolynx_campaign_id"))
    contact_id = _uuid(metadata.get("autolynx_contact_id"))
    attempt = number(metadata.get("attempt"))
    if campaign_id is None or contact_id is None or attempt is None:
        return None
    return Origin(campaign_id, contact_id, attempt=int(attempt))


def _metadata(call: dict[str, Any]) -> dict[str, Any]:
    return _object(_object(call.get("assistantOverrides")).get("metadata"))


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
