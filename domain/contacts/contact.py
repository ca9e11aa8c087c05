"""A contact of one campaign, apart from its calls: what is planned, and its end.

The stream has no creation event, because most contacts need no event at all: it begins
with whatever is recorded first. In the order of a contact's life:

1. Waits for its first call: `withhold` (WithheldFromCalls) finishes it without one.
2. After a call: `plan_call` (CallPlanned) plans a retry or a callback, `finish`
   (Finished) records that none follows, `withdraw` (Withdrawn) that the call failed.
3. Finished: `return_to_calls` (Returned) plans another call that a member wants.

At any time: `dispose` (Disposed) by a member, and `erase` (Erased). `domain.planning`
decides what follows a call; the events are in `contact_events`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateEvent, BaseAggregate, event

from domain.contacts.contact_events import ContactEvent, FinishReason
from domain.contacts.contact_history import ContactHistory, PlanKind
from domain.errors import WrongState
from domain.outcomes import CallOutcome, Disposition, Withheld
from domain.values import ContactStatus, VaultText


@dataclass(frozen=True, slots=True)
class PlannedAttempt:
    """A further call: attempt number `attempt`, not before `due_at`.

    It is not made at `expires_at` or later. `call_id` is the call after which it was
    planned, `because` the outcome that a rule names, `history` that of the contact
    before the planned call, `terms_version` that of the terms by which it was planned.
    `finished_as` is the status to which the contact returns without the call.
    """

    kind: PlanKind
    call_id: UUID | None
    attempt: int
    due_at: datetime
    expires_at: datetime | None
    because: CallOutcome | None
    terms_version: int
    history: ContactHistory
    finished_as: ContactStatus


class Contact(BaseAggregate[UUID]):
    """The aggregate of one contact.

    `planned` is the attempt that was planned last, in force until its call exists.
    `finished` is why the contact is not called again, `withheld` why it was finished
    without a call. `settled`: this stream, not a call's, changed the status last.
    `disposed`: a member set or cleared the `disposition`, maybe with a `note`.
    """

    TOPIC = "contact"

    class Event(AggregateEvent):
        """Base that the library requires; no event creates a contact."""

    # Imported here, so that they are the aggregate's own: Contact.Erased is a type.
    from domain.contacts.contact_events import (
        Disposed as Disposed,
        Erased as Erased,
        CallPlanned as CallPlanned,
        Finished as Finished,
        Returned as Returned,
        Withdrawn as Withdrawn,
        WithheldFromCalls as WithheldFromCalls,
    )

    # The state, as it is before the first event.
    campaign_id: UUID
    status: ContactStatus = ContactStatus.PENDING
    settled: bool = False
    erased: bool = False
    finished: FinishReason | None = None
    withheld: Withheld | None = None
    planned: PlannedAttempt | None = None
    disposed: bool = False
    disposition: Disposition | None = None
    note: VaultText | None = None

    @classmethod
    def unrecorded(cls, contact_id: UUID, campaign_id: UUID, at: datetime) -> Self:
        """Return the contact as it is before its first event, at version 0."""
        contact = cls.__new__(cls)
        contact.__base_init__(contact_id, 0, at)
        contact.campaign_id = campaign_id
        return contact

    @property
    def may_be_called(self) -> bool:
        """Whether nothing recorded here forbids further calls."""
        return not self.erased and self.withheld is None and self.finished is None

    def plan_after(self, last_attempt: int) -> PlannedAttempt | None:
        """Return the planned attempt if the contact's last call precedes it."""
        planned = self.planned
        return planned if planned and planned.attempt > last_attempt else None

    def plan_for(self, attempt: int) -> PlannedAttempt | None:
        """Return the plan of the call with that number, None if it is not planned."""
        plan = self.plan_after(attempt - 1)
        return plan if plan is not None and plan.attempt == attempt else None

    def status_after(
        self, last_attempt: int, last_status: ContactStatus
    ) -> ContactStatus:
        """Return the contact's status, given the number and status of its last call.

        Without any call these are 0 and PENDING.
        """
        if self.plan_after(last_attempt) is not None:
            return ContactStatus.PENDING
        return self.status if self.settled else last_status

    # --- Commands -------------------------------------------------------------------

    def erase(
        self,
        *,
        was: ContactStatus,
        status: ContactStatus,
        last_attempt: int,
        at: datetime,
        by: str,
    ) -> None:
        """Record that nothing personal is kept of the contact any more."""
        if not self.erased:
            self._move(self.Erased, was, status, last_attempt, at, by)

    def withdraw(self, *, at: datetime, by: str) -> None:
        """Cancel the contact: its last call failed, and no other is allowed."""
        fields = {"was": ContactStatus.PENDING, "standing": ContactStatus.CANCELED}
        self._record(self.Withdrawn, at, by, plan_was=None, **fields)

    def plan_call(
        self, plan: PlannedAttempt, *, was: ContactStatus, at: datetime, by: str
    ) -> None:
        """Plan the next call in place of an earlier plan.

        Raises WrongState if the contact may not be called.
        """
        if not self.may_be_called:
            raise WrongState(f"Contact {self.id} is not to be called again.")
        current = self.plan_after(plan.attempt - 1)
        self._record(
            self.CallPlanned,
            at,
            by,
            was=was,
            standing=ContactStatus.PENDING,
            plan_was=current.kind if current else None,
            call_id=plan.call_id,
            attempt=plan.attempt,
            kind=plan.kind,
            due_at=plan.due_at,
            expires_at=plan.expires_at,
            because=plan.because,
            terms_version=plan.terms_version,
            history=plan.history,
            finished_as=plan.finished_as,
        )

    def finish(
        self,
        reason: FinishReason,
        *,
        was: ContactStatus,
        status: ContactStatus,
        last_attempt: int,
        at: datetime,
        by: str,
    ) -> None:
        """Record that no call follows; `status` is the contact's status from now on."""
        if self.may_be_called:
            move = (was, status, last_attempt)
            self._move(self.Finished, *move, at, by, reason=reason)

    def withhold(
        self,
        reason: Withheld,
        *,
        was: ContactStatus,
        last_attempt: int,
        at: datetime,
        by: str,
    ) -> None:
        """Finish a waiting contact without a call."""
        if self.withheld is None:
            move = (was, ContactStatus.CANCELED, last_attempt)
            self._move(self.WithheldFromCalls, *move, at, by, reason=reason)

    def return_to_calls(
        self,
        *,
        was: ContactStatus,
        attempt: int,
        due_at: datetime,
        terms_version: int,
        history: ContactHistory,
        at: datetime,
        by: str,
    ) -> None:
        """Plan another call to a finished contact, because a member wants it."""
        if self.erased:
            raise WrongState("The contact was erased: it cannot be called again.")
        self._record(
            self.Returned,
            at,
            by,
            was=was,
            standing=ContactStatus.PENDING,
            plan_was=None,
            attempt=attempt,
            due_at=due_at,
            terms_version=terms_version,
            history=history,
            finished_as=was,
        )

    def dispose(
        self,
        disposition: Disposition | None,
        *,
        note: VaultText | None,
        was: ContactStatus,
        at: datetime,
        by: str,
    ) -> None:
        """Set or clear the disposition by hand; `was` is the contact's status."""
        if self.erased:
            raise WrongState("The contact was erased: it has no disposition any more.")
        if (disposition, note) == (self.disposition, self.note) and self.disposed:
            return
        self._record(
            self.Disposed,
            at,
            by,
            was=was,
            standing=was,
            plan_was=None,
            disposition=disposition,
            disposition_was=self.disposition,
            note=note,
        )

    def _move(
        self,
        fact: type[ContactEvent],
        was: ContactStatus,
        status: ContactStatus,
        last_attempt: int,
        at: datetime,
        by: str,
        **fields: Any,
    ) -> None:
        plan = self.plan_after(last_attempt)
        kind = plan.kind if plan else None
        move = {"was": was, "standing": status, "plan_was": kind}
        self._record(fact, at, by, **move, **fields)

    def _record(
        self, fact: type[ContactEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        self.trigger_event(
            fact,
            timestamp=at,
            actor=by,
            campaign_id=self.campaign_id,
            **fields,
        )

    # --- Mutators -------------------------------------------------------------------

    @event(Erased)
    def _erased(self, was: ContactStatus, standing: ContactStatus) -> None:
        self.erased = True
        self._moved(was, standing)

    @event(Withdrawn)
    def _withdrawn(self, was: ContactStatus, standing: ContactStatus) -> None:
        self._moved(was, standing)

    @event(CallPlanned)
    def _call_planned(
        self,
        was: ContactStatus,
        standing: ContactStatus,
        kind: PlanKind,
        call_id: UUID,
        attempt: int,
        due_at: datetime,
        expires_at: datetime | None,
        because: CallOutcome | None,
        terms_version: int,
        history: ContactHistory,
        finished_as: ContactStatus,
    ) -> None:
        self._moved(was, standing)
        self.planned = PlannedAttempt(
            kind,
            call_id,
            attempt,
            due_at,
            expires_at,
            because,
            terms_version,
            history,
            finished_as,
        )

    @event(Finished)
    def _finished(
        self, was: ContactStatus, standing: ContactStatus, reason: FinishReason
    ) -> None:
        self.finished = reason
        self._moved(was, standing)

    @event(WithheldFromCalls)
    def _withheld(
        self, was: ContactStatus, standing: ContactStatus, reason: Withheld
    ) -> None:
        self.withheld = reason
        self._moved(was, standing)

    @event(Returned)
    def _returned(
        self,
        was: ContactStatus,
        standing: ContactStatus,
        attempt: int,
        due_at: datetime,
        terms_version: int,
        history: ContactHistory,
        finished_as: ContactStatus,
    ) -> None:
        self.finished = self.withheld = None
        self._moved(was, standing)
        self.planned = PlannedAttempt(
            PlanKind.RETURNED,
            None,
            attempt,
            due_at,
            None,
            None,
            terms_version,
            history,
            finished_as,
        )

    @event(Disposed)
    def _disposed(
        self, disposition: Disposition | None, note: VaultText | None
    ) -> None:
        self.disposed, self.disposition, self.note = True, disposition, note

    def _moved(self, was: ContactStatus, standing: ContactStatus) -> None:
        """Apply a change of the status; an event without one changes nothing."""
        self.status = standing
        if was is not standing:
            self.settled = standing is not ContactStatus.PENDING
        if self.settled:
            self.planned = None
