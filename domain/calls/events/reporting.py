"""Events that the provider's messages and answers cause."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.calls import upcasts
from domain.calls.events.call_event import CallEvent, ContactStatusChanged
from domain.calls.reports import Ranks
from domain.outcomes import CallOutcome, ReportedOutcome
from domain.values import Evidence, Refusal, VaultText


class Ringing(ContactStatusChanged):
    """The phone rings."""

    TOPIC = "call.ringing"
    ringing_at: datetime
    evidence: Evidence | None


class Answered(ContactStatusChanged):
    """Somebody or something picked up."""

    TOPIC = "call.answered"
    answered_at: datetime | None
    evidence: Evidence | None


class Confirmed(CallEvent):
    """The provider was asked and shows the call live."""

    TOPIC = "call.confirmed"
    provider_status: str


class MessageReceived(CallEvent):
    """A message that says nothing new was stored."""

    TOPIC = "call.message_received"
    type: str
    evidence: Evidence


class Ended(ContactStatusChanged):
    """The call is over, or a later message explains its end."""

    TOPIC = "call.ended"
    reason: str | None
    ended_at: datetime | None
    another_attempt: bool
    awaits_report: bool
    evidence: Evidence | None
    ranks: Ranks | None = None
    refusal: Refusal | None = None
    earlier_refusals: int = 0
    retry_at: datetime | None = None
    words: VaultText | None = None
    outcome: ReportedOutcome | None = None
    outcome_was: CallOutcome | None = None

    class_version = 3

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Read an event of release 1, which did not store the refusal."""
        upcasts.add_refusal_to_ended(state)

    @staticmethod
    def upcast_v2_v3(state: dict[str, Any]) -> None:
        """Read an event that was stored without the outcome."""
        upcasts.add_outcome(state)

    @property
    def ends_it(self) -> bool:
        """Whether the call was live until then: later ends only add details."""
        return self.was is not self.standing


class Reported(CallEvent):
    """A report added to, or corrected, what was known: the merged values."""

    TOPIC = "call.reported"
    grade: int
    queued_at: datetime
    reason: str | None
    started_at: datetime | None
    ended_at: datetime | None
    duration_seconds: int | None
    cost: Decimal | None
    cost_was: Decimal | None
    awaited: bool
    settled: bool
    evidence: Evidence | None
    ranks: Ranks | None = None
    best_message_id: UUID | None = None
    cost_is_expected: bool = False
    cost_was_expected: bool = False
    duration_seconds_was: int | None = None
    outcome: ReportedOutcome | None = None
    outcome_was: CallOutcome | None = None

    class_version = 2

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Read an event that was stored without the outcome."""
        upcasts.add_outcome(state)

    @property
    def report_message_id(self) -> UUID | None:
        """The stored message with the richest content of all so far."""
        if self.best_message_id is not None or self.evidence is None:
            return self.best_message_id
        return self.evidence.message_id
