"""How events that release 1 stored are read today.

The tables here are copies of release 1's constants and must never change: they are
part of the meaning of events that are already stored.
"""

from typing import Any

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
        return None  # It told more about a call that was over, or had been answered.
    if reason in ACCOUNT_REASONS_IN_RELEASE_1:
        kind, scope = RefusalKind.ACCOUNT.value, RefusalScope.ACCOUNT.value
        return {"kind": kind, "scope": scope, "rule": RULE}
    if reason.startswith(NOT_STARTED_IN_RELEASE_1):
        return {"kind": RefusalKind.PLATFORM.value, "scope": None, "rule": RULE}
    return None
