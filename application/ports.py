"""Ports: what the application requires of the provider and of the read model."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from application.vault import ContactRow
from domain.calls.reports import OutcomeFinding, ReasonDetail
from domain.values import Refusal, RefusalKind, RefusalScope


@dataclass(frozen=True, slots=True)
class CallOrder:
    """One request to the provider to call one contact.

    `attempt` counts the contact's calls, `request` the requests of this call; both from
    1. `phone` is E.164, and `variables` are the texts for the assistant's prompt.
    """

    call_id: UUID
    campaign_id: UUID
    contact_id: UUID
    attempt: int
    request: int
    phone: str
    name: str
    variables: dict[str, str]
    provider_assistant_id: str
    phone_number_id: str
    extension: str | None = None
    """Digits to dial once the call is answered."""
    voicemail_allowed: bool = True
    """Whether an answering machine may get the assistant's message."""


# Outcomes of a request. `text` is the provider's or the network's explanation.


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider accepted the call.

    `concurrency_blocked`: it waits until the account has a free slot.
    """

    provider_call_id: str
    placed_at: datetime
    concurrency_blocked: bool = False


@dataclass(frozen=True, slots=True)
class NeverLeft:
    """The request provably did not reach the provider."""

    text: str


@dataclass(frozen=True, slots=True)
class NotNow:
    """Too many calls or requests at the moment.

    `retry_after` is in seconds, None if the provider named no time.
    """

    text: str
    retry_after: float | None = None
    rule: str = field(default="", compare=False)

    @property
    def refusal(self) -> Refusal:
        """The refusal as events record it."""
        return Refusal(RefusalKind.CAPACITY, None, self.rule)


@dataclass(frozen=True, slots=True)
class ContactRefused:
    """This number may not be called."""

    text: str
    rule: str = field(default="", compare=False)

    @property
    def refusal(self) -> Refusal:
        """The refusal as events record it."""
        return Refusal(RefusalKind.CONTACT, None, self.rule)


@dataclass(frozen=True, slots=True)
class AccountRefused:
    """The account, the assistant or the line may not call at all.

    `scope` is which of the three; None if the provider did not name it.
    """

    text: str
    scope: RefusalScope | None = RefusalScope.ACCOUNT
    rule: str = field(default="", compare=False)

    @property
    def refusal(self) -> Refusal:
        """The refusal as events record it."""
        return Refusal(RefusalKind.ACCOUNT, self.scope, self.rule)


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A refusal that no rule classifies; no phone rang."""

    text: str
    rule: str = field(default="", compare=False)

    @property
    def refusal(self) -> Refusal:
        """The refusal as events record it."""
        return Refusal(RefusalKind.PLATFORM, None, self.rule)


@dataclass(frozen=True, slots=True)
class Unknown:
    """The provider may have placed the call, so it must not be requested again yet."""

    text: str


type Outcome = (
    Accepted
    | NeverLeft
    | NotNow
    | ContactRefused
    | AccountRefused
    | RequestRefused
    | Unknown
)


@dataclass(frozen=True, slots=True)
class CallReport:
    """The provider's report of a call; None for each value that it does not contain.

    `duration_seconds` is in seconds, `cost` in US dollars. `reason_detail` rates how
    much `ended_reason` explains. `cost_is_expected`: the cost was computed here because
    the provider named none. `ended_message` is the provider's explanation of the
    reason, without secrets and phone numbers. `refusal` is what the reason means if the
    call was never answered. `is_unanswered`: it proves that nobody picked up.
    `outcome` is what the report proves about the outcome. `structured_outputs` are the
    results of the provider's analysis by name, and `analysis` is the rest of it.
    """

    ended_reason: str | None = None
    reason_detail: ReasonDetail = ReasonDetail.SPECIFIC
    ended_message: str | None = None
    refusal: Refusal | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_seconds: int | None = None
    cost: Decimal | None = None
    cost_is_expected: bool = False
    is_unanswered: bool = False
    recording_url: str | None = None
    transcript: Any | None = None
    has_analysis: bool = False
    person_spoke: bool = False
    has_artifact: bool = False
    outcome: OutcomeFinding | None = None
    structured_outputs: dict[str, Any] | None = None
    summary: str | None = None
    success_evaluation: str | None = None
    analysis: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """The contact and attempt of a call, from our metadata at the provider."""

    campaign_id: UUID
    contact_id: UUID
    attempt: int


