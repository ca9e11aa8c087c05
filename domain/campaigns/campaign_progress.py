"""Commands that start, pause and end a campaign, and what they decide from."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.campaigns import campaign_events as events
from domain.campaigns.arms import Arm, AssignedArm, assign_arm
from domain.campaigns.campaign_events import CampaignEvent, SpendAlert
from domain.campaigns.campaign_terms import AsCreated, Caller, CallingTerms
from domain.errors import WrongState
from domain.states import FINISHED, MAY_DIAL, STARTED
from domain.values import CampaignState, DialMode, PauseCause, RefusalScope, VaultText


@dataclass(frozen=True, slots=True)
class NotedAssistant:
    """An assistant as it was noted; all calls use the version, None for the newest.

    `digest` identifies its configuration and tools.
    """

    version: str | None
    digest: str


class CampaignProgress:
    """The state of a campaign, defined here alone, and the commands about its progress.

    Values without a default come from `Created`; `Campaign` has the mutators.
    """

    # Settings. `terms_by_version` has the terms since each version that changed them;
    # `arms` are the assistants that are compared, if any.
    name: str
    caller: Caller
    cap: int
    mode: DialMode
    line_quiet_gating: bool
    budget: Decimal | None
    terms: CallingTerms
    terms_by_version: dict[int, CallingTerms]
    arms: tuple[Arm, ...]
    experiment_id: UUID
    created_as: AsCreated

    # Contacts, and the imported lists that contain them.
    contacts: int = 0
    lists: frozenset[UUID] = frozenset()

    # Progress. `started_at` is when the provider accepted the first call; `answered`: a
    # first call rang or was answered. `expired_at` is when the end of the terms was
    # recorded. `noted` are the assistants, by the provider's ids, as they were noted
    # after the start, or after the last pause.
    state: CampaignState = CampaignState.CREATED
    pause_cause: PauseCause | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    answered: bool = False
    expired_at: datetime | None = None
    alerts: frozenset[tuple[SpendAlert, Decimal]] = frozenset()
    noted: dict[str, NotedAssistant]

    def as_now(self) -> AsCreated:
        """Return the present settings, which identify a repeated request to create."""
        return AsCreated(
            self.name,
            self.caller.assistant_id,
            self.caller.phone_number_id,
            self.cap,
            self.mode,
            self.line_quiet_gating,
            self.budget,
            self.terms,
        )

    @property
    def over(self) -> bool:
        """Whether the campaign is finished for good."""
        return self.state in FINISHED

    @property
    def may_dial(self) -> bool:
        """Whether contacts may be called, apart from the start and end of the terms."""
        return self.state in MAY_DIAL and self.expired_at is None

    def may_dial_at(self, at: datetime) -> bool:
        """Return whether a call may be placed at that time by the campaign's terms."""
        return (
            self.may_dial and self.terms.has_begun(at) and not self.terms.has_ended(at)
        )

    @property
    def terms_version(self) -> int:
        """The version of the event that changed the terms last."""
        return max(self.terms_by_version)

    def arm_for(self, number_key: str) -> AssignedArm | None:
        """Return the arm of a number's keyed digest; None without a comparison."""
        if not self.arms:
            return None
        return assign_arm(self.arms, self.experiment_id, number_key)

    def must_take_contacts(self) -> None:
        """Raise WrongState if no further contact would be called."""
        if self.over:
            raise WrongState(f"The campaign is {self.state.lower()}: create a new one.")
        if self.expired_at is not None:
            raise WrongState("The campaign's end has passed: create a new one.")

    # --- Dialled ------------------------------------------------------------------

    def start(self, *, at: datetime, by: str) -> None:
        """Allow calls, from the start that the terms name on."""
        if self.state in MAY_DIAL:
            return
        if self.state is CampaignState.PAUSED:
            raise WrongState("The campaign is paused: resume it.")
        self._must_not_be_over()
        if self.terms.has_ended(at):
            raise WrongState("The campaign's end has passed: change it, then start.")
        self._record(events.Queued, at, by)

    def pinned_version(self, provider_assistant_id: str) -> str | None:
        """Return the version of an assistant that calls use, None for the newest."""
        noted = self.noted.get(provider_assistant_id)
        return None if noted is None else noted.version

    def note_assistant(
        self,
        provider_assistant_id: str,
        *,
        version: str | None,
        digest: str,
        at: datetime,
        by: str,
    ) -> None:
        """Pin an assistant's version; without one, record each later change.

        `version` is the provider's newest version of the assistant, None if it has no
        versions. Does nothing while no contact may be called.
        """
        if not self.may_dial:
            return
        noted = self.noted.get(provider_assistant_id)
        fields = {"provider_assistant_id": provider_assistant_id, "digest": digest}
        if noted is None:
            pinned = {"pinned_version": version, **fields}
            self._record(events.AssistantNoted, at, by, **pinned)
        elif noted.version is None and digest != noted.digest:
            self._record(events.AssistantChanged, at, by, **fields)

    def note_placed(self, *, placed_at: datetime, at: datetime, by: str) -> None:
        """The provider accepted the first call: whatever the state, it started."""
        if self.started_at is None:
            state = (
                CampaignState.DIALING
                if self.state is CampaignState.QUEUED
                else self.state
            )
            fields = {"started_at": placed_at, "state": state}
            self._record(events.DialingStarted, at, by, **fields)

    def note_ringing(self, *, at: datetime, by: str) -> None:
        """The provider reported the first call ringing or answered."""
        if not self.answered:
            active = self.state in MAY_DIAL
            state = CampaignState.RUNNING if active else self.state
            self._record(events.Running, at, by, state=state)

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
        if self.state not in MAY_DIAL:
            raise WrongState(
                f"The campaign is {self.state.lower()}: nothing is being called."
            )
        fields = {"cause": cause, "reason": reason, "scope": scope}
        self._record(events.Paused, at, by, **fields)

    def resume(self, *, at: datetime, by: str) -> None:
        """Resume dialling: deferred contacts are due at once, planned calls are not."""
        if self.state in MAY_DIAL:
            return
        if self.state is CampaignState.CREATED:
            raise WrongState("The campaign was not started yet: start it.")
        self._must_not_be_over()
        self._record(events.Resumed, at, by, state=self._state_by_the_facts())

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
        """Record an alert once for each threshold or limit of the present budget."""
        if budget == self.budget and (alert, budget) not in self.alerts:
            fields = {"alert": alert, "spend": spend, "budget": budget}
            self._record(events.SpendAlertRaised, at, by, **fields)

    def return_contact(self, contact_id: UUID, *, at: datetime, by: str) -> None:
        """Record that a finished contact is to be called again."""
        self.must_take_contacts()
        self._record(events.ContactReturned, at, by, contact_id=contact_id)

    # --- Over ---------------------------------------------------------------------

    def complete(self, *, at: datetime, by: str) -> None:
        """Every contact is terminal; the caller has seen that at this version."""
        if self.state is CampaignState.COMPLETED:
            return
        if self.state is CampaignState.CREATED:
            raise WrongState("The campaign was not started.")
        self._must_not_be_over()
        self._record(events.Completed, at, by)

    def expire(self, *, at: datetime, by: str) -> None:
        """Withhold all contacts that still wait, once the end of the terms has come."""
        started = self.state in STARTED
        if started and self.expired_at is None and self.terms.has_ended(at):
            self._record(events.Expired, at, by, ends_at=self.terms.ends_at)

    def cancel(self, *, hang_up: bool, at: datetime, by: str) -> None:
        """Stop for good; with `hang_up` live calls are ended. Raises WrongState."""
        if self.state is CampaignState.CANCELED:
            return
        self._must_not_be_over()
        self._record(events.Canceled, at, by, hang_up=hang_up)

    def fail(self, *, reason: VaultText, at: datetime, by: str) -> None:
        """End a campaign whose own data cannot be used."""
        if not self.over:
            self._record(events.Failed, at, by, reason=reason)

    def _must_not_be_over(self) -> None:
        if self.over:
            raise WrongState(f"The campaign is {self.state.lower()}; that is final.")

    def _record(
        self, fact: type[CampaignEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        """Create an event and apply it to the state; `Campaign` does it."""
        raise NotImplementedError
