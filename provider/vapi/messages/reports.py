"""Reads end-of-call reports and call documents.

The provider puts the same value at several depths and in several forms, and may leave
it out or send null, a text or nonsense instead; sources: docs.vapi.ai, pages
`server-url/events` and `calls`. Nothing here raises for any content.
"""

import math
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from application.ports import CallReport
from domain.calls.recording_url import RecordingUrls
from domain.calls.reports import ReasonDetail
from domain.values import Refusal
from provider.vapi.messages.analysis import read_analysis
from provider.vapi.messages.outcomes import EndedCall, outcome_of
from provider.vapi.messages.speech import Speech, speech_in
from provider.vapi.redaction import redact_text
from provider.vapi.refusals import refusal_of_reason

type Document = dict[str, Any]

LONGEST_WORD = 200
LONGEST_MESSAGE = 500
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
LONGEST_CALL_SECONDS = 10_000_000
COST_LIMIT = 1_000_000

UNANSWERED = re.compile(
    r"^customer-(did-not-answer|busy)$"
    r"|^(twilio|vonage)-failed-to-connect-call$|^vonage-rejected$"
    r"|outbound-sip-(408|480)-|sip-outbound-call-failed-to-connect$"
)
"""Reasons of calls that nobody picked up, beside those that are refusals."""

GENERIC = re.compile(
    r"(^|[.-])(twilio|vonage|telnyx|vapi|sip)-(completed|disconnected)(-call)?$"
    r"|^phone-call-provider-closed-websocket$|^unknown\b",
    re.IGNORECASE,
)
"""Reasons that only say that the carrier's connection was closed, not by whom."""

PUBLIC_RECORDINGS = RecordingUrls()

RECORDINGS = (
    ("artifact", "recording", "mono", "combinedUrl"),
    ("artifact", "recordingUrl"),
    ("recordingUrl",),
)
MESSAGES = (("artifact", "messages"), ("messages",))
TRANSCRIPTS = (("artifact", "transcript"), ("transcript",))

SPEAKERS = frozenset({"assistant", "bot", "customer", "user"})
"""Roles whose messages were spoken; others are prompts, tool calls and results."""

TOOL_KEYS = frozenset({"function_call", "tool_call_id", "tool_calls", "toolCalls"})

ECHOES = frozenset({"variables", "variableValues"})
"""What an artifact repeats of the request, whether or not anybody spoke."""

DURATIONS = (
    ("durationSeconds", Decimal(1)),
    ("durationMs", Decimal("0.001")),
    ("durationMinutes", Decimal(60)),
)
"""Keys with their unit in seconds."""


def read_report(
    document: Document,
    call: Document | None = None,
    *,
    recordings: RecordingUrls = PUBLIC_RECORDINGS,
) -> CallReport:
    """Read a report, or the document of a call, about a call that is over.

    `call` is the copy of the call inside a report; it is read only where the report
    lacks the reason or a time. Its cost is never read: it stays 0. A recording URL
    that `recordings` does not accept counts as missing.
    """
    places = [document, call or {}]
    reason = ended_reason(*places)
    started_at = first_time(places, ["startedAt"])
    ended_at = first_time(places, ["endedAt"])
    explanation = ended_message(*places)
    duration = _duration(places, started_at, ended_at)
    transcript = _spoken(document) or _first_text(document, TRANSCRIPTS)
    refusal = refusal_of_reason(reason, explanation)
    answered = started_at is not None or bool(duration)
    ended = EndedCall(reason, answered, speech_in(transcript), duration, refusal)
    analysis = read_analysis(document)
    return CallReport(
        ended_reason=reason,
        reason_detail=reason_detail(reason),
        ended_message=explanation,
        refusal=refusal,
        is_unanswered=started_at is None and _nobody_picked_up(reason, refusal),
        started_at=started_at,
        ended_at=ended_at,
        duration_seconds=duration,
        cost=_cost(document),
        recording_url=_recording_url(document, recordings),
        transcript=transcript,
        has_analysis=analysis.found_something,
        person_spoke=ended.speech is Speech.PERSON,
        has_artifact=_has_artifact(document),
        outcome=outcome_of(ended),
        structured_outputs=analysis.structured_outputs,
        summary=analysis.summary,
        success_evaluation=analysis.success_evaluation,
        analysis=analysis.document,
    )


def _has_artifact(document: Document) -> bool:
    """Return whether the artifact contains more than a copy of the request."""
    artifact = _object(document.get("artifact"))
    return any(value for name, value in artifact.items() if name not in ECHOES)


def ended_reason(*places: Document) -> str | None:
    """Return the first reason that one of the documents contains."""
    reasons = (word(place.get("endedReason")) for place in places)
    return next((reason for reason in reasons if reason), None)


