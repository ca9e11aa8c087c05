"""The dialer's events: claims, requests, refusals, and giving up."""

from datetime import datetime
from typing import Any
from uuid import UUID

from eventsourcing.domain import Aggregate

from domain.calls import upcasts
from domain.calls.deferrals import STORED_TEXTS, DeferralReason
from domain.calls.events.call_event import CallEvent, ContactStatusChanged
from domain.campaigns.arms import AssignedArm
from domain.contacts.contact_history import ContactHistory, PlanKind
from domain.gate.groups import ContactGroup
from domain.gate.permit import Permit
from domain.outcomes import CallOutcome, ReportedOutcome
from domain.values import Refusal, VaultText, WaitingCode


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


class HangUpRequested(CallEvent):
    """The call is to be ended at the provider."""

    TOPIC = "call.hang_up_requested"


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
