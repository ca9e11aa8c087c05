"""The outcome of a call, from the provider's ended reason and what else is known.

One table covers all ended reasons that the provider's SDK lists (604 in version 3.0.0)
by name or by pattern; the first rule that matches decides. The list grows: a reason
that no rule covers gives UNKNOWN, and an alert asks for a rule. Sources: the SDK's list
and docs.vapi.ai, page `calls/call-ended-reason`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from domain.calls.reports import OutcomeBasis, OutcomeFinding
from domain.outcomes import (
    UNEXPECTED_REASON,
    UNKNOWN_REASON,
    CallOutcome,
    ReportedOutcome,
)
from domain.values import Refusal
from provider.vapi.messages.speech import Speech

EARLY_SECONDS = 10
"""A person who hangs up sooner than this dropped the call early."""


@dataclass(frozen=True, slots=True)
class EndedCall:
    """The data of one message or document about a call that is over.

    `answered` is None if it is unknown whether somebody picked up, `speech` is None
    without a transcript. `refusal` is the classification of the reason if nobody
    picked up.
    """

    reason: str | None
    answered: bool | None = None
    speech: Speech | None = None
    duration_seconds: int | None = None
    refusal: Refusal | None = None

    @property
    def is_short(self) -> bool:
        """Whether the call is known to be shorter than EARLY_SECONDS."""
        seconds = self.duration_seconds
        return seconds is not None and seconds < EARLY_SECONDS


type Decision = Callable[[EndedCall], OutcomeFinding]


def outcome_of(call: EndedCall) -> OutcomeFinding | None:
    """Return the outcome of a call that is over, and its evidence.

    None if the message contains neither a reason nor a transcript.
    """
    if call.reason is None:
        return _by_speech(call, "no-reason")
    if call.refusal is not None and not call.answered:
        return _refused(call.refusal)
    named = _NAMED.get(call.reason)
    if named is not None:
        return named(call)
    for pattern, decide in _PATTERNS:
        if pattern.search(call.reason):
            return decide(call)
    return _finding(CallOutcome.UNKNOWN, UNKNOWN_REASON, OutcomeBasis.UNKNOWN_REASON)


NO_SUCH_NUMBER = frozenset({"reason-invalid-number", "text-invalid-number"})
"""Rules of `provider.vapi.refusals` about numbers that do not exist."""


# --- Decisions ------------------------------------------------------------------------


def _finding(outcome: CallOutcome, rule: str, basis: OutcomeBasis) -> OutcomeFinding:
    return OutcomeFinding(ReportedOutcome(outcome, rule), basis)


def _sure(outcome: CallOutcome, rule: str) -> OutcomeFinding:
    return _finding(outcome, rule, OutcomeBasis.DECISIVE)


def _always(outcome: CallOutcome, rule: str) -> Decision:
    return lambda _: _sure(outcome, rule)


def _refused(refusal: Refusal) -> OutcomeFinding:
    """Nobody was rung: the provider or the carrier refused the call."""
    no_such_number = refusal.rule in NO_SUCH_NUMBER
    outcome = CallOutcome.INVALID_NUMBER if no_such_number else CallOutcome.NOT_STARTED
    return _sure(outcome, f"refused-{refusal.rule}")


def _not_started(call: EndedCall) -> OutcomeFinding:
    """Nobody was rung, unless the same message proves that somebody picked up."""
    if call.answered:
        return _sure(CallOutcome.FAULT, "not-started-but-answered")
    return _sure(CallOutcome.NOT_STARTED, "not-started")


def _unexpected(_: EndedCall) -> OutcomeFinding:
    basis = OutcomeBasis.UNKNOWN_REASON
    return _finding(CallOutcome.UNKNOWN, UNEXPECTED_REASON, basis)


def _conversation(call: EndedCall) -> OutcomeFinding:
    """Somebody or something was talked to; the transcript shows who."""
    if call.speech is None:
        basis = OutcomeBasis.SPECIFIC_REASON
        return _finding(CallOutcome.HUMAN, "conversation", basis)
    return _sure(_OF_SPEECH[call.speech], f"conversation-{_NAME[call.speech]}")


def _hung_up_by_callee(call: EndedCall) -> OutcomeFinding:
    """The callee hung up: early, or after a conversation."""
    if call.is_short and call.speech in {None, Speech.NOBODY, Speech.PERSON}:
        known = call.speech is not None
        basis = OutcomeBasis.DECISIVE if known else OutcomeBasis.SPECIFIC_REASON
        return _finding(CallOutcome.DROPPED_EARLY, "hung-up-early", basis)
    return _conversation(call)


def _silence(call: EndedCall) -> OutcomeFinding:
    """The call ended because nobody spoke any more, or from the start."""
    if call.speech is None:
        basis = OutcomeBasis.SPECIFIC_REASON
        return _finding(CallOutcome.SILENT, "silence", basis)
    return _sure(_OF_SPEECH[call.speech], f"silence-{_NAME[call.speech]}")


def _connection_closed(call: EndedCall) -> OutcomeFinding:
    """The reason only says that the connection was closed, not by whom."""
    found = _by_speech(call, "connection-closed")
    if found is not None:
        return found
    outcome = CallOutcome.UNKNOWN
    if call.answered:
        outcome = CallOutcome.SILENT if call.is_short else CallOutcome.HUMAN
    elif call.answered is False:
        outcome = CallOutcome.NO_ANSWER
    basis = OutcomeBasis.GENERIC_REASON
    return _finding(outcome, "connection-closed", basis)


def _connection_lost(_: EndedCall) -> OutcomeFinding:
    basis = OutcomeBasis.GENERIC_REASON
    return _finding(CallOutcome.FAULT, "connection-lost", basis)


def _ringing_hook(call: EndedCall) -> OutcomeFinding:
    """A hook that runs while an inbound call rings; it may have talked to somebody."""
    return _by_speech(call, "ringing-hook") or _unexpected(call)


def _by_speech(call: EndedCall, rule: str) -> OutcomeFinding | None:
    """Decide by the transcript alone."""
    if call.speech is None:
        return None
    name = f"{rule}-{_NAME[call.speech]}"
    return _finding(_OF_SPEECH[call.speech], name, OutcomeBasis.TRANSCRIPT)


_OF_SPEECH = {
    Speech.NOBODY: CallOutcome.SILENT,
    Speech.PERSON: CallOutcome.HUMAN,
    Speech.VOICEMAIL: CallOutcome.VOICEMAIL,
    Speech.SCREENER: CallOutcome.SCREENED,
}
_NAME = {speech: speech.name.lower() for speech in Speech}

# --- The table ------------------------------------------------------------------------

_REASONS: tuple[tuple[Decision, tuple[str, ...]], ...] = (
    (_always(CallOutcome.BUSY, "busy"), ("customer-busy",)),
    (_always(CallOutcome.NO_ANSWER, "no-answer"), ("customer-did-not-answer",)),
    (_always(CallOutcome.VOICEMAIL, "voicemail"), ("voicemail",)),
    (
        _always(CallOutcome.INVALID_NUMBER, "invalid-number"),
        ("sip-outbound-unallocated-number", "twilio-reported-customer-misdialed"),
    ),
    (_always(CallOutcome.DECLINED, "declined"), ("vonage-rejected",)),
    (
        _always(CallOutcome.CANCELED, "canceled"),
        ("manually-canceled", "call-deleted"),
    ),
    (
        _not_started,
        (
            "assistant-not-found",
            "assistant-not-valid",
            "license-check-failed",
            "scheduled-call-deleted",
        ),
    ),
    (
        _hung_up_by_callee,
        (
            "customer-ended-call",
            "customer-ended-call-after-warm-transfer-attempt",
            "customer-ended-call-before-warm-transfer",
            "customer-ended-call-during-transfer",
        ),
    ),
    (
        _conversation,
        (
            "assistant-ended-call",
            "assistant-ended-call-after-message-spoken",
            "assistant-ended-call-with-hangup-task",
            "assistant-forwarded-call",
            "assistant-said-end-call-phrase",
            "call.ending.hook-executed-say",
            "call.ending.hook-executed-transfer",
            "call.forwarding.no-answer",
            "call.forwarding.operator-busy",
            "call.in-progress.error-transfer-failed",
            "exceeded-max-duration",
        ),
    ),
    (
        _silence,
        (
            "call.in-progress.error-assistant-did-not-receive-customer-audio",
            "silence-timed-out",
        ),
    ),
    (
        _connection_closed,
        (
            "call.in-progress.sip-completed-call",
            "call.in-progress.twilio-completed-call",
            "vonage-completed",
            "vonage-disconnected",
        ),
    ),
    (_connection_lost, ("phone-call-provider-closed-websocket",)),
    (
        _always(CallOutcome.FAULT, "carrier-fault"),
        (
            "call.in-progress.error-sip-outbound-call-failed-to-connect",
            "sip-outbound-carrier-released-call",
            "twilio-failed-to-connect-call",
            "vonage-failed-to-connect-call",
        ),
    ),
    (
        _always(CallOutcome.FAULT, "platform-fault"),
        (
            "assistant-join-timed-out",
            "call.in-progress.error-pipeline-no-available-llm-model",
            "call.in-progress.error-pipeline-ws-model-connection-failed",
            "phone-call-provider-bypass-enabled-but-no-call-received",
            "worker-shutdown",
        ),
    ),
    (
        _ringing_hook,
        ("call.ringing.hook-executed-say", "call.ringing.hook-executed-transfer"),
    ),
    (_unexpected, ("customer-did-not-give-microphone-permission",)),
)

_NAMED = {reason: decide for decide, reasons in _REASONS for reason in reasons}

_PATTERNS: tuple[tuple[re.Pattern[str], Decision], ...] = tuple(
    (re.compile(pattern), decide)
    for pattern, decide in (
        (r"^call\.start\.|^call-start-error-|^assistant-request-", _not_started),
        (r"\bsip-inbound-", _unexpected),
        (
            r"-providerfault-outbound-sip-403-",
            _always(CallOutcome.DECLINED, "declined-by-carrier"),
        ),
        (
            r"-providerfault-outbound-sip-480-",
            _always(CallOutcome.NO_ANSWER, "unavailable"),
        ),
        (
            r"-providerfault-outbound-sip-407-",
            _not_started,
        ),
        (r"error-warm-transfer-", _conversation),
        (r"-configfault-", _always(CallOutcome.FAULT, "configuration-fault")),
        (r"-vapifault-", _always(CallOutcome.FAULT, "platform-fault")),
        (r"-providerfault-", _always(CallOutcome.FAULT, "provider-fault")),
        (r"^pipeline-error-", _always(CallOutcome.FAULT, "provider-fault")),
    )
)