class CallPhase(StrEnum):
    """Phase of a call at the provider, translated by the adapter from its status.

    ANSWERED: somebody or a machine picked up. TRANSFERRED: the call is being passed on
    to another number, which says nothing about when it was answered.
    """

    SCHEDULED = "SCHEDULED"
    QUEUED = "QUEUED"
    RINGING = "RINGING"
    ANSWERED = "ANSWERED"
    TRANSFERRED = "TRANSFERRED"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """A call as a look-up shows it; `document` is its JSON without secrets.

    `status` is the provider's term, which is only stored and shown; `phase` is its
    meaning, None if it is unknown here.
    """

    provider_call_id: str
    status: str
    phase: CallPhase | None
    created_at: datetime
    call_id: UUID | None
    report: CallReport
    document: dict[str, Any] = field(repr=False)
    origin: Origin | None = None

    @property
    def ended(self) -> bool:
        """Whether the call is over at the provider."""
        return self.phase is CallPhase.ENDED


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The assistant asks for the result of a tool while the call goes on."""

    id: str
    name: str
    arguments: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProviderMessage:
    """A webhook message; repeats have the same `key`.

    `document` is its JSON without secrets. `type` is the provider's term, which is only
    stored. `phase`, `ended_reason`, `reason_detail`, `ended_message`, `refusal` and
    `outcome` are set if the message announces a new phase of the call; `report` if it
    contains a report. `sent_at` is the time in the message itself. `tool_calls` have to
    be answered in the response; `phone` is then the other side's number (E.164).
    """

    key: str
    type: str
    provider_call_id: str | None
    call_id: UUID | None
    created_at: datetime | None
    sent_at: datetime | None
    phase: CallPhase | None
    ended_reason: str | None
    ended_message: str | None
    refusal: Refusal | None
    report: CallReport | None
    document: dict[str, Any] = field(repr=False)
    reason_detail: ReasonDetail = ReasonDetail.SPECIFIC
    outcome: OutcomeFinding | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProviderAssistant:
    """An assistant at the provider; `config` is in its format, without secrets.

    `tools` are the names of its tools that we answer during a call.
    """

    id: str
    name: str
    config: dict[str, Any]
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedAssistant:
    """An assistant in the provider's list; `name` None if it has none."""

    id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A line at the provider; `number` is E.164, `status` the provider's term."""

    id: str
    number: str | None
    name: str | None
    status: str | None


class ProviderUnavailable(Exception):
    """The provider did not answer, or its answer could not be understood."""


class ProviderRefused(Exception):
    """The provider refused the request; the message is its explanation."""


@dataclass(frozen=True, slots=True)
class CallTexts:
    """What an assistant would say to one contact, and by which instructions.

    `values` are all variables that the provider gets for the call. A text is None if
    the assistant has none.
    """

    first_message: str | None
    system_prompt: str | None
    values: dict[str, str]


class Provider(Protocol):
    """Places calls and runs assistants.

    Methods that read raise ProviderUnavailable or ProviderRefused.
    """

    @property
    def actor(self) -> str:
        """The actor of events that the provider's messages cause."""

    @property
    def longest_assistant_name(self) -> int:
        """Characters that the name of an assistant may have at the provider."""

    def create_call(self, order: CallOrder, *, send_before: float) -> Outcome:
        """Send one request, without any repetition; return its outcome.

        `send_before` is a time of `monotonic_now`; after it, nothing is sent and
        NeverLeft is returned. Faults of the provider or the network are not raised.
        """

    def call(self, provider_call_id: str) -> ProviderCall | None:
        """Look up a call; None if the provider does not have it."""

    def calls(
        self, phone_number_id: str | None, *, since: datetime
    ) -> list[ProviderCall]:
        """Return all calls of a line that were created since then, newest first.

        `phone_number_id` None: of all lines of the account, also deleted ones.
        """

    def hang_up(self, provider_call_id: str) -> None:
        """End a live call; no error if it is over already."""

    def assistant(self, provider_assistant_id: str) -> ProviderAssistant | None:
        """Return an assistant; None if the provider does not have it."""

    def listed_assistants(self) -> list[ListedAssistant]:
        """Return the assistants of the account, the newest 1,000 at most."""

    def create_assistant(self, name: str, config: dict[str, Any]) -> ProviderAssistant:
        """Create an assistant; `config` is in the provider's format."""

    def update_assistant(
        self, provider_assistant_id: str, name: str | None, config: dict[str, Any]
    ) -> ProviderAssistant | None:
        """Change the keys in `config`; return None if there is no such assistant.

        Raises ProviderRefused also if the change would remove secrets.
        """

    def add_tools(self, provider_assistant_id: str) -> ProviderAssistant | None:
        """Set up the tools that we answer; those that it has already stay.

        Returns None if there is no such assistant.
        """

    def longest_call_seconds(self, config: dict[str, Any]) -> int:
        """Return the seconds after which a call of an assistant of `config` ends."""

    def template_variables(self, config: dict[str, Any]) -> list[str]:
        """Return the names of the variables in an assistant's texts, each once."""

    def preview(
        self, config: dict[str, Any], name: str, variables: Mapping[str, str]
    ) -> CallTexts:
        """Return an assistant's texts with a contact's variables filled in."""

    def assistant_warnings(self, config: dict[str, Any]) -> list[str]:
        """Return warnings about what does not work in our calls with this config."""

    def recording_link(self, provider_call_id: str) -> str | None:
        """Return a link to a call's recording, which expires.

        None if the call has no recording, or if the provider's link is not one that
        `domain.calls.recording_url` accepts.
        """

    def phone_numbers(self) -> list[PhoneNumber]:
        """Return the lines of the account."""


class CallLookup(Protocol):
    """Finds calls in the read model, which may lag behind the log."""

    def by_provider_call_id(self, provider_call_id: str) -> UUID | None:
        """Return the id of our call that has this id at the provider."""

    def live_calls(self, campaign_id: UUID) -> list[UUID]:
        """Return the ids of a campaign's live calls."""


class ContactLookup(Protocol):
    """Finds contacts in the read model, which may lag behind the log."""

    def known(self, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the contacts that are in the campaign."""

    def erased(self, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the contacts that were erased."""

    def contact(self, contact_id: UUID) -> ContactRow | None:
        """Return a contact's personal data, None if it is unknown or erased."""


class ReadModel(Protocol):
    """The read tables as a whole."""

    def wait_for(self, position: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds; return whether they include `position`."""
