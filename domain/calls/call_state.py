"""What is known of a call, for the commands that decide about it."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.calls.call_events import CallEvent, ContactStatusChanged
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
    """Base of the classes with commands; `Call` sets the values from its events.

    `standing` is the contact's status because of this call. `request_open`: the last
    request has no outcome yet. `outcome_unknown`: its outcome must be looked up.
    `bound_by_message`: a webhook named `provider_call_id`. `settled`: no further report
    is awaited. `number_key` is the keyed digest of the number that was last requested,
    in hex; None for calls that release 1 requested. `voicemail_allowed`: a request
    allowed the assistant to leave a voicemail message. `evidence` are the ids of the
    provider's messages recorded so far.

    `permit` is why the last request was allowed; None for calls that were requested
    before permits were stored. `group` is that of the contact at the claim, None if it
    was not known. `arm` is that of the last request, None without a comparison.

    `history` is that of the contact before this call; it and `terms_version`, that of
    the campaign's terms, are None if no report is needed to decide what follows. `plan`
    is why the call, or the one that it repeats after a fault, was planned; None for a
    first one.
    `requested_at` and `end_recorded_at` are when we stored the last request, and the
    end; `time_zones` are those to which the number may belong. `callback_at` is the
    time for which the contact asked for another call, `callback_source` how we know.
    """

    id: UUID
    campaign_id: UUID
    contact_id: UUID
    attempt: int
    claimed_at: datetime
    terms_version: int | None
    history: ContactHistory | None
    plan: PlanKind | None
    group: ContactGroup | None
    requested_at: datetime | None
    end_recorded_at: datetime | None
    time_zones: tuple[str, ...]
    callback_at: datetime | None
    callback_source: DispositionSource | None
    status: CallStatus
    standing: ContactStatus
    capacity_refusals: int
    platform_refusals: int
    requests: int
    unknowns: int
    request_open: bool
    outcome_unknown: bool
    hang_up_requested: bool
    provider_call_id: str | None
    other_provider_call_ids: frozenset[str]
    suspected_provider_call_ids: frozenset[str]
    dial_before: datetime | None
    number_key: str | None
    voicemail_allowed: bool
    permit: Permit | None
    arm: AssignedArm | None
    placed_at: datetime | None
    bound_by_message: bool
    known: Known
    ended_words: VaultText | None
    disposition: Disposition | None
    disposition_source: DispositionSource | None
    ended: bool
    settled: bool
    grades: frozenset[ReportGrade]
    evidence: frozenset[UUID]

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
    def deferred(self) -> bool:
        """Whether the call waits to be requested again."""
        return self.live and self.standing is ContactStatus.PENDING

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
        self._record(fact, at, by, was=self.standing, standing=to, **fields)

    def _record(
        self, fact: type[CallEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        """Create an event and apply it to the state; `Call`, the aggregate, does it."""
        raise NotImplementedError

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
