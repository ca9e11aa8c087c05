"""Why a claimed call was not made, and the texts with which events store it."""

from enum import StrEnum


class DeferralReason(StrEnum):
    """Why a call is deferred, unless it waits for a time when it may be made."""

    NEVER_LEFT = "NEVER_LEFT"
    """The request provably did not reach the provider."""
    NOT_NOW = "NOT_NOW"
    """The provider had too many calls or requests."""
    ACCOUNT_REFUSED = "ACCOUNT_REFUSED"
    """The provider refused the account, the assistant or the line."""
    REFUSED = "REFUSED"
    """The provider refused the request for another reason."""
    ABSENT = "ABSENT"
    """The outcome of the request was unknown; the provider does not have the call."""
    NOT_DIALLED = "NOT_DIALLED"
    """The claim was released without a request."""

    @property
    def text(self) -> str:
        """The text that events store."""
        return TEXTS[self]


STORED_TEXTS = {
    "unreachable": DeferralReason.NEVER_LEFT,
    "not now": DeferralReason.NOT_NOW,
    "account refused": DeferralReason.ACCOUNT_REFUSED,
    "refused": DeferralReason.REFUSED,
    "absent": DeferralReason.ABSENT,
    "not dialled": DeferralReason.NOT_DIALLED,
}
"""The reasons by their texts, which are stored since release 1 and never change."""

TEXTS = {reason: text for text, reason in STORED_TEXTS.items()}
