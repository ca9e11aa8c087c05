"""One attempt to reach one contact; another attempt is a new Call.

The life of a call, with the command and the event of each step:

1. Claimed: `create` (Created), again after a deferral `requeue` (Requeued).
2. Requested from the provider: `request`, `renew_request` (Requested).
3. Accepted `place` (Placed); refused `refuse` (Deferred, Rejected); not sent `defer`
   (Deferred); no answer `lose_outcome` (OutcomeUnknown), `settle_absent` (Deferred).
4. Under way: `ring` (Ringing), `answer` (Answered), `confirm` (Confirmed),
   `request_callback` (CallbackRequested), `request_hang_up` (HangUpRequested).
5. Over: `end` (Ended), or given up: `fail` (Failed), `time_out` (TimedOut), `cancel`,
   `withdraw`, `withhold` (Canceled).
6. Reported: `report` (Reported), `set_disposition`, `withdraw_callback`.

The provider's messages arrive in any order, so 4 to 6 may precede 3; `receive` records
one that says nothing new. `suspect_duplicate`, `dismiss_duplicate`, `detect_duplicate`
are about a second call at the provider. Steps 1 to 3 and giving up are in
`call_dialing`, the others in `call_reporting`, the events in `call_events`.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from domain.calls import call_events as events
from domain.calls import release_1
from domain.calls.call_dialing import DialerCommands
from domain.calls.call_reporting import ProviderCommands
from domain.campaigns.arms import AssignedArm
from domain.contacts.contact_history import ContactHistory, PlanKind
from domain.gate.groups import ContactGroup
from domain.gate.permit import Permit
from domain.outcomes import Disposition, DispositionSource, ReportedOutcome
from domain.calls.reports import STATUS_RANK, Known, Ranks, ReportGrade
from domain.values import (
    CallStatus,
    ContactStatus,
    Evidence,
    Refusal,
    VaultText,
    call_id_of,
)


class Call(DialerCommands, ProviderCommands, Aggregate):
    """The aggregate of one call."""

    TOPIC = "call"

    # Imported here, so that they are the aggregate's own: Call.Placed is a type.
    from domain.calls.call_events import (
        Answered as Answered,
        CallbackIgnored as CallbackIgnored,
        CallbackRequested as CallbackRequested,
        CallbackWithdrawn as CallbackWithdrawn,
        Canceled as Canceled,
        Confirmed as Confirmed,
        Created as Created,
        Deferred as Deferred,
        DispositionSet as DispositionSet,
        DuplicateDetected as DuplicateDetected,
        DuplicateDismissed as DuplicateDismissed,
        DuplicateSuspected as DuplicateSuspected,
        Ended as Ended,
        Failed as Failed,
        HangUpRequested as HangUpRequested,
        MessageReceived as MessageReceived,
        OutcomeUnknown as OutcomeUnknown,
        Placed as Placed,
        Rebound as Rebound,
        Rejected as Rejected,
        Reported as Reported,
        Requested as Requested,
        Requeued as Requeued,
        Ringing as Ringing,
        TimedOut as TimedOut,
    )

    @classmethod
    def create(
        cls,
        *,
        campaign_id: UUID,
        contact_id: UUID,
        attempt: int,
        claim_id: UUID,
        batch: int | None,
        at: datetime,
        by: str,
        was: ContactStatus = ContactStatus.PENDING,
        previous: "Call | None" = None,
        terms_version: int | None = None,
        history: ContactHistory | None = None,
        plan: PlanKind | None = None,
        group: ContactGroup | None = None,
    ) -> Self:
        """Claim a contact; `previous` is its call before this one, if there was any.

        The new call continues to count the contact's refusals. `terms_version` and
        `history` are given if the report of the call decides what follows; `plan` is
        the kind of the planned attempt that this call is. Without a plan it is the
        first call, or repeats `previous`, in which nothing rang.
        """
        return cls._create(
            cls.Created,
            id=call_id_of(contact_id, attempt),
            timestamp=at,
            actor=by,
            campaign_id=campaign_id,
            contact_id=contact_id,
            attempt=attempt,
            claim_id=claim_id,
            batch=batch,
            was=was,
            standing=ContactStatus.QUEUED,
            capacity_refusals=previous.capacity_refusals if previous else 0,
            platform_refusals=previous.platform_refusals if previous else 0,
            terms_version=terms_version,
            history=history,
            plan=plan,
            repeats=previous.plan if previous and plan is None else None,
            group=group,
        )

    @event(Created)
    def __init__(
        self,
        campaign_id: UUID,
        contact_id: UUID,
        attempt: int,
        capacity_refusals: int,
        platform_refusals: int,
        terms_version: int | None,
        history: ContactHistory | None,
        plan: PlanKind | None,
        repeats: PlanKind | None,
        group: ContactGroup | None,
    ) -> None:
        self.group, self.plan = group, plan or repeats
        self.campaign_id, self.contact_id = campaign_id, contact_id
        self.attempt, self.claimed_at = attempt, self.created_on
        self.terms_version, self.history = terms_version, history
        self.capacity_refusals = capacity_refusals
        self.platform_refusals = platform_refusals
        self.status, self.standing = CallStatus.QUEUED, ContactStatus.QUEUED
        self.requests = self.unknowns = 0
        self.request_open = self.outcome_unknown = self.hang_up_requested = False
        self.bound_by_message = self.ended = self.settled = False
        self.requested_at = self.dial_before = self.number_key = None
        self.permit = self.arm = self.callback_at = self.callback_source = None
        self.provider_call_id = self.placed_at = self.end_recorded_at = None
        self.other_provider_call_ids = self.suspected_provider_call_ids = frozenset()
        self.known, self.time_zones, self.voicemail_allowed = Known(), (), False
        self.ended_words = self.disposition = self.disposition_source = None
        self.grades, self.evidence = frozenset(), frozenset()

    def _record(
        self, fact: type[events.CallEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        # The library derives classes of the aggregate's own from those in `events`.
        own: type[events.CallEvent] = getattr(self, fact.__name__)
        self.trigger_event(
            own,
            timestamp=at,
            actor=by,
            campaign_id=self.campaign_id,
            contact_id=self.contact_id,
            **fields,
        )

    # --- Mutators -------------------------------------------------------------

    @event(Requeued)
    def _requeued(self, standing: ContactStatus, timestamp: datetime) -> None:
        self.standing, self.claimed_at = standing, timestamp
        self.request_open = self.outcome_unknown = False

    @event(Requested)
    def _requested(
        self,
        number: int,
        dial_before: datetime,
        number_key: str | None,
        time_zones: tuple[str, ...],
        permit: Permit | None,
        timestamp: datetime,
        arm: AssignedArm | None,
        *,
        voicemail_allowed: bool,
    ) -> None:
        self.requests, self.dial_before, self.request_open = number, dial_before, True
        self.number_key, self.time_zones = number_key, time_zones
        self.permit, self.arm = permit, arm
        self.voicemail_allowed = self.voicemail_allowed or voicemail_allowed
        self.requested_at = timestamp

    @event(Placed)
    def _placed(
        self,
        provider_call_id: str,
        placed_at: datetime,
        standing: ContactStatus,
        evidence: Evidence | None,
    ) -> None:
        self.provider_call_id, self.placed_at = provider_call_id, placed_at
        self.bound_by_message = evidence is not None
        self.standing = standing
        self.request_open = self.outcome_unknown = False
        self._keep(evidence)

    @event(Rebound)
    def _rebound(self, provider_call_id: str, placed_at: datetime) -> None:
        self.provider_call_id, self.placed_at = provider_call_id, placed_at
        self.bound_by_message = False

    @event(Deferred)
    def _deferred(self, standing: ContactStatus, refusal: Refusal | None) -> None:
        self.standing = standing
        self._count(refusal)
        self.request_open = self.outcome_unknown = False

    @event(OutcomeUnknown)
    def _outcome_lost(self) -> None:
        self.outcome_unknown, self.unknowns = True, self.unknowns + 1

    @event(Rejected)
    def _rejected(
        self, standing: ContactStatus, outcome: ReportedOutcome | None
    ) -> None:
        self.status, self.standing = CallStatus.FAILED, standing
        self.request_open = False
        self._give_up(outcome)

    @event(Ringing)
    def _ringing(self, standing: ContactStatus, evidence: Evidence | None) -> None:
        self.status, self.standing = CallStatus.RINGING, standing
        self._keep(evidence)

    @event(Answered)
    def _answered(
        self,
        answered_at: datetime | None,
        standing: ContactStatus,
        evidence: Evidence | None,
    ) -> None:
        self.status = CallStatus.IN_PROGRESS if self.live else self.status
        self.standing = standing
        if answered_at is not None:
            ranks = replace(self.known.ranks, started_at=STATUS_RANK)
            self.known = replace(self.known, started_at=answered_at, ranks=ranks)
        self._keep(evidence)

    @event(Ended)
    def _ended(
        self,
        reason: str | None,
        ended_at: datetime | None,
        standing: ContactStatus,
        evidence: Evidence | None,
        ranks: Ranks | None,
        refusal: Refusal | None,
        words: VaultText | None,
        outcome: ReportedOutcome | None,
        timestamp: datetime,
    ) -> None:
        if self.live:
            self.end_recorded_at = timestamp
            failed = standing is ContactStatus.FAILED
            self.status = CallStatus.FAILED if failed else CallStatus.ENDED
        self.standing, self.ended = standing, True
        self.ended_words = words
        self._count(refusal)
        if ranks is None:
            self.known = release_1.known_after_end(
                self.known, reason, ended_at, outcome
            )
        else:
            self.known = replace(
                self.known,
                reason=reason,
                ended_at=ended_at,
                outcome=outcome if ranks.outcome else None,
                ranks=ranks,
            )
        self._keep(evidence)

    @event(Reported)
    def _reported(
        self,
        grade: int,
        reason: str | None,
        started_at: datetime | None,
        ended_at: datetime | None,
        duration_seconds: int | None,
        cost: Decimal | None,
        evidence: Evidence | None,
        ranks: Ranks | None,
        best_message_id: UUID | None,
        outcome: ReportedOutcome | None,
        *,
        settled: bool,
    ) -> None:
        if ranks is None:
            stored = evidence.message_id if evidence else self.known.message_id
            self.known = release_1.known_after_report(
                grade=grade,
                reason=reason,
                started_at=started_at,
                ended_at=ended_at,
                duration_seconds=duration_seconds,
                cost=cost,
                message_id=stored,
                outcome=outcome,
            )
        else:
            self.known = Known(
                reason=reason,
                started_at=started_at,
                ended_at=ended_at,
                duration_seconds=duration_seconds,
                cost=cost,
                message_id=best_message_id,
                outcome=outcome if ranks.outcome else None,
                ranks=ranks,
            )
        self.grades |= {ReportGrade(grade)}
        self.settled = self.settled or settled
        self._keep(evidence)

    @event(DispositionSet)
    def _disposition_set(
        self,
        disposition: Disposition | None,
        source: DispositionSource,
        evidence: Evidence | None,
    ) -> None:
        self.disposition, self.disposition_source = disposition, source
        self._keep(evidence)

    @event(Confirmed)
    def _confirmed(self) -> None:
        """Nothing changes but the time of the last event."""

    @event(MessageReceived)
    def _message_received(self, evidence: Evidence) -> None:
        self._keep(evidence)

    @event(HangUpRequested)
    def _hang_up_requested(self) -> None:
        self.hang_up_requested = True

    @event(DuplicateDetected)
    def _duplicate_detected(self, provider_call_id: str) -> None:
        self.other_provider_call_ids |= {provider_call_id}
        self.suspected_provider_call_ids -= {provider_call_id}

    @event(DuplicateSuspected)
    def _duplicate_suspected(self, provider_call_id: str) -> None:
        self.suspected_provider_call_ids |= {provider_call_id}

    @event(DuplicateDismissed)
    def _duplicate_dismissed(self, provider_call_id: str) -> None:
        self.suspected_provider_call_ids -= {provider_call_id}

    @event(TimedOut)
    def _timed_out(
        self, standing: ContactStatus, outcome: ReportedOutcome | None
    ) -> None:
        self.status, self.standing = CallStatus.TIMEOUT, standing
        self._give_up(outcome)

    @event(Failed)
    def _failed(self, standing: ContactStatus, outcome: ReportedOutcome | None) -> None:
        self.status, self.standing = CallStatus.FAILED, standing
        self.request_open = self.outcome_unknown = False
        self._give_up(outcome)

    @event(Canceled)
    def _canceled(
        self, standing: ContactStatus, outcome: ReportedOutcome | None
    ) -> None:
        self.status, self.standing = CallStatus.CANCELED, standing
        self._give_up(outcome)

    @event(CallbackRequested)
    def _callback_requested(self, due_at: datetime, source: DispositionSource) -> None:
        self.callback_at, self.callback_source = due_at, source

    @event(CallbackWithdrawn)
    def _callback_withdrawn(self) -> None:
        self.callback_at = self.callback_source = None

    @event(CallbackIgnored)
    def _callback_ignored(self) -> None:
        """Nothing changes but the time of the last event."""
