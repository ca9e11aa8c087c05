"""The events of a campaign. Their fields and topics are stored: they never change.

`Campaign` takes these classes as its own: `Campaign.Paused` is derived from `Paused`.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from eventsourcing.domain import Aggregate

from domain.campaigns.arms import Arm
from domain.campaigns.campaign_terms import Caller, CallingTerms, OutputRule
from domain.campaigns.retry_policy import RetryPolicy
from domain.gate.decision import LAWFUL_HOURS, CallingHours
from domain.gate.rules import CallPurpose
from domain.values import (
    CampaignState,
    DialMode,
    PauseCause,
    RefusalScope,
    VaultText,
)


class SpendAlert(StrEnum):
    """What the spend of a campaign, or of a day, has reached."""

    THRESHOLD = "threshold"
    LIMIT = "limit"


class CampaignEvent(Aggregate.Event):
    """Base of all events of a campaign; `actor` caused it."""

    actor: str


class Created(CampaignEvent, Aggregate.Created):
    """The campaign exists; amounts in US dollars, `longest_call_seconds` in seconds.

    `phone_number_id` is the line to call from. `request_id` identifies the request to
    create the campaign, `redial_of` the campaign from which the contacts are taken. A
    test campaign makes a single test call. `arms` are the assistants that are compared,
    the first one being that of `assistant_id`; empty without a comparison. Campaigns
    with the same `experiment_id` give a number the same arm.
    """

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
    retry_policy: RetryPolicy | None = None
    output_rules: tuple[OutputRule, ...] = ()
    callback_output: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    purpose: CallPurpose = CallPurpose.TELEMARKETING
    calling_hours: CallingHours = LAWFUL_HOURS
    require_consent: bool = False
    request_id: UUID | None = None
    redial_of: UUID | None = None
    is_test: bool = False
    arms: tuple[Arm, ...] = ()
    experiment_id: UUID | None = None

    @property
    def terms(self) -> CallingTerms:
        """The calling terms that the event states."""
        return _terms(self)


class ContactsImported(CampaignEvent):
    """A list was counted in; `contacts` is the new total."""

    TOPIC = "campaign.contacts_imported"
    list_id: UUID
    accepted: int
    skipped: int
    contacts: int


class Queued(CampaignEvent):
    """A member started the campaign."""

    TOPIC = "campaign.queued"


class AssistantNoted(CampaignEvent):
    """The state of an assistant with which the campaign began, or went on, to dial.

    All calls use `pinned_version` until a pause; None if the provider has no versions.
    `digest` identifies the configuration and the tools.
    """

    TOPIC = "campaign.assistant_noted"
    provider_assistant_id: str
    pinned_version: str | None
    digest: str


class AssistantChanged(CampaignEvent):
    """An assistant, whose version is not pinned, changed while contacts are called."""

    TOPIC = "campaign.assistant_changed"
    provider_assistant_id: str
    digest: str


class DialingStarted(CampaignEvent):
    """The provider accepted the first call."""

    TOPIC = "campaign.dialing_started"
    started_at: datetime
    state: CampaignState


class Running(CampaignEvent):
    """The first phone rang."""

    TOPIC = "campaign.running"
    state: CampaignState


class Paused(CampaignEvent):
    """Calls stopped; `scope` is set for the cause ACCOUNT only."""

    TOPIC = "campaign.paused"
    cause: PauseCause
    reason: VaultText | None
    scope: RefusalScope | None = None


class Resumed(CampaignEvent):
    """Calls may be made again."""

    TOPIC = "campaign.resumed"
    state: CampaignState


class Changed(CampaignEvent):
    """`terms_version` is the version of the event that changed the terms last.

    None in events of release 1, whose campaigns had no terms. `caller` is None unless
    the assistant or the line changed.
    """

    TOPIC = "campaign.changed"
    name: str
    cap: int
    line_quiet_gating: bool
    budget: Decimal | None
    retry_policy: RetryPolicy | None = None
    output_rules: tuple[OutputRule, ...] = ()
    callback_output: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    purpose: CallPurpose = CallPurpose.TELEMARKETING
    calling_hours: CallingHours = LAWFUL_HOURS
    require_consent: bool = False
    terms_version: int | None = None
    caller: Caller | None = None

    @property
    def terms(self) -> CallingTerms:
        """The calling terms that the event states."""
        return _terms(self)


class ContactReturned(CampaignEvent):
    """A finished contact is to be called again.

    The event raises the campaign's version, so that a campaign cannot be completed on
    a view in which this contact was finished.
    """

    TOPIC = "campaign.contact_returned"
    contact_id: UUID


class Expired(CampaignEvent):
    """The campaign's end has come: contacts that are PENDING count as CANCELED.

    Calls under way go on. No event is stored for the contacts.
    """

    TOPIC = "campaign.expired"
    ends_at: datetime


class Completed(CampaignEvent):
    """Every contact is finished."""

    TOPIC = "campaign.completed"


class Canceled(CampaignEvent):
    """No further call is made; with `hang_up` live calls are ended too."""

    TOPIC = "campaign.canceled"
    hang_up: bool


class Failed(CampaignEvent):
    """The campaign's own data cannot be used."""

    TOPIC = "campaign.failed"
    reason: VaultText


class SpendAlertRaised(CampaignEvent):
    """The spend reached the threshold or the limit of the budget, in US dollars."""

    TOPIC = "campaign.spend_alert_raised"
    alert: SpendAlert
    spend: Decimal
    budget: Decimal


def _terms(event: Created | Changed) -> CallingTerms:
    return CallingTerms(
        retry_policy=event.retry_policy,
        output_rules=event.output_rules,
        callback_output=event.callback_output,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        purpose=event.purpose,
        calling_hours=event.calling_hours,
        require_consent=event.require_consent,
    )
