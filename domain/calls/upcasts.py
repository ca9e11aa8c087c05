"""How events of older versions are read today.

The tables here are copies of constants of their time and must never change: they are
part of the meaning of events that are already stored.
"""

import re
from typing import Any

from domain.outcomes import CallOutcome
from domain.values import ContactStatus, RefusalKind, RefusalScope

NOT_STARTED_IN_RELEASE_1 = "call.start.error-"
"""How a reason began with which release 1 took a call as never rung."""

ACCOUNT_REASONS_IN_RELEASE_1 = frozenset(
    {
        "call.start.error-enterprise-feature-not-available-recording-consent",
        "call.start.error-fraud-check-failed",
        "call.start.error-get-assistant",
        "call.start.error-get-phone-number",
        "call.start.error-subscription-frozen",
        "call.start.error-subscription-insufficient-credits",
        "call.start.error-subscription-upgrade-failed",
        "call.start.error-subscription-wallet-does-not-exist",
        "call.start.error-vapi-number-outbound-daily-limit",
        "assistant-not-found",
        "assistant-not-valid",
        "call.start.assistant-version-error-validation",
        "call.start.squad-version-error-validation",
        "call-start-error-neither-assistant-nor-server-set",
    }
)
"""Reasons for which release 1 paused the campaign instead of going on."""

RULE = "release-1"


def add_refusal_to_ended(state: dict[str, Any]) -> None:
    """Add the refusal that release 1 saw in a stored `call.ended` of version 1."""
    state.update(retry_at=None, words=None, earlier_refusals=0)
    state["refusal"] = _refusal(state)


def _refusal(state: dict[str, Any]) -> dict[str, Any] | None:
    reason, was = state["reason"] or "", state["was"]
    if was in {state["standing"], ContactStatus.IN_PROGRESS}:
        return None  # The call was over before, or had been answered.
    if reason in ACCOUNT_REASONS_IN_RELEASE_1:
        kind, scope = RefusalKind.ACCOUNT.value, RefusalScope.ACCOUNT.value
        return {"kind": kind, "scope": scope, "rule": RULE}
    if reason.startswith(NOT_STARTED_IN_RELEASE_1):
        return {"kind": RefusalKind.PLATFORM.value, "scope": None, "rule": RULE}
    return None


# --- Outcomes of events that were stored without one ----------------------------------

_PATTERNS_BEFORE_RELEASE_2 = {
    CallOutcome.BUSY: r"^customer-busy$",
    CallOutcome.NO_ANSWER: r"^customer-did-not-answer$|outbound-sip-480-",
    CallOutcome.VOICEMAIL: r"^voicemail$",
    CallOutcome.INVALID_NUMBER: r"""
        ^twilio-reported-customer-misdialed$ | ^sip-outbound-unallocated-number$
    """,
    CallOutcome.DECLINED: r"^vonage-rejected$|outbound-sip-403-",
    CallOutcome.CANCELED: r"^manually-canceled$|^call-deleted$",
    CallOutcome.NOT_STARTED: r"""
        ^call\.start\. | ^call-start-error- | ^assistant-request-
        | ^assistant-not-(valid|found)$ | ^scheduled-call-deleted$
        | ^license-check-failed$ | outbound-sip-407-
    """,
    CallOutcome.SILENT: r"^silence-timed-out$|did-not-receive-customer-audio$",
    CallOutcome.HUMAN: r"""
        ^customer-ended-call | ^assistant-(ended-call|forwarded|said-end)
        | ^exceeded-max-duration$ | ^call\.(ending|forwarding)\.
        | -warm-transfer- | error-transfer-failed$
    """,
    CallOutcome.FAULT: r"""
        -(vapi|provider|config)fault- | ^pipeline-error- | error-pipeline-
        | sip-outbound- | failed-to-connect-call$ | ^worker-shutdown$
        | ^phone-call-provider- | ^assistant-join-timed-out$
    """,
}
OUTCOMES_BEFORE_RELEASE_2 = tuple(
    (re.compile(pattern, re.VERBOSE), outcome)
    for outcome, pattern in _PATTERNS_BEFORE_RELEASE_2.items()
)
"""Outcomes by reason, the first pattern that matches; any other reason is UNKNOWN."""

BEFORE_RELEASE_2 = "before-release-2"
"""The rule of outcomes that events were given when they were read."""


def add_outcome(state: dict[str, Any]) -> None:
    """Add the outcome to a stored `call.ended` or `call.reported`, by its reason.

    It ranks as the reason does, so that what is reported today replaces it.
    """
    reason, ranks = state["reason"], state.get("ranks")
    state["outcome"] = None if reason is None else _outcome(_outcome_of(reason))
    if ranks is not None:
        ranks["outcome"] = ranks["reason"]


def add_decided_outcome(state: dict[str, Any], outcome: CallOutcome) -> None:
    """Add the outcome to a stored event with which AutoLynx itself ended a call."""
    state["outcome"] = _outcome(outcome)


def _outcome(outcome: CallOutcome) -> dict[str, Any]:
    return {"outcome": outcome.value, "rule": BEFORE_RELEASE_2}


def _outcome_of(reason: str) -> CallOutcome:
    found = (
        out for pattern, out in OUTCOMES_BEFORE_RELEASE_2 if pattern.search(reason)
    )
    return next(found, CallOutcome.UNKNOWN)
