"""A list of people to call, one assistant that calls them, and how it went."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from domain.campaign_terms import LONGEST_NAME, AsCreated, check_terms
from domain.errors import Conflict, Invalid, WrongState
from domain.states import FINISHED, MAY_DIAL
from domain.values import (
    CampaignState,
    DialMode,
    PauseCause,
    RefusalScope,
    VaultText,
)


class SpendAlert(StrEnum):
    THRESHOLD = "threshold"
    LIMIT = "limit"


class CampaignEvent(Aggregate.Event):
    actor: str


class Campaign(Aggregate):
    TOPIC = "campaign"

    class Created(CampaignEvent, Aggregate.Created):
        TOPIC = "campaign.created"
        name: str
        assistant_id: UUID
        provider_assistant_id: str
        phone_number_id: str
        cap: int
        mode: DialMode
        line_quiet_gating: bool
        budget: Decimal | None
        longest_call_seconds: int

    class ContactsImported(CampaignEvent):
        TOPIC = "campaign.contacts_imported"
        list_id: UUID
        accepted: int
        skipped: int
        contacts: int

    class Queued(CampaignEvent):
        TOPIC = "campaign.queued"

    class DialingStarted(CampaignEvent):
        TOPIC = "campaign.dialing_started"
        started_at: datetime
        state: CampaignState

    class Running(CampaignEvent):
        TOPIC = "campaign.running"
        state: CampaignState

    class Paused(CampaignEvent):
        TOPIC = "campaign.paused"
        cause: PauseCause
        reason: VaultText | None
        scope: RefusalScope | None = None

    class Resumed(CampaignEvent):
        TOPIC = "campaign.resumed"
        state: CampaignState

    class Changed(CampaignEvent):
        TOPIC = "campaign.changed"
        name: str
        cap: int
        line_quiet_gating: bool
        budget: Decimal | None

    class Completed(CampaignEvent):
        TOPIC = "campaign.completed"

    class Canceled(CampaignEvent):
        TOPIC = "campaign.canceled"
        hang_up: bool

    class Failed(CampaignEvent):
        TOPIC = "campaign.failed"
        reason: VaultText

    class SpendAlertRaised(CampaignEvent):
        TOPIC = "campaign.spend_alert_raised"
        alert: SpendAlert
        spend: Decimal
        budget: Decimal

    # --- Prepared ---------------------------------------------------------------

    @classmethod
    def create(
        cls,
        *,
        campaign_id: UUID,
        name: str,
        assistant_id: UUID,
        provider_assistant_id: str,
        phone_number_id: str,
        cap: int,
        mode: DialMode,
        line_quiet_gating: bool,
        budget: Decimal | None,
        longest_call_seconds: int,
        at: datetime,
        by: str,
    ) -> Self:
        check_terms(name, cap, budget)
        if not phone_number_id.strip() or len(phone_number_id) > LONGEST_NAME:
            raise Invalid("Choose a line to call from.", phoneNumberId="is none")
        return cls._create(
            cls.Created,
            id=campaign_id,
            timestamp=at,
            actor=by,
            name=name.strip(),
            assistant_id=assistant_id,
            provider_assistant_id=provider_assistant_id,
            phone_number_id=phone_number_id,
            cap=cap,
            mode=mode,
            line_quiet_gating=line_quiet_gating,
            budget=budget,
            longest_call_seconds=longest_call_seconds,
        )

    @event(Created)
    def __init__(
        self,
        name: str,
        assistant_id: UUID,
        provider_assistant_id: str,
        phone_number_id: str,
        cap: int,
        mode: DialMode,
        line_quiet_gating: bool,  # noqa: FBT001 - the event's own field
        budget: Decimal | None,
        longest_call_seconds: int,
    ) -> None:
        self.name = name
        self.assistant_id = assistant_id
        self.provider_assistant_id = provider_assistant_id
        self.phone_number_id = phone_number_id
        self.cap, self.mode = cap, mode
        self.line_quiet_gating, self.budget = line_quiet_gating, budget
        self.longest_call_seconds = longest_call_seconds
        self.created_as = AsCreated(
            name,
            assistant_id,
            phone_number_id,
            cap,
            mode,
            line_quiet_gating,
            budget,
        )
        self.state = CampaignState.CREATED
        self.contacts = 0
        self.lists: frozenset[UUID] = frozenset()
        self.queued_at: datetime | None = None
        self.started_at: datetime | None = None
        self.answered = False
        self.pause_cause: PauseCause | None = None
        self.alerts: frozenset[tuple[SpendAlert, Decimal]] = frozenset()

    @property
    def over(self) -> bool:
        return self.state in FINISHED

    @property
    def may_dial(self) -> bool:
        return self.state in MAY_DIAL

    def import_contacts(
        self,
        *,
        list_id: UUID,
        starts_at: int,
        accepted: int,
        skipped: int,
        at: datetime,
        by: str,
    ) -> None:
        """Count a closed list in: the moment from which its people are called.

        `starts_at` is the number of contacts that the list was compared with.
        """
        if list_id in self.lists:
            return
        self.must_take_contacts()
        if starts_at != self.contacts:
            raise Conflict(
                "Another file was imported meanwhile: upload this one again."
            )
        self._record(
            self.ContactsImported,
            at,
            by,
            list_id=list_id,
            accepted=accepted,
            skipped=skipped,
            contacts=self.contacts + accepted,
        )

    def must_take_contacts(self) -> None:
        if self.over:
            raise WrongState(f"The campaign is {self.state}: create a new one.")

    def change(
        self,
        *,
        name: str,
        cap: int,
        line_quiet_gating: bool,
        budget: Decimal | None,
        at: datetime,
        by: str,
    ) -> None:
        check_terms(name, cap, budget)
        now = (name.strip(), cap, line_quiet_gating, budget)
        if now == (self.name, self.cap, self.line_quiet_gating, self.budget):
            return
        self._must_not_be_over()
        self._record(
            self.Changed,
            at,
            by,
            name=name.strip(),
            cap=cap,
            line_quiet_gating=line_quiet_gating,
            budget=budget,
        )

    # --- Dialled ------------------------------------------------------------------

    def start(self, *, at: datetime, by: str) -> None:
        if self.may_dial:
            return
        if self.state is CampaignState.PAUSED:
            raise WrongState("The campaign is paused: resume it.")
        self._must_not_be_over()
        self._record(self.Queued, at, by)

    def note_placed(self, *, placed_at: datetime, at: datetime, by: str) -> None:
        """The provider accepted the first call: whatever the state, it started."""
        if self.started_at is None:
            state = (
                CampaignState.DIALING
                if self.state is CampaignState.QUEUED
                else self.state
            )
            fields = {"started_at": placed_at, "state": state}
            self._record(self.DialingStarted, at, by, **fields)

    def note_ringing(self, *, at: datetime, by: str) -> None:
        """The provider reported the first call ringing or answered."""
        if not self.answered:
            state = CampaignState.RUNNING if self.may_dial else self.state
            self._record(self.Running, at, by, state=state)

    def pause(
        self,
        *,
        cause: PauseCause,
        at: datetime,
        by: str,
        reason: VaultText | None = None,
        scope: RefusalScope | None = None,
    ) -> None:
        """Stop calling; a pause for ACCOUNT names in `scope` what was refused."""
        if self.state is CampaignState.PAUSED:
            return
        if not self.may_dial:
            raise WrongState(f"The campaign is {self.state}: nothing is being called.")
        fields = {"cause": cause, "reason": reason, "scope": scope}
        self._record(self.Paused, at, by, **fields)

    def resume(self, *, at: datetime, by: str) -> None:
        if self.may_dial:
            return
        if self.state is CampaignState.CREATED:
            raise WrongState("The campaign was not started yet: start it.")
        self._must_not_be_over()
        self._record(self.Resumed, at, by, state=self._state_by_the_facts())

    def _state_by_the_facts(self) -> CampaignState:
        if self.answered:
            return CampaignState.RUNNING
        return CampaignState.DIALING if self.started_at else CampaignState.QUEUED

    def raise_spend_alert(
        self,
        *,
        alert: SpendAlert,
        spend: Decimal,
        budget: Decimal,
        at: datetime,
        by: str,
    ) -> None:
        """Once for each threshold or limit of each budget; never of a former one."""
        if budget == self.budget and (alert, budget) not in self.alerts:
            told = {"alert": alert, "spend": spend, "budget": budget}
            self._record(self.SpendAlertRaised, at, by, **told)

    # --- Over ---------------------------------------------------------------------

    def complete(self, *, at: datetime, by: str) -> None:
        """Every contact is terminal; the caller has seen that at this version."""
        if self.state is CampaignState.COMPLETED:
            return
        if self.state is CampaignState.CREATED:
            raise WrongState("The campaign was not started.")
        self._must_not_be_over()
        self._record(self.Completed, at, by)

    def cancel(self, *, hang_up: bool, at: datetime, by: str) -> None:
        if self.state is CampaignState.CANCELED:
            return
        self._must_not_be_over()
        self._record(self.Canceled, at, by, hang_up=hang_up)

    def fail(self, *, reason: VaultText, at: datetime, by: str) -> None:
        if not self.over:
            self._record(self.Failed, at, by, reason=reason)

    def _must_not_be_over(self) -> None:
        if self.over:
            raise WrongState(f"The campaign is {self.state}; that is final.")

    def _record(
        self, fact: type[CampaignEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        self.trigger_event(fact, timestamp=at, actor=by, **fields)

    # --- Mutators -------------------------------------------------------------------

    @event(ContactsImported)
    def _contacts_imported(self, list_id: UUID, contacts: int) -> None:
        self.lists |= {list_id}
        self.contacts = contacts

    @event(Changed)
    def _changed(
        self,
        name: str,
        cap: int,
        line_quiet_gating: bool,  # noqa: FBT001 - the event's own field
        budget: Decimal | None,
    ) -> None:
        self.name, self.cap, self.budget = name, cap, budget
        self.line_quiet_gating = line_quiet_gating

    @event(Queued)
    def _queued(self, timestamp: datetime) -> None:
        self.state, self.queued_at = CampaignState.QUEUED, timestamp

    @event(DialingStarted)
    def _dialing_started(self, started_at: datetime, state: CampaignState) -> None:
        self.started_at, self.state = started_at, state

    @event(Running)
    def _running(self, state: CampaignState) -> None:
        self.answered, self.state = True, state

    @event(Paused)
    def _paused(self, cause: PauseCause) -> None:
        self.state, self.pause_cause = CampaignState.PAUSED, cause

    @event(Resumed)
    def _resumed(self, state: CampaignState) -> None:
        self.state, self.pause_cause = state, None

    @event(Completed)
    def _completed(self) -> None:
        self.state, self.pause_cause = CampaignState.COMPLETED, None

    @event(Canceled)
    def _canceled(self) -> None:
        self.state, self.pause_cause = CampaignState.CANCELED, None

    @event(Failed)
    def _failed(self) -> None:
        self.state, self.pause_cause = CampaignState.FAILED, None

    @event(SpendAlertRaised)
    def _spend_alert_raised(self, alert: SpendAlert, budget: Decimal) -> None:
        self.alerts |= {(alert, budget)}
