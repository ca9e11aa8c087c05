"""A list of people to call, the assistant that calls them, and the progress.

The life of a campaign, with the command and the event of each step:

1. Prepared: `create` (Created), `import_contacts` (ContactsImported), `change` and
   `start_not_before` (Changed; also later).
2. Started by a member: `start` (Queued). Assistants are pinned or watched:
   `note_assistant` (AssistantNoted, AssistantChanged). The first call was placed:
   `note_placed` (DialingStarted). The first phone rang: `note_ringing` (Running).
3. Stopped for a while: `pause` (Paused), `resume` (Resumed). A finished contact is to
   be called again: `return_contact` (ContactReturned). Most of the budget is spent:
   `raise_spend_alert` (SpendAlertRaised).
4. Over: `complete` (Completed), `cancel` (Canceled), `fail` (Failed). When the end of
   its terms has come, `expire` (Expired) finishes the contacts that wait.

The commands of steps 2 to 4 are in `campaign_progress`, the events in
`campaign_events`, the terms in `campaign_terms`. This module prepares campaigns and
applies events.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Self, TypedDict, Unpack
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from domain.campaigns.arms import Arm, check_arms
from domain.campaigns.campaign_events import CampaignEvent, SpendAlert
from domain.campaigns.campaign_progress import CampaignProgress, NotedAssistant
from domain.campaigns.campaign_terms import (
    CALLED_ONCE,
    Caller,
    CallingTerms,
    OutputRule,
    check_calling_terms,
    check_line,
    check_terms,
    terms_as_fields,
)
from domain.errors import Conflict, WrongState
from domain.campaigns.retry_policy import RetryPolicy
from domain.gate.decision import CallingHours
from domain.gate.rules import CallPurpose
from domain.values import CampaignState, DialMode, PauseCause

CALLER_MAY_CHANGE = frozenset({CampaignState.CREATED, CampaignState.PAUSED})
"""States in which no new call may be requested, and the campaign is not over."""


class Origin(TypedDict, total=False):
    """Where a campaign comes from; `Created` explains the values."""

    request_id: UUID | None
    redial_of: UUID | None
    is_test: bool
    experiment_id: UUID | None


class Campaign(CampaignProgress, Aggregate):
    """The aggregate of one campaign."""

    TOPIC = "campaign"

    # Imported here, so that they are the aggregate's own: Campaign.Paused is a type.
    from domain.campaigns.campaign_events import (
        AssistantChanged as AssistantChanged,
        AssistantNoted as AssistantNoted,
        Canceled as Canceled,
        Changed as Changed,
        Completed as Completed,
        ContactReturned as ContactReturned,
        ContactsImported as ContactsImported,
        Created as Created,
        DialingStarted as DialingStarted,
        Expired as Expired,
        Failed as Failed,
        Paused as Paused,
        Queued as Queued,
        Resumed as Resumed,
        Running as Running,
        SpendAlertRaised as SpendAlertRaised,
    )

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
        terms: CallingTerms = CALLED_ONCE,
        arms: tuple[Arm, ...] = (),
        **origin: Unpack[Origin],
    ) -> Self:
        """Create a campaign; `Created` explains the values. Raises Invalid."""
        check_terms(name, cap, budget)
        check_arms(arms)
        check_calling_terms(terms, at)
        check_line(phone_number_id)
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
            **terms_as_fields(terms),
            arms=arms,
            **origin,
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
        retry_policy: RetryPolicy | None,
        output_rules: tuple[OutputRule, ...],
        callback_output: str | None,
        starts_at: datetime | None,
        ends_at: datetime | None,
        purpose: CallPurpose,
        calling_hours: CallingHours,
        require_consent: bool,  # noqa: FBT001 - the event's own field
        arms: tuple[Arm, ...],
        experiment_id: UUID | None,
    ) -> None:
        self.name, self.arms = name, arms
        self.experiment_id = experiment_id or self.id
        self.caller = Caller(
            assistant_id, provider_assistant_id, longest_call_seconds, phone_number_id
        )
        self.cap, self.mode = cap, mode
        self.line_quiet_gating, self.budget = line_quiet_gating, budget
        self.terms = CallingTerms(
            retry_policy,
            output_rules,
            callback_output,
            starts_at,
            ends_at,
            purpose,
            calling_hours,
            require_consent,
        )
        self.terms_by_version = {self.version: self.terms}
        self.created_as = self.as_now()
        self.noted = {}

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
        """Add a closed list: from now on its contacts may be called.

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

    def change(
        self,
        *,
        name: str,
        cap: int,
        line_quiet_gating: bool,
        budget: Decimal | None,
        at: datetime,
        by: str,
        terms: CallingTerms | None = None,
        caller: Caller | None = None,
    ) -> None:
        """Change the settings; None leaves the `terms` or the `caller` as they are.

        Raises Invalid, or WrongState if the campaign is over, its end has passed, the
        start of its terms changes after the first call, or the caller changes while
        contacts may be called.
        """
        check_terms(name, cap, budget)
        terms = self.terms if terms is None else terms
        caller = self.caller if caller is None else caller
        new = (name.strip(), cap, line_quiet_gating, budget, terms, caller)
        now = (self.name, self.cap, self.line_quiet_gating, self.budget)
        if new == (*now, self.terms, self.caller):
            return
        self._must_allow(terms, caller, at)
        self._record(
            self.Changed,
            at,
            by,
            name=name.strip(),
            cap=cap,
            line_quiet_gating=line_quiet_gating,
            budget=budget,
            **terms_as_fields(terms),
            terms_version=(
                self.terms_version if terms == self.terms else self.version + 1
            ),
            caller=caller if caller != self.caller else None,
        )

    def _must_allow(self, terms: CallingTerms, caller: Caller, at: datetime) -> None:
        """Raise Invalid or WrongState unless these terms and caller may be set now."""
        if terms != self.terms:
            check_calling_terms(terms, at)
        if caller != self.caller:
            check_line(caller.phone_number_id)
        self._must_not_be_over()
        if terms != self.terms and self.expired_at is not None:
            raise WrongState("The campaign's end has passed; that is final.")
        if terms.starts_at != self.terms.starts_at:
            self._must_not_have_called()
        if self.arms and caller.assistant_id != self.caller.assistant_id:
            raise WrongState(
                "The campaign compares assistants, which cannot change: create a new"
                " campaign, or redial the contacts of this one."
            )
        if caller != self.caller and self.state not in CALLER_MAY_CHANGE:
            raise WrongState(
                "The assistant and the line can be changed before the start and while"
                " the campaign is paused: pause it first."
            )

    def start_not_before(
        self, starts_at: datetime | None, *, at: datetime, by: str
    ) -> None:
        """Change the earliest time of the first call.

        Raises WrongState after the first call, even if the time stays the same.
        """
        self._must_not_have_called()
        self.change(
            name=self.name,
            cap=self.cap,
            line_quiet_gating=self.line_quiet_gating,
            budget=self.budget,
            terms=replace(self.terms, starts_at=starts_at),
            at=at,
            by=by,
        )

    def _must_not_have_called(self) -> None:
        """Raise WrongState if the earliest time of the first call is final."""
        if self.started_at is not None:
            raise WrongState(
                "The first call was placed already, so the start cannot be changed any"
                " more: leave it as it is."
            )

    def _record(
        self, fact: type[CampaignEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        # The library derives classes of the aggregate's own from those in `events`.
        own: type[CampaignEvent] = getattr(self, fact.__name__)
        self.trigger_event(own, timestamp=at, actor=by, **fields)

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
        retry_policy: RetryPolicy | None,
        output_rules: tuple[OutputRule, ...],
        callback_output: str | None,
        starts_at: datetime | None,
        ends_at: datetime | None,
        purpose: CallPurpose,
        calling_hours: CallingHours,
        require_consent: bool,  # noqa: FBT001 - the event's own field
        terms_version: int | None,
        caller: Caller | None,
    ) -> None:
        self.name, self.cap, self.budget = name, cap, budget
        self.line_quiet_gating = line_quiet_gating
        terms = CallingTerms(
            retry_policy,
            output_rules,
            callback_output,
            starts_at,
            ends_at,
            purpose,
            calling_hours,
            require_consent,
        )
        if terms_version is not None:
            self.terms = self.terms_by_version[terms_version] = terms
        if caller is not None:
            self.caller = caller

    @event(Expired)
    def _expired(self, timestamp: datetime) -> None:
        self.expired_at = timestamp

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
        self.state, self.pause_cause, self.noted = state, None, {}

    @event(AssistantNoted)
    def _assistant_noted(
        self, provider_assistant_id: str, pinned_version: str | None, digest: str
    ) -> None:
        new = NotedAssistant(pinned_version, digest)
        self.noted = self.noted | {provider_assistant_id: new}

    @event(AssistantChanged)
    def _assistant_changed(self, provider_assistant_id: str, digest: str) -> None:
        self.noted = self.noted | {provider_assistant_id: NotedAssistant(None, digest)}

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