def ended_message(*places: Document) -> str | None:
    """Return the first explanation of the ended reason that one document contains.

    Secrets and phone numbers are taken out.
    """
    texts = (place.get("endedMessage") for place in places)
    found = next((text for text in texts if isinstance(text, str) and text), None)
    return redact_text(found)[:LONGEST_MESSAGE] if found else None


def reason_detail(reason: str | None) -> ReasonDetail:
    """Rate how much an ended reason explains."""
    generic = reason is not None and GENERIC.search(reason) is not None
    return ReasonDetail.GENERIC if generic else ReasonDetail.SPECIFIC


def _recording_url(document: Document, recordings: RecordingUrls) -> str | None:
    """Return the first acceptable URL of a recording."""
    found = (_at(document, path) for path in RECORDINGS)
    urls = (url for url in found if isinstance(url, str) and recordings.accepts(url))
    return next(urls, None)


def _nobody_picked_up(reason: str | None, refusal: Refusal | None) -> bool:
    return refusal is not None or bool(reason and UNANSWERED.search(reason))


def _spoken(document: Document) -> list[Any] | None:
    """Return the first list of messages with anything spoken in it."""
    for path in MESSAGES:
        items = _at(document, path)
        spoken = list(_plain(items)) if isinstance(items, list) else []
        if spoken:
            return spoken
    return None


def _plain(items: list[Any]) -> Iterator[Document]:
    """Yield the spoken messages, without tool calls."""
    for item in items:
        if not isinstance(item, dict) or item.get("role") not in SPEAKERS:
            continue
        if TOOL_KEYS.isdisjoint(item):
            yield item
            continue
        spoken = {name: value for name, value in item.items() if name not in TOOL_KEYS}
        if spoken.get("message") or spoken.get("content"):
            yield spoken


def _duration(
    places: list[Document], started_at: datetime | None, ended_at: datetime | None
) -> int | None:
    """Return whole seconds from the first duration that makes sense."""
    for place in places:
        for name, unit in DURATIONS:
            value = decimal(place.get(name))
            if value is not None and 0 <= value * unit <= LONGEST_CALL_SECONDS:
                return _whole(value * unit)
    if started_at is None or ended_at is None:
        return None
    between = Decimal(str((ended_at - started_at).total_seconds()))
    return _whole(between) if 0 <= between <= LONGEST_CALL_SECONDS else None


def _whole(seconds: Decimal) -> int:
    return math.floor(seconds + Decimal("0.5"))


def _cost(document: Document) -> Decimal | None:
    """Return US dollars from `cost`, else the breakdown's total, else the list's sum.

    A zero is returned only where the provider wrote one.
    """
    stated = _dollars(document.get("cost"))
    if stated is None:
        stated = _dollars(_object(document.get("costBreakdown")).get("total"))
    return _sum(document.get("costs")) if stated is None else stated


def _sum(costs: Any) -> Decimal | None:
    items = costs if isinstance(costs, list) else []
    parts = [_dollars(_object(item).get("cost")) for item in items]
    known = [part for part in parts if part is not None]
    total = sum(known, Decimal(0))
    return total if known and total < COST_LIMIT else None


def _dollars(value: Any) -> Decimal | None:
    """Return the digits that were sent, not the nearest binary number."""
    amount = decimal(value)
    return amount if amount is not None and 0 <= amount < COST_LIMIT else None


# --- Values of any kind ---------------------------------------------------------------


def decimal(value: Any) -> Decimal | None:
    """Read a finite number, also from a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip()
    if len(text) > LONGEST_WORD:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 100 else None  # noqa: PLR2004 - no number of ours has as many digits


def number(value: Any) -> int | float | None:
    """Read a finite JSON number."""
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return value if numeric and math.isfinite(value) else None


def time(value: Any) -> datetime | None:
    """Read milliseconds since 1970 or ISO 8601; None outside the years that we use."""
    try:
        if isinstance(value, str):
            moment = _aware(datetime.fromisoformat(value))
        elif (milliseconds := number(value)) is not None:
            moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return moment if EARLIEST <= moment < LATEST else None


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def word(value: Any) -> str | None:
    """Read a text that is not empty, cut to `LONGEST_WORD` characters."""
    return value[:LONGEST_WORD] or None if isinstance(value, str) else None


def _object(value: Any) -> Document:
    return value if isinstance(value, dict) else {}


def _at(document: Any, path: Iterable[str]) -> Any:
    for key in path:
        document = _object(document).get(key)
    return document


def first_time(places: Iterable[Document], keys: Iterable[str]) -> datetime | None:
    """Return the first readable time under one of the keys, document by document."""
    names = list(keys)
    times = (time(place.get(name)) for place in places for name in names)
    return next((moment for moment in times if moment), None)


def _first_text(document: Document, paths: Iterable[tuple[str, ...]]) -> str | None:
    found = (_at(document, path) for path in paths)
    return next((text for text in found if isinstance(text, str) and text), None)
