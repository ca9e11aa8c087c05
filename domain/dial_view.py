"""The view that the scheduler plans from: plain values, without storage or network.

`projections/dial_snapshot.py` reads the view from the read tables, and
`domain/dispatching/policy.py` makes a plan of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.campaign_period import has_begun, has_ended
from domain.contacts.contact_history import PlanKind
from domain.gate.groups import NOT_PLACED, ContactGroup
from domain.gate.permit import Decision, Granted, Never, Wait
from domain.settings import SettingsValues
from domain.states import STARTED
from domain.values import (
    ZERO,
    CallStatus,
    CampaignState,
    ContactStatus,
    DialMode,
    PauseCause,
    RefusalScope,
    WaitingCode,
    call_id_of,
)

GHOST_GRACE = timedelta(minutes=15)
"""Default time after its longest duration during which a ghost keeps its slot."""


class Phase(StrEnum):
    """Progress of an open call.

    GHOST: finished in our log, but not proven to be over at the provider. REPORTING:
    ended, and its report is not settled yet.
    """

    CLAIMED = "claimed"
    REQUESTED = "requested"
    UNKNOWN = "unknown"
    PLACED = "placed"
    GHOST = "ghost"
    REPORTING = "reporting"


LIVE_PHASES = frozenset({Phase.REQUESTED, Phase.UNKNOWN, Phase.PLACED})
"""Phases of a call that is, or may be, live at the provider; ghosts are not counted."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact that may be called now.

    `attempt` is the number of the call to make. `call_id` is the deferred call to
    request again, or None for a new call. `batch` is the batch in which the contact was
    claimed before, or None. `contact_version` is the version of the contact's stream.
    `plan` is the kind of the planned call that is due, None for any other call.
    `group_id` is the group of the contact.
    """

    contact_id: UUID
    list_id: UUID
    attempt: int
    call_id: UUID | None
    batch: int | None
    contact_version: int = 0
    group_id: int = NOT_PLACED
    plan: PlanKind | None = None


@dataclass(frozen=True, slots=True)
class RefusedCandidate:
    """A contact whose group may be called, but whose number may not be called now.

    The wait ends at a time that is known (a frequency cap), or at one that is not: a
    call to the number is under way, or a suppression list cannot be used.
    """

    candidate: Candidate
    decision: Wait | Never
    number_id: UUID


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of contacts that wait, with the gate's decision about it.

    `group` is None for the contacts that have no group yet. `fresh` counts the contacts
    that were neither planned nor deferred. `due` counts the planned calls that are due
    although the group may not be called.
    """

    group_id: int
    decision: Decision
    fresh: int
    group: ContactGroup | None = None
    due: int = 0

    @property
    def is_open(self) -> bool:
        """Whether contacts of the group may be called now."""
        return isinstance(self.decision, Granted)


