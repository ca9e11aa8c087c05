"""The state of a call, and what the commands derive from it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.calls.events.call_event import CallEvent, ContactStatusChanged
from domain.calls.refusals import retry_delay
from domain.calls.reports import NO_REASON, STATUS_RANK, Known, ReportGrade
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
from domain.states import LIVE
from domain.values import (
    CallStatus,
    ContactStatus,
    Evidence,
    Refusal,
    RefusalKind,
    VaultText,
)


class CallState:
    """The state of a call: defined here alone, changed by the mutators of `Call`.

    Values without a default come from the claim; the defaults are those of a new call.
    """

    # Of the library's aggregate.
    id: UUID
    trigger_event: Callable[..., None]

    # The claim. `history` is that of the contact before this call; it and
    # `terms_version`, of the campaign's terms, are None if no report decides what
    # follows. `plan` is why the call, or the one that it repeats after a fault, was
    # planned; None for a first one. `group` is None if the contact's was not known.
    campaign_id: UUID
    contact_id: UUID
    attempt: int
    claimed_at: datetime
    terms_version: int | None
    history: ContactHistory | None
    plan: PlanKind | None
    group: ContactGroup | None

    # The call's own status, and the contact's status because of it.
    status: CallStatus = CallStatus.QUEUED
    contact_status: ContactStatus = ContactStatus.QUEUED

    # Requests. `request_open`: the last one has no outcome yet; `outcome_unknown`: its
    # outcome must be looked up. The others describe the last request: when it was
    # stored and must be sent, the keyed digest of the number in hex and its possible
    # time zones, why it was allowed, which assistant called. `number_key` and `permit`
    # are None in old events, `arm` without a comparison. `voicemail_allowed`: any
    # request allowed the assistant to leave a voicemail message.
    requests: int = 0
    unknowns: int = 0
    request_open: bool = False
    outcome_unknown: bool = False
    requested_at: datetime | None = None
    dial_before: datetime | None = None
    number_key: str | None = None
    time_zones: tuple[str, ...] = ()
    permit: Permit | None = None
    arm: AssignedArm | None = None
    voicemail_allowed: bool = False

    # Refusals of this and the contact's earlier calls, each kind counted by itself.
    capacity_refusals: int = 0
    platform_refusals: int = 0

    # The call at the provider. `bound_by_message`: only a webhook named its id.
    provider_call_id: str | None = None
    placed_at: datetime | None = None
    bound_by_message: bool = False
    other_provider_call_ids: frozenset[str] = frozenset()
    suspected_provider_call_ids: frozenset[str] = frozenset()

    # The course and the end. `end_recorded_at` is when we stored the end; `settled`: no
    # further report is awaited. `evidence` are the ids of the recorded messages.
    hang_up_requested: bool = False
    ended: bool = False
    end_recorded_at: datetime | None = None
    end_explanation: VaultText | None = None
    known: Known = Known()
    grades: frozenset[ReportGrade] = frozenset()
    settled: bool = False
    evidence: frozenset[UUID] = frozenset()

    # The results. `callback_at` is when the contact asked to be called.
    disposition: Disposition | None = None
    disposition_source: DispositionSource | None = None
    callback_at: datetime | None = None
    callback_source: DispositionSource | None = None

    @property
    def started_at(self) -> datetime | None:
        """When the call was picked up, None if it was not."""
        return self.known.started_at

    @property
    def ended_at(self) -> datetime | None:
        """When the call ended, by the provider."""
        return self.known.ended_at

    @property
    def ended_reason(self) -> str | None:
        """The provider's reason of the end."""
        return self.known.reason

    @property
    def duration_seconds(self) -> int | None:
        """Seconds from the answer to the end."""
        return self.known.duration_seconds

    @property
    def cost(self) -> Decimal | None:
        """US dollars; None until the provider names a cost or one is booked."""
        return self.known.cost

    @property
    def outcome(self) -> CallOutcome | None:
        """How the call went; None while it is under way."""
        return None if self.live else self._outcome(self.known).outcome

    @property
    def grade(self) -> ReportGrade:
        """The highest grade of the reports so far."""
        return max(self.grades, default=ReportGrade.NONE)

    @property
    def live(self) -> bool:
        """Whether the call may still change."""
        return self.status in LIVE

    @property
    def is_retry(self) -> bool:
        """Whether the retry policy planned the call, or the one that it repeats."""
        return self.plan is PlanKind.RETRY

    @property
    def deferred(self) -> bool:
        """Whether the call waits to be requested again."""
        return self.live and self.contact_status is ContactStatus.PENDING

    @property
    def waiting(self) -> bool:
        """Claimed and not deferred, and no call at the provider is known."""
        return (
            self.status is CallStatus.QUEUED
            and not self.deferred
            and self.provider_call_id is None
        )

    # --- Recording --------------------------------------------------------------

    def _retry_delay(self, refusal: Refusal) -> timedelta | None:
        return retry_delay(refusal.kind, self._earlier(refusal))

    def _earlier(self, refusal: Refusal | None) -> int:
        """Count the contact's refusals of the same kind before this one."""
        if refusal is None:
            return 0
        capacity = refusal.kind is RefusalKind.CAPACITY
        return self.capacity_refusals if capacity else self.platform_refusals

    @staticmethod
    def _outcome(known: Known) -> ReportedOutcome:
        """Return the outcome to store with an event after which this is known."""
        return known.outcome or NO_REASON

    def _move(
        self,
        fact: type[ContactStatusChanged],
        to: ContactStatus,
        at: datetime,
        by: str,
        **fields: Any,
    ) -> None:
        self._record(fact, at, by, was=self.contact_status, standing=to, **fields)

    def _record(
        self, fact: type[CallEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        """Create an event and apply it to the state."""
        self.trigger_event(
            getattr(self, fact.__name__),  # The aggregate's own class of that event.
            timestamp=at,
            actor=by,
            campaign_id=self.campaign_id,
            contact_id=self.contact_id,
            **fields,
        )

    # --- Parts of several mutators ------------------------------------------------

    def _count(self, refusal: Refusal | None) -> None:
        if refusal is not None and refusal.kind is RefusalKind.CAPACITY:
            self.capacity_refusals += 1
        elif refusal is not None and refusal.kind is RefusalKind.PLATFORM:
            self.platform_refusals += 1

    def _give_up(self, outcome: ReportedOutcome | None) -> None:
        """Store the outcome of a call that ended without an end at the provider."""
        if outcome is not None:
            ranks = replace(self.known.ranks, outcome=STATUS_RANK)
            self.known = replace(self.known, outcome=outcome, ranks=ranks)

    def _keep(self, evidence: Evidence | None) -> None:
        if evidence is not None:
            self.evidence |= {evidence.message_id}
