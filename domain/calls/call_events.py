"""The events of a call. Their fields and topics are stored: they never change.

`Call` takes these classes as its own: `Call.Placed` is derived from `Placed` here.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from eventsourcing.domain import Aggregate

from domain.calls import upcasts
from domain.calls.callbacks import Obstacle
from domain.calls.deferrals import STORED_TEXTS, DeferralReason
from domain.calls.reports import Ranks
from domain.campaigns.arms import AssignedArm
from domain.contacts.contact_history import ContactHistory, PlanKind
from domain.gate.groups import ContactGroup
from domain.gate.permit import Permit
from domain.outcomes import (
    CallOutcome,
    Disposition,
    DispositionSource,
    ReportedOutcome,
)
from domain.values import (
    ContactStatus,
    Evidence,
    Refusal,
    VaultText,
    WaitingCode,
)


class CallEvent(Aggregate.Event):
    """Fields of every event of a call, so that no reader needs a look-up."""

    actor: str
    campaign_id: UUID
    contact_id: UUID


class ContactStatusChanged(CallEvent):
    """Event that may change the contact's status, from `was` to `standing`."""

    was: ContactStatus
    standing: ContactStatus


class Created(ContactStatusChanged, Aggregate.Created):
    """A contact was claimed for its next attempt; `batch` is None outside BATCH.

    `plan` is the kind of the planned call that this one is. `repeats` is the kind of
    the earlier call that this one replaces, because that one never rang. `group` is the
    contact's group as it was recorded at the import, None if it is not known.
    """

    TOPIC = "call.created"
    attempt: int
    claim_id: UUID
    batch: int | None
    capacity_refusals: int = 0
    platform_refusals: int = 0
    terms_version: int | None = None
    history: ContactHistory | None = None
    plan: PlanKind | None = None
    repeats: PlanKind | None = None
    group: ContactGroup | None = None

    @property
    def joins_batch(self) -> bool:
        """Whether the contact joins the batch; a repetition after a fault does not."""
        return self.batch is not None and (self.attempt == 1 or self.plan is not None)


class Requeued(ContactStatusChanged):
    """A deferred call was claimed again."""

    TOPIC = "call.requeued"
    claim_id: UUID
    batch: int | None


class Requested(CallEvent):
    """The request `number` may be sent once, before `dial_before`.

    Unless `voicemail_allowed`, an answering machine must get no message. The call is
    made from the line `phone_number_id` and takes at most `longest_call_seconds`; both
    are None in events of releases in which a campaign could not change its line. `arm`
    is the contact's, None unless the campaign compares assistants.
    """

    TOPIC = "call.requested"
    number: int
    dial_before: datetime
    number_key: str | None = None
    time_zones: tuple[str, ...] = ()
    permit: Permit | None = None
    voicemail_allowed: bool = True
    phone_number_id: str | None = None
    longest_call_seconds: int | None = None
    arm: AssignedArm | None = None


class Placed(ContactStatusChanged):
    """The provider accepted the call. `ghost`: the call was given up before."""

    TOPIC = "call.placed"
    provider_call_id: str
    placed_at: datetime
    ghost: bool
    evidence: Evidence | None


class Rebound(CallEvent):
    """The provider itself gave another id than the one that a webhook had named.

    `ghost`: messages about the former id had ended the call; the call with the new id
    may be live.
    """

    TOPIC = "call.rebound"
    provider_call_id: str
    provider_call_id_was: str
    placed_at: datetime
    ghost: bool


class Deferred(ContactStatusChanged):
    """The call was not made; it may be requested again at `until`.

    `code` is why the call waits for that time, None if it was deferred for another
    reason. `reason` is the text of either.
    """

    TOPIC = "call.deferred"
    reason: str
    until: datetime
    refusal: Refusal | None = None
    earlier_refusals: int = 0
    code: WaitingCode | None = None

    @property
    def why(self) -> DeferralReason | None:
        """The reason that the stored text means; None if the call waits for a time."""
        return None if self.code else STORED_TEXTS.get(self.reason)


class OutcomeUnknown(CallEvent):
    """A request was sent, and whether the provider acted on it is not known."""

    TOPIC = "call.outcome_unknown"
    reason: str


class Rejected(ContactStatusChanged):
    """The provider refuses to call this contact; `words` is its explanation."""

    TOPIC = "call.rejected"
    words: VaultText
    refusal: Refusal | None = None
    outcome: ReportedOutcome | None = None

    class_version = 2

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Read an event that was stored without the outcome."""
        upcasts.add_decided_outcome(state, CallOutcome.NOT_STARTED)


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


class DispositionSet(CallEvent):
    """The business result of the call is known, or was corrected.

    `disposition` is None if the best report no longer means what an earlier one meant.
    """

    TOPIC = "call.disposition_set"
    disposition: Disposition | None
    disposition_was: Disposition | None
    source: DispositionSource
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


class HangUpRequested(CallEvent):
    """The call is to be ended at the provider."""

    TOPIC = "call.hang_up_requested"


class DuplicateDetected(CallEvent):
    """The provider itself shows a second call for this one."""

    TOPIC = "call.duplicate_detected"
    provider_call_id: str


class DuplicateSuspected(CallEvent):
    """A webhook names this call with another id; the provider is asked for both."""

    TOPIC = "call.duplicate_suspected"
    provider_call_id: str


class DuplicateDismissed(CallEvent):
    """The provider does not show both calls: the suspicion was wrong."""

    TOPIC = "call.duplicate_dismissed"
    provider_call_id: str


class TimedOut(ContactStatusChanged):
    """The provider no longer knows the call, which was never reported."""

    TOPIC = "call.timed_out"
    reason: str
    outcome: ReportedOutcome | None = None

    class_version = 2

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Read an event that was stored without the outcome."""
        upcasts.add_decided_outcome(state, CallOutcome.UNKNOWN)


class Failed(ContactStatusChanged):
    """The call was given up before the provider is known to have accepted it."""

    TOPIC = "call.failed"
    reason: str
    outcome: ReportedOutcome | None = None

    class_version = 2

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Read an event that was stored without the outcome."""
        upcasts.add_decided_outcome(state, CallOutcome.UNKNOWN)


class Canceled(ContactStatusChanged):
    """The claim was taken back: no call was made."""

    TOPIC = "call.canceled"
    outcome: ReportedOutcome | None = None

    class_version = 2

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Read an event that was stored without the outcome."""
        upcasts.add_decided_outcome(state, CallOutcome.CANCELED)


class CallbackRequested(CallEvent):
    """The contact asked to be called at `due_at`; the last request of a call counts.

    `time_zone` is the IANA zone in which the time was agreed.
    """

    TOPIC = "call.callback_requested"
    due_at: datetime
    time_zone: str
    source: DispositionSource


class CallbackWithdrawn(CallEvent):
    """The best report no longer contains the request for a callback."""

    TOPIC = "call.callback_withdrawn"
    source: DispositionSource


class CallbackIgnored(CallEvent):
    """The contact asked for a call at a time that is not possible: none is planned.

    The message with the request is in the vault.
    """

    TOPIC = "call.callback_ignored"
    obstacle: Obstacle
    source: DispositionSource
