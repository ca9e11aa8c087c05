"""The outcome of a call, its disposition, and why a contact was never called.

The provider's reasons are mapped to outcomes in `provider/`; everything else reads only
these enumerations. They are stored in events: values may be added, never renamed.
"""

from dataclasses import dataclass
from enum import StrEnum


class CallOutcome(StrEnum):
    """How a finished call went, in one closed vocabulary."""

    HUMAN = "HUMAN"
    """A conversation with a person."""
    DROPPED_EARLY = "DROPPED_EARLY"
    """A person answered and hung up within seconds, without a result."""
    VOICEMAIL = "VOICEMAIL"
    SCREENED = "SCREENED"
    """An attendant, a menu or a call screener answered."""
    SILENT = "SILENT"
    """The call was answered, and nobody spoke."""
    NO_ANSWER = "NO_ANSWER"
    BUSY = "BUSY"
    DECLINED = "DECLINED"
    """The other side refused the call."""
    INVALID_NUMBER = "INVALID_NUMBER"
    """No such number."""
    FAULT = "FAULT"
    """Platform, carrier, model or voice failed after the phone may have rung."""
    NOT_STARTED = "NOT_STARTED"
    """No phone rang."""
    CANCELED = "CANCELED"
    """Hung up or withdrawn by us."""
    UNKNOWN = "UNKNOWN"
    """The provider's reason is missing or not known to us."""


BY_PERSON = frozenset({CallOutcome.HUMAN, CallOutcome.DROPPED_EARLY})
"""Outcomes of calls that a person answered."""

ANSWERED = BY_PERSON | {
    CallOutcome.VOICEMAIL,
    CallOutcome.SCREENED,
    CallOutcome.SILENT,
}
"""Outcomes of calls that a person or a machine answered."""


class Disposition(StrEnum):
    """The business result of a call."""

    GOAL_REACHED = "GOAL_REACHED"
    CALLBACK_REQUESTED = "CALLBACK_REQUESTED"
    OPTED_OUT = "OPTED_OUT"
    WRONG_PERSON = "WRONG_PERSON"
    NOT_INTERESTED = "NOT_INTERESTED"
    OTHER = "OTHER"


OPT_OUTS = frozenset({Disposition.OPTED_OUT})
"""Dispositions after which a person is not called again, by any campaign."""


class DispositionSource(StrEnum):
    """Who set a disposition. A stronger source replaces a weaker or an equal one."""

    OUTPUT = "OUTPUT"
    """A rule of the campaign about the outputs of the provider's analysis."""
    TOOL = "TOOL"
    """A tool that the assistant used during the call."""
    MEMBER = "MEMBER"
    """A member, by hand."""

    def may_replace(self, other: "DispositionSource | None") -> bool:
        """Return whether this source is at least as strong as `other`; None: unset."""
        return other is None or _STRENGTH[self] >= _STRENGTH[other]


_STRENGTH = {
    DispositionSource.OUTPUT: 1,
    DispositionSource.TOOL: 2,
    DispositionSource.MEMBER: 3,
}


class Withheld(StrEnum):
    """Why a contact was finished without a call."""

    SUPPRESSED = "SUPPRESSED"
    NO_CONSENT = "NO_CONSENT"
    PLACE_UNKNOWN = "PLACE_UNKNOWN"
    EXPIRED = "EXPIRED"
    REMOVED = "REMOVED"


UNKNOWN_REASON = "unknown-reason"
"""The rule of outcomes whose reason no rule of the provider's adapter covers."""

UNEXPECTED_REASON = "unexpected-reason"
"""The rule of outcomes whose reason an outbound call should not have."""


@dataclass(frozen=True, slots=True, order=True)
class ReportedOutcome:
    """An outcome and the id of the rule that decided it.

    The order has no meaning; it chooses between reports that are equally good.
    """

    outcome: CallOutcome
    rule: str

    @property
    def needs_rule(self) -> bool:
        """Whether a person should look at the reason, because no rule explains it."""
        return self.rule in {UNKNOWN_REASON, UNEXPECTED_REASON}
