"""One attempt to reach one contact; another attempt is a new Call.

`Call` shows the life of a call step by step: which commands belong to the step, its
events, and what each event changes. The provider's messages arrive in any order, so
that a later step may precede an earlier one. `call_state` defines the state. Commands
and events are in the folders of these names, each in four modules:

- `dialing`: claims, requests, refusals, hang-ups and giving up, for the dialer;
- `identity`: the call's id at the provider, and second calls under it;
- `reporting`: what the provider reports, from the ringing to the last report;
- `results`: the disposition, and a callback that the contact asked for.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from domain.calls import release_1
from domain.calls.commands.dialing import DialerCommands
from domain.calls.commands.identity import IdentityCommands
from domain.calls.commands.reporting import ProviderCommands
from domain.calls.commands.results import ResultCommands
from domain.campaigns.arms import AssignedArm
from domain.contacts.contact_history import ContactHistory, PlanKind
from domain.gate.groups import ContactGroup
from domain.gate.permit import Permit
from domain.outcomes import Disposition, DispositionSource, ReportedOutcome
from domain.calls.reports import STATUS_RANK, Known, Ranks, ReportGrade
from domain.states import STATUS_AFTER_END
from domain.values import (
    CallStatus,
    ContactStatus,
    Evidence,
    Refusal,
    VaultText,
    call_id_of,
)


class Call(
    DialerCommands, IdentityCommands, ProviderCommands, ResultCommands, Aggregate
):
    """The aggregate of one call."""

    TOPIC = "call"

    # The library derives the aggregate's own events from those imported below.

    # --- 1. Claimed --------------------------------------------------------------
    # Commands: `create`, and after a deferral `requeue`.

    from domain.calls.events.dialing import Created as Created, Requeued as Requeued

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
        self.campaign_id, self.contact_id = campaign_id, contact_id
        self.attempt, self.claimed_at = attempt, self.created_on
        self.terms_version, self.history = terms_version, history
        self.plan, self.group = plan or repeats, group
        self.capacity_refusals = capacity_refusals
        self.platform_refusals = platform_refusals

    @event(Requeued)
    def _requeued(self, standing: ContactStatus, timestamp: datetime) -> None:
        self.contact_status, self.claimed_at = standing, timestamp
        self.request_open = self.outcome_unknown = False

    # --- 2. Requested from the provider ------------------------------------------
    # Commands: `request`, `renew_request`.

    from domain.calls.events.dialing import Requested as Requested

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

    # --- 3. Accepted, refused or not sent ----------------------------------------
    # Commands: `place`, `refuse`, `defer`, `wait`, `lose_outcome`, `settle_absent`.

    from domain.calls.events.dialing import (
        Deferred as Deferred,
        OutcomeUnknown as OutcomeUnknown,
        Rejected as Rejected,
    )
    from domain.calls.events.identity import Placed as Placed, Rebound as Rebound

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
        self.contact_status = standing
        self.request_open = self.outcome_unknown = False
        self._keep(evidence)

    @event(Rebound)
    def _rebound(self, provider_call_id: str, placed_at: datetime) -> None:
        self.provider_call_id, self.placed_at = provider_call_id, placed_at
        self.bound_by_message = False

    @event(Deferred)
    def _deferred(self, standing: ContactStatus, refusal: Refusal | None) -> None:
        self.contact_status = standing
        self._count(refusal)
        self.request_open = self.outcome_unknown = False

    @event(OutcomeUnknown)
    def _outcome_lost(self) -> None:
        self.outcome_unknown, self.unknowns = True, self.unknowns + 1

    @event(Rejected)
    def _rejected(
        self, standing: ContactStatus, outcome: ReportedOutcome | None
    ) -> None:
        self.status, self.contact_status = CallStatus.FAILED, standing
        self.request_open = False
        self._give_up(outcome)

    # --- 4. Under way ------------------------------------------------------------
    # Commands: `ring`, `answer`, `confirm`, `receive`, `request_hang_up`.

    from domain.calls.events.reporting import (
        Answered as Answered,
        Confirmed as Confirmed,
        MessageReceived as MessageReceived,
        Ringing as Ringing,
    )
    from domain.calls.events.dialing import HangUpRequested as HangUpRequested

    @event(Ringing)
    def _ringing(self, standing: ContactStatus, evidence: Evidence | None) -> None:
        self.status, self.contact_status = CallStatus.RINGING, standing
        self._keep(evidence)

    @event(Answered)
    def _answered(
        self,
        answered_at: datetime | None,
        standing: ContactStatus,
        evidence: Evidence | None,
    ) -> None:
        self.status = CallStatus.IN_PROGRESS if self.live else self.status
        self.contact_status = standing
        if answered_at is not None:
            ranks = replace(self.known.ranks, started_at=STATUS_RANK)
            self.known = replace(self.known, started_at=answered_at, ranks=ranks)
        self._keep(evidence)

    @event(MessageReceived)
    def _message_received(self, evidence: Evidence) -> None:
        self._keep(evidence)

    @event(HangUpRequested)
    def _hang_up_requested(self) -> None:
        self.hang_up_requested = True

    # --- 5. Over, or given up ----------------------------------------------------
    # Commands: `end`, `time_out`, `fail`, `cancel`, `withdraw`, `withhold`.

    from domain.calls.events.dialing import (
        Canceled as Canceled,
        Failed as Failed,
        TimedOut as TimedOut,
    )
    from domain.calls.events.reporting import Ended as Ended

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
            self.status = STATUS_AFTER_END[standing]
        self.contact_status, self.ended = standing, True
        self.end_explanation = words
        self._count(refusal)
        end: dict[str, Any] = {"reason": reason, "ended_at": ended_at}
        if ranks is None:
            end |= {"outcome": outcome}
            self.known = release_1.known_after_end(self.known, **end)
        else:
            end |= {"outcome": outcome if ranks.outcome else None}
            self.known = replace(self.known, **end, ranks=ranks)
        self._keep(evidence)

    @event(TimedOut)
    def _timed_out(
        self, standing: ContactStatus, outcome: ReportedOutcome | None
    ) -> None:
        self.status, self.contact_status = CallStatus.TIMEOUT, standing
        self._give_up(outcome)

    @event(Failed)
    def _failed(self, standing: ContactStatus, outcome: ReportedOutcome | None) -> None:
        self.status, self.contact_status = CallStatus.FAILED, standing
        self.request_open = self.outcome_unknown = False
        self._give_up(outcome)

    @event(Canceled)
    def _canceled(
        self, standing: ContactStatus, outcome: ReportedOutcome | None
    ) -> None:
        self.status, self.contact_status = CallStatus.CANCELED, standing
        self._give_up(outcome)

    # --- 6. Reported -------------------------------------------------------------
    # Commands: `report`.

    from domain.calls.events.reporting import Reported as Reported

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
        values: dict[str, Any] = {
            "reason": reason,
            "started_at": started_at,
            "ended_at": ended_at,
            "duration_seconds": duration_seconds,
            "cost": cost,
        }
        if ranks is None:
            stored = evidence.message_id if evidence else self.known.message_id
            values |= {"message_id": stored, "outcome": outcome}
            self.known = release_1.known_after_report(grade=grade, **values)
        else:
            outcome = outcome if ranks.outcome else None
            values |= {"message_id": best_message_id, "outcome": outcome}
            self.known = Known(**values, ranks=ranks)
        self.grades |= {ReportGrade(grade)}
        self.settled = self.settled or settled
        self._keep(evidence)

    # --- 7. Results --------------------------------------------------------------
    # Commands: `set_disposition`, `request_callback`, `withdraw_callback`,
    # `ignore_callback`.

    from domain.calls.events.results import (
        CallbackIgnored as CallbackIgnored,
        CallbackRequested as CallbackRequested,
        CallbackWithdrawn as CallbackWithdrawn,
        DispositionSet as DispositionSet,
    )

    @event(DispositionSet)
    def _disposition_set(
        self,
        disposition: Disposition | None,
        source: DispositionSource,
        evidence: Evidence | None,
    ) -> None:
        self.disposition, self.disposition_source = disposition, source
        self._keep(evidence)

    @event(CallbackRequested)
    def _callback_requested(self, due_at: datetime, source: DispositionSource) -> None:
        self.callback_at, self.callback_source = due_at, source

    @event(CallbackWithdrawn)
    def _callback_withdrawn(self) -> None:
        self.callback_at = self.callback_source = None

    # --- At any time: a second call at the provider ------------------------------
    # Commands: `suspect_duplicate`, `dismiss_duplicate`, `detect_duplicate`.

    from domain.calls.events.identity import (
        DuplicateDetected as DuplicateDetected,
        DuplicateDismissed as DuplicateDismissed,
        DuplicateSuspected as DuplicateSuspected,
    )

    @event(DuplicateSuspected)
    def _duplicate_suspected(self, provider_call_id: str) -> None:
        self.suspected_provider_call_ids |= {provider_call_id}

    @event(DuplicateDismissed)
    def _duplicate_dismissed(self, provider_call_id: str) -> None:
        self.suspected_provider_call_ids -= {provider_call_id}

    @event(DuplicateDetected)
    def _duplicate_detected(self, provider_call_id: str) -> None:
        self.other_provider_call_ids |= {provider_call_id}
        self.suspected_provider_call_ids -= {provider_call_id}