@dataclass(frozen=True, slots=True)
class DeferredByGate:
    """Contacts whose request the gate refused, the first of them until `until`."""

    code: WaitingCode
    contacts: int
    until: datetime


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that the scheduler watches, with its line.

    `claimed_at` is the time of the last claim; its UTC day is the day to which the cost
    is booked. `hang_up_requested` is true if a hang-up was requested for this call or
    for all calls of its campaign. `cost` is in US dollars.
    """

    call_id: UUID
    campaign_id: UUID
    contact_id: UUID
    attempt: int
    phase: Phase
    status: CallStatus
    requests: int
    requested_at: datetime | None
    dial_before: datetime | None
    unknown_at: datetime | None
    provider_call_id: str | None
    queued_at: datetime
    claimed_at: datetime
    placed_at: datetime | None
    ended_at: datetime | None
    closed_at: datetime | None
    last_event_at: datetime
    hang_up_requested: bool
    looked_up: int
    version: int
    phone_number_id: str
    longest_call_seconds: int
    started_at: datetime | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign as the scheduler sees it; `version` is that of its stream.

    `ghosts` counts the calls that use a slot although they are finished in our log;
    `unreported` counts all calls whose cost is not final. `deferred` counts the pending
    contacts that must wait, the first of them until `next_due_at`. `charged` is the
    cost in US dollars of `charged_calls` answered calls that took `charged_seconds` in
    total. `batch_contacts` counts the contacts of the batch opened last.
    `start_failures` counts the contacts refused in a row, the last of them with the
    reason `start_failure`. `capacity_refused_at` is when a call last ended for lack of
    capacity. `account_refusal` is the provider's text from a campaign with the same
    `account_scope` that was paused after this one was last started or resumed.
    `claimed_position` is the log position of the campaign's last claim,
    or None before the first.

    `pending` is 0 once the campaign has expired. `retries_later` and `callbacks_later`
    count the contacts with a planned call that is not due yet, the first of them due at
    `next_retry_at` and `next_callback_at`; `late_callbacks` counts those that are late.
    `need_reports`: reports decide whether contacts are called again, so the campaign is
    not finished while `awaiting_reports` are outstanding. `awaited_callbacks` counts
    the calls without a final report in which the contact asked for a callback.
    `to_review` are contacts whose planned call has to be decided again: it is due and
    the terms changed since it was planned, or it is too late.

    `groups` are all groups with contacts that wait; candidates of closed ones are not
    called. `deferred_by_gate` are contacts among `deferred`. `refused` are contacts
    that were removed from `candidates`, because the gate would refuse their requests.
    """

    id: UUID
    name: str
    state: CampaignState
    pause_cause: PauseCause | None
    version: int
    cap: int
    mode: DialMode
    line_quiet_gating: bool
    phone_number_id: str
    provider_assistant_id: str
    budget: Decimal | None
    spend: Decimal
    costs_reported: int
    longest_call_seconds: int
    created_at: datetime
    queued_at: datetime | None
    contacts: int
    pending: int
    active: int
    ghosts: int
    unreported: int
    deferred: int
    next_due_at: datetime | None
    batch: int | None
    batch_contacts: int
    charged_calls: int = 0
    charged_seconds: int = 0
    charged: Decimal = ZERO
    start_failures: int = 0
    start_failure: str | None = None
    capacity_refused_at: datetime | None = None
    account_scope: RefusalScope | None = None
    account_refusal: str | None = None
    claimed_position: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    expired_at: datetime | None = None
    terms_version: int = 1
    need_reports: bool = False
    awaiting_reports: int = 0
    awaited_callbacks: int = 0
    retries_later: int = 0
    next_retry_at: datetime | None = None
    callbacks_later: int = 0
    next_callback_at: datetime | None = None
    late_callbacks: int = 0
    candidates: tuple[Candidate, ...] = ()
    to_review: tuple[UUID, ...] = ()
    groups: tuple[GroupView, ...] = ()
    deferred_by_gate: tuple[DeferredByGate, ...] = ()
    refused: tuple[RefusedCandidate, ...] = ()

    @property
    def refused_by_gate(self) -> int:
        """Deferred contacts that may not be called before a known time."""
        return sum(one.contacts for one in self.deferred_by_gate)

    @property
    def holds_batch(self) -> bool:
        """Whether a call of the last batch is under way or will soon be repeated.

        A contact that the gate refuses until a known time may wait for days, and does
        not keep its batch open.
        """
        repeated = self.deferred - self.refused_by_gate
        return self.active + self.ghosts + repeated > 0

    @property
    def completable(self) -> bool:
        """Whether every contact is finished, and no report can change that."""
        reports_matter = self.need_reports or self.awaited_callbacks > 0
        return (
            self.pending == 0
            and self.active == 0
            and not (reports_matter and self.awaiting_reports > 0)
            and self.state is not CampaignState.CANCELED
        )

    def waits_for_start(self, now: datetime) -> bool:
        """Return whether the start of the terms is still to come."""
        return not has_begun(self.starts_at, now)

    def has_ended(self, now: datetime) -> bool:
        """Return whether the end of the terms has come, and is not recorded yet."""
        return self.expired_at is None and has_ended(self.ends_at, now)

    def must_expire(self, now: datetime) -> bool:
        """Return whether the end of the terms is to be recorded now."""
        return self.state in STARTED and self.has_ended(now)

    @property
    def must_complete(self) -> bool:
        """Whether the campaign is started and to be completed now."""
        return self.state in STARTED and self.completable


@dataclass(frozen=True, slots=True)
class SuspectedDuplicate:
    """A webhook that names one of our calls with another provider call id.

    Two calls to one person may be live, so the provider is asked for both ids.
    """

    call_id: UUID
    campaign_id: UUID
    bound_provider_call_id: str | None
    other_provider_call_id: str
    suspected_at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that a plan is made from, as of one position of the log.

    `claims_seen` is the Dispatcher's version; a claim based on this snapshot must
    become the next one. `spent_today` is the cost in US dollars of the calls that were
    claimed on the current UTC day.
    """

    position: int
    claims_seen: int
    settings: SettingsValues | None
    duplicates_open: bool
    suspected: tuple[SuspectedDuplicate, ...]
    spent_today: Decimal
    campaigns: tuple[CampaignView, ...]
    calls: tuple[OpenCall, ...]


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A contact that a plan chose to call.

    `requeued` is true if the contact's deferred call is to be requested again. `was` is
    the contact's status before. `contact_version` is the expected version of the
    contact's own stream, 0 as long as that has no event. `plan` is the kind of the
    planned call that this is. `terms_version` is that of the campaign's terms, None if
    the report of the call decides nothing. `group` is the contact's group, None if it
    is not known. With `wait`, nobody is called: the call is deferred as it is claimed.
    """

    campaign_id: UUID
    contact_id: UUID
    attempt: int
    requeued: bool
    batch: int | None = None
    was: ContactStatus = ContactStatus.PENDING
    contact_version: int = 0
    plan: PlanKind | None = None
    terms_version: int | None = None
    group: ContactGroup | None = None
    wait: Wait | None = None

    @property
    def is_retry(self) -> bool:
        """Whether the retry policy planned this call."""
        return self.plan is PlanKind.RETRY

    @property
    def repeats(self) -> bool:
        """Whether it repeats a call that was not made, or in which nothing rang."""
        return self.plan is None and self.attempt > 1

    @property
    def call_id(self) -> UUID:
        """The id of the call that a claim of this contact makes."""
        return call_id_of(self.contact_id, self.attempt)
