"""One attempt to reach one contact; another attempt is a new Call."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from domain.errors import AnotherProviderCall, MayNotBeRequested, NotDeferred
from domain.refusals import retry_delay
from domain.reports import (
    Known,
    Ranks,
    ReasonDetail,
    Report,
    ReportGrade,
    ranks_of_release_1,
    status_known,
)
from domain.states import LIVE
from domain.upcasts import add_refusal_to_ended
from domain.values import (
    CallStatus,
    ContactStatus,
    Evidence,
    Refusal,
    RefusalKind,
    VaultText,
    call_id_of,
)

MOST_UNKNOWN = 2
"""Requests of one call whose outcome may stay unknown before it is given up."""

REFUSED = {
    RefusalKind.CAPACITY: "not now",
    RefusalKind.ACCOUNT: "account refused",
    RefusalKind.PLATFORM: "refused",
}
"""The reasons of `Deferred` for a request that the provider refused."""

PROGRESS = (CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS)


class CallEvent(Aggregate.Event):
    """What every fact about a call says, so that no reader needs a look-up."""

    actor: str
    campaign_id: UUID
    contact_id: UUID


class ContactStatusChanged(CallEvent):
    """A fact after which the contact may count as something else."""

    was: ContactStatus
    standing: ContactStatus


class Call(Aggregate):
    TOPIC = "call"

    class Created(ContactStatusChanged, Aggregate.Created):
        TOPIC = "call.created"
        attempt: int
        claim_id: UUID
        batch: int | None
        capacity_refusals: int = 0
        platform_refusals: int = 0

    class Requeued(ContactStatusChanged):
        TOPIC = "call.requeued"
        claim_id: UUID
        batch: int | None

    class Requested(CallEvent):
        TOPIC = "call.requested"
        number: int
        dial_before: datetime

    class Placed(ContactStatusChanged):
        TOPIC = "call.placed"
        provider_call_id: str
        placed_at: datetime
        ghost: bool
        evidence: Evidence | None

    class Deferred(ContactStatusChanged):
        TOPIC = "call.deferred"
        reason: str
        until: datetime
        refusal: Refusal | None = None
        earlier_refusals: int = 0

    class OutcomeUnknown(CallEvent):
        TOPIC = "call.outcome_unknown"
        reason: str

    class Rejected(ContactStatusChanged):
        TOPIC = "call.rejected"
        words: VaultText
        refusal: Refusal | None = None

    class Ringing(ContactStatusChanged):
        TOPIC = "call.ringing"
        ringing_at: datetime
        evidence: Evidence | None

    class Answered(ContactStatusChanged):
        TOPIC = "call.answered"
        answered_at: datetime | None
        evidence: Evidence | None

    class Ended(ContactStatusChanged):
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

        class_version = 2

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            """Read an event of release 1, which did not store the refusal."""
            add_refusal_to_ended(state)

        @property
        def ends_it(self) -> bool:
            """Whether the call was live until then: later ends only add details."""
            return self.was is not self.standing

    class Reported(CallEvent):
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

        @property
        def report_message_id(self) -> UUID | None:
            """The stored message with the richest content of all so far."""
            if self.best_message_id is not None or self.evidence is None:
                return self.best_message_id
            return self.evidence.message_id

    class Confirmed(CallEvent):
        TOPIC = "call.confirmed"
        provider_status: str

    class MessageReceived(CallEvent):
        TOPIC = "call.message_received"
        type: str
        evidence: Evidence

    class HangUpRequested(CallEvent):
        TOPIC = "call.hang_up_requested"

    class DuplicateDetected(CallEvent):
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
        TOPIC = "call.timed_out"
        reason: str

    class Failed(ContactStatusChanged):
        TOPIC = "call.failed"
        reason: str

    class Canceled(ContactStatusChanged):
        TOPIC = "call.canceled"

    # --- Claimed --------------------------------------------------------------

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
    ) -> Self:
        """Claim a contact; `previous` is its call before this one, if there was any.

        The new call goes on counting the contact's refusals where that one stopped.
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
        )

    @event(Created)
    def __init__(
        self,
        campaign_id: UUID,
        contact_id: UUID,
        attempt: int,
        capacity_refusals: int,
        platform_refusals: int,
    ) -> None:
        self.capacity_refusals = capacity_refusals
        self.platform_refusals = platform_refusals
        self.campaign_id, self.contact_id = campaign_id, contact_id
        self.attempt, self.claimed_at = attempt, self.created_on
        self.status, self.standing = CallStatus.QUEUED, ContactStatus.QUEUED
        self.requests = self.unknowns = 0
        self.request_open = self.outcome_unknown = self.hang_up_requested = False
        self.provider_call_id: str | None = None
        self.other_provider_call_ids: frozenset[str] = frozenset()
        self.suspected_provider_call_ids: frozenset[str] = frozenset()
        self.dial_before: datetime | None = None
        self.placed_at: datetime | None = None
        self.bound_by_message = False
        self.known = Known()
        self.ended_words: VaultText | None = None
        self.ended = self.settled = False
        self.grades: frozenset[ReportGrade] = frozenset()
        self.evidence: frozenset[UUID] = frozenset()

    @property
    def started_at(self) -> datetime | None:
        return self.known.started_at

    @property
    def ended_at(self) -> datetime | None:
        return self.known.ended_at

    @property
    def ended_reason(self) -> str | None:
        return self.known.reason

    @property
    def duration_seconds(self) -> int | None:
        return self.known.duration_seconds

    @property
    def cost(self) -> Decimal | None:
        """US dollars; None until the provider names a cost or one is booked."""
        return self.known.cost

    @property
    def grade(self) -> ReportGrade:
        """The highest grade of the reports so far."""
        return max(self.grades, default=ReportGrade.NONE)

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def deferred(self) -> bool:
        return self.live and self.standing is ContactStatus.PENDING

    @property
    def waiting(self) -> bool:
        """Claimed, and nothing at the provider is known to carry it."""
        return (
            self.status is CallStatus.QUEUED
            and not self.deferred
            and self.provider_call_id is None
        )

    def requeue(
        self, *, claim_id: UUID, batch: int | None, at: datetime, by: str
    ) -> None:
        if not self.deferred:
            raise NotDeferred(f"Call {self.id} is {self.status}, not deferred.")
        to = ContactStatus.QUEUED
        self._move(self.Requeued, to, at, by, claim_id=claim_id, batch=batch)

    # --- Requested, and what came of it ---------------------------------------

    def request(self, *, dial_before: datetime, at: datetime, by: str) -> None:
        """Allow one request to the provider, to be sent before `dial_before`."""
        if not self.waiting or self.request_open:
            raise MayNotBeRequested(f"Call {self.id} may not be requested now.")
        self._request(dial_before, at, by)

    def renew_request(self, *, dial_before: datetime, at: datetime, by: str) -> None:
        """Allow one more after a request that provably never left."""
        if not self.waiting or not self.request_open or self.outcome_unknown:
            raise MayNotBeRequested(f"Call {self.id} has no request to renew.")
        self._request(dial_before, at, by)

    def _request(self, dial_before: datetime, at: datetime, by: str) -> None:
        number = self.requests + 1
        self._record(self.Requested, at, by, number=number, dial_before=dial_before)

    def place(
        self,
        *,
        provider_call_id: str,
        placed_at: datetime,
        at: datetime,
        by: str,
        evidence: Evidence | None = None,
    ) -> None:
        if self.provider_call_id is None:
            self._move(
                self.Placed,
                ContactStatus(self.status) if self.live else self.standing,
                at,
                by,
                provider_call_id=provider_call_id,
                placed_at=placed_at,
                ghost=not self.live and not self.ended,
                evidence=evidence,
            )
        elif self.provider_call_id != provider_call_id:
            raise AnotherProviderCall(self.id, self.provider_call_id, provider_call_id)

    def defer(self, *, reason: str, until: datetime, at: datetime, by: str) -> None:
        """Free the slot: nobody was rung, the call may be requested once more.

        An unknown outcome keeps its slot until it is placed or settled as absent.
        """
        if self.waiting and not self.outcome_unknown:
            self._defer(reason, until, at, by)

    def lose_outcome(self, *, reason: str, at: datetime, by: str) -> None:
        """Keep the slot: the provider may or may not have acted."""
        if self.waiting and self.request_open and not self.outcome_unknown:
            self._record(self.OutcomeUnknown, at, by, reason=reason)

    def settle_absent(self, *, until: datetime, at: datetime, by: str) -> None:
        """The provider does not have it: once more, or given up the second time."""
        if not self.outcome_unknown or not self.waiting:
            return
        if self.unknowns < MOST_UNKNOWN:
            self._defer("absent", until, at, by)
        else:
            self.fail(reason="outcome unknown", at=at, by=by)

    def _defer(
        self,
        reason: str,
        until: datetime,
        at: datetime,
        by: str,
        refusal: Refusal | None = None,
    ) -> None:
        to = ContactStatus.PENDING
        self._move(
            self.Deferred,
            to,
            at,
            by,
            reason=reason,
            until=until,
            refusal=refusal,
            earlier_refusals=self._earlier(refusal),
        )

    def refuse(
        self,
        refusal: Refusal,
        *,
        words: VaultText,
        until: datetime,
        at: datetime,
        by: str,
    ) -> None:
        """Record that the provider refused the request; nobody was rung.

        The contact fails if the refusal is about it, or after the last retry;
        otherwise it waits at least until `until`, when its line may be used again.
        """
        if not self.waiting or self.outcome_unknown:
            return
        delay = self._retry_delay(refusal)
        if delay is None:
            fields = {"words": words, "refusal": refusal}
            self._move(self.Rejected, ContactStatus.FAILED, at, by, **fields)
            return
        if refusal.kind is RefusalKind.PLATFORM:
            until = max(until, at + delay)
        self._defer(REFUSED[refusal.kind], until, at, by, refusal)

    # --- At the provider ------------------------------------------------------

    def ring(
        self, *, ringing_at: datetime, at: datetime, by: str, evidence: Evidence | None
    ) -> None:
        if self.status is CallStatus.QUEUED:
            to = ContactStatus.RINGING
            fields = {"ringing_at": ringing_at, "evidence": evidence}
            self._move(self.Ringing, to, at, by, **fields)

    def answer(
        self,
        *,
        answered_at: datetime | None,
        at: datetime,
        by: str,
        evidence: Evidence | None,
    ) -> None:
        """Record the answer, or a transfer (without a time: it says no pick-up)."""
        known = self.known.merged_with(status_known(started_at=answered_at))
        news = known != self.known
        moves = self.live and self.status is not CallStatus.IN_PROGRESS
        if news or moves:
            to = ContactStatus.IN_PROGRESS if self.live else self.standing
            fields = {"answered_at": answered_at if news else None}
            self._move(self.Answered, to, at, by, evidence=evidence, **fields)

    def end(
        self,
        *,
        reason: str | None,
        ended_at: datetime | None,
        at: datetime,
        by: str,
        evidence: Evidence | None,
        detail: ReasonDetail = ReasonDetail.SPECIFIC,
        refusal: Refusal | None = None,
        words: VaultText | None = None,
    ) -> None:
        """Record the end, or what a later status message adds to it.

        `refusal` is what the reason means if the call was never answered: the contact
        is then called again, or fails, as `retry_delay` says. `words` refer to the
        provider's explanation of the reason.
        """
        told = status_known(reason=reason, detail=detail, ended_at=ended_at)
        known = self.known.merged_with(told)
        if not self.ended or known != self.known or self._is_explained_by(words):
            self._end(known, at, by, evidence, refusal, words)

    def _end(
        self,
        known: Known,
        at: datetime,
        by: str,
        evidence: Evidence | None,
        refusal: Refusal | None,
        words: VaultText | None,
    ) -> None:
        answered = known.started_at or self.status is CallStatus.IN_PROGRESS
        if answered or not self.live:
            refusal = None
        delay = self._retry_delay(refusal) if refusal else None
        self._move(
            self.Ended,
            self._standing_after_end(refusal, again=delay is not None),
            at,
            by,
            reason=known.reason,
            ended_at=known.ended_at,
            another_attempt=delay is not None,
            awaits_report=not self.ended,
            evidence=evidence,
            ranks=replace(
                self.known.ranks,
                reason=known.ranks.reason,
                ended_at=known.ranks.ended_at,
            ),
            refusal=refusal,
            earlier_refusals=self._earlier(refusal),
            retry_at=at + delay if delay else None,
            words=self.ended_words or words,
        )

    def report(
        self,
        report: Report,
        *,
        at: datetime,
        by: str,
        evidence: Evidence | None,
        refusal: Refusal | None = None,
        words: VaultText | None = None,
    ) -> None:
        """Record what a report adds to, or corrects in, what the others contained.

        It ends a call whose end was missed, but changes no terminal status. The event
        contains the merged values. While the call awaits a final report, a report that
        adds nothing is recorded if it is final or the first of its grade. `refusal` and
        `words` are as for `end`.
        """
        if report.grade is ReportGrade.NONE:
            return
        known = self.known.merged_with(report.known(evidence))
        if not self.ended or self._is_explained_by(words):
            end = self.known if self.ended else known
            self._end(end, at, by, evidence, refusal, words)
        first = report.grade not in self.grades or report.is_final
        if known != self.known or (first and not self.settled):
            self._report(known, report, at, by, evidence)

    def _report(
        self,
        known: Known,
        report: Report,
        at: datetime,
        by: str,
        evidence: Evidence | None,
    ) -> None:
        self._record(
            self.Reported,
            at,
            by,
            grade=int(report.grade),
            queued_at=self.claimed_at,
            reason=known.reason,
            started_at=known.started_at,
            ended_at=known.ended_at,
            duration_seconds=known.duration_seconds,
            cost=known.cost,
            cost_was=self.cost,
            awaited=not self.settled,
            settled=self.settled or report.is_final,
            evidence=evidence,
            ranks=known.ranks,
            best_message_id=known.message_id,
            cost_is_expected=known.cost_is_expected,
            cost_was_expected=self.known.cost_is_expected,
            duration_seconds_was=self.duration_seconds,
        )

    def confirm(self, *, provider_status: str, at: datetime, by: str) -> None:
        """The provider was asked and shows it live."""
        if self.live:
            self._record(self.Confirmed, at, by, provider_status=provider_status)

    def receive(self, *, type_: str, evidence: Evidence, at: datetime, by: str) -> None:
        """Keep a message that says nothing new; a repeat of it is silence."""
        if evidence.message_id not in self.evidence:
            self._record(self.MessageReceived, at, by, type=type_, evidence=evidence)

    def request_hang_up(self, *, at: datetime, by: str) -> None:
        if self.live and not self.hang_up_requested:
            self._record(self.HangUpRequested, at, by)

    def suspect_duplicate(
        self, *, provider_call_id: str, at: datetime, by: str
    ) -> None:
        """Record that a webhook names this call with another provider id.

        One message proves nothing: the provider is asked before all dialling stops.
        """
        known = self.other_provider_call_ids | self.suspected_provider_call_ids
        if provider_call_id not in known:
            self._record(
                self.DuplicateSuspected, at, by, provider_call_id=provider_call_id
            )

    def dismiss_duplicate(
        self, *, provider_call_id: str, at: datetime, by: str
    ) -> None:
        """Drop a suspicion that the provider did not confirm."""
        if provider_call_id in self.suspected_provider_call_ids:
            self._record(
                self.DuplicateDismissed, at, by, provider_call_id=provider_call_id
            )

    def detect_duplicate(self, *, provider_call_id: str, at: datetime, by: str) -> None:
        """Record a second call that the provider itself shows under this one."""
        if provider_call_id not in self.other_provider_call_ids:
            self._record(
                self.DuplicateDetected, at, by, provider_call_id=provider_call_id
            )

    # --- Ended by us ----------------------------------------------------------

    def time_out(self, *, reason: str, at: datetime, by: str) -> None:
        """Give up a placed call of which the provider knows nothing any more."""
        if self.live and self.provider_call_id is not None:
            self._move(self.TimedOut, ContactStatus.TIMEOUT, at, by, reason=reason)

    def fail(self, *, reason: str, at: datetime, by: str) -> None:
        if self.waiting:
            self._move(self.Failed, ContactStatus.FAILED, at, by, reason=reason)

    def cancel(self, *, at: datetime, by: str) -> None:
        """Take back a claim that was never requested."""
        if self.waiting and not self.request_open:
            self._move(self.Canceled, ContactStatus.CANCELED, at, by)

    def withdraw(self, *, at: datetime, by: str) -> None:
        """Give up a deferred call, whose contact was erased."""
        if self.deferred:
            self._move(self.Canceled, ContactStatus.CANCELED, at, by)

    # --- Decisions that several commands share --------------------------------

    def _is_explained_by(self, words: VaultText | None) -> bool:
        """Return whether this is the first explanation of the end."""
        return words is not None and self.ended_words is None

    def _retry_delay(self, refusal: Refusal) -> timedelta | None:
        return retry_delay(refusal.kind, self._earlier(refusal))

    def _earlier(self, refusal: Refusal | None) -> int:
        """Count the contact's refusals of the same kind before this one."""
        if refusal is None:
            return 0
        capacity = refusal.kind is RefusalKind.CAPACITY
        return self.capacity_refusals if capacity else self.platform_refusals

    def _standing_after_end(
        self, refusal: Refusal | None, *, again: bool
    ) -> ContactStatus:
        if not self.live:
            return self.standing
        if again:
            return ContactStatus.PENDING
        return ContactStatus.FAILED if refusal else ContactStatus.ENDED

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
        self.trigger_event(
            fact,
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
    def _requested(self, number: int, dial_before: datetime) -> None:
        self.requests, self.dial_before, self.request_open = number, dial_before, True

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

    @event(Deferred)
    def _deferred(self, standing: ContactStatus, refusal: Refusal | None) -> None:
        self.standing = standing
        self._count(refusal)
        self.request_open = self.outcome_unknown = False

    @event(OutcomeUnknown)
    def _outcome_lost(self) -> None:
        self.outcome_unknown, self.unknowns = True, self.unknowns + 1

    @event(Rejected)
    def _rejected(self, standing: ContactStatus) -> None:
        self.status, self.standing = CallStatus.FAILED, standing
        self.request_open = False

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
        told = status_known(started_at=answered_at)
        self.known = self.known.merged_with(told)
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
    ) -> None:
        if self.live:
            failed = standing is ContactStatus.FAILED
            self.status = CallStatus.FAILED if failed else CallStatus.ENDED
        self.standing, self.ended = standing, True
        self.ended_words = words
        self._count(refusal)
        if ranks is None:  # Stored by release 1, which only added what was missing.
            told = status_known(reason=reason, ended_at=ended_at)
            self.known = self.known.merged_with(told)
        else:
            told = replace(self.known, reason=reason, ended_at=ended_at)
            self.known = replace(told, ranks=ranks)
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
        *,
        settled: bool,
    ) -> None:
        known = Known(
            reason=reason,
            started_at=started_at,
            ended_at=ended_at,
            duration_seconds=duration_seconds,
            cost=cost,
            message_id=best_message_id,
        )
        if ranks is None:
            stored = evidence.message_id if evidence else self.known.message_id
            known = replace(known, message_id=stored)
            ranks = ranks_of_release_1(known, grade)
        self.known = replace(known, ranks=ranks)
        self.grades |= {ReportGrade(grade)}
        self.settled = self.settled or settled
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
    def _timed_out(self, standing: ContactStatus) -> None:
        self.status, self.standing = CallStatus.TIMEOUT, standing

    @event(Failed)
    def _failed(self, standing: ContactStatus) -> None:
        self.status, self.standing = CallStatus.FAILED, standing
        self.request_open = self.outcome_unknown = False

    @event(Canceled)
    def _canceled(self, standing: ContactStatus) -> None:
        self.status, self.standing = CallStatus.CANCELED, standing

    def _count(self, refusal: Refusal | None) -> None:
        if refusal is not None and refusal.kind is RefusalKind.CAPACITY:
            self.capacity_refusals += 1
        elif refusal is not None and refusal.kind is RefusalKind.PLATFORM:
            self.platform_refusals += 1

    def _keep(self, evidence: Evidence | None) -> None:
        if evidence is not None:
            self.evidence |= {evidence.message_id}
