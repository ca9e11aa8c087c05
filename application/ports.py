"""What the application needs from outside, in its own words."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from application.vault import ContactRow
from domain.reports import ReasonDetail
from domain.values import Refusal, RefusalKind, RefusalScope


@dataclass(frozen=True, slots=True)
class CallOrder:
    """One request to the provider to call one person; `request` counts from 1."""

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


# What can come of it. `words` are the provider's or the network's own.


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has the call; when blocked, it waits for a slot of the account."""

    provider_call_id: str
    placed_at: datetime
    concurrency_blocked: bool = False


@dataclass(frozen=True, slots=True)
class NeverLeft:
    """The request provably did not reach the provider."""

    words: str


@dataclass(frozen=True, slots=True)
class NotNow:
    """Too many calls or requests at the moment.

    `retry_after` is in seconds, None where the provider named no time.
    """

    words: str
    retry_after: float | None = None
    rule: str = field(default="", compare=False)

    @property
    def refusal(self) -> Refusal:
        return Refusal(RefusalKind.CAPACITY, None, self.rule)


@dataclass(frozen=True, slots=True)
class ContactRefused:
    """This number may not be called."""

    words: str
    rule: str = field(default="", compare=False)

    @property
    def refusal(self) -> Refusal:
        return Refusal(RefusalKind.CONTACT, None, self.rule)


@dataclass(frozen=True, slots=True)
class AccountRefused:
    """The account, the assistant or the line may not call at all.

    `scope` says which of the three; None where the provider did not name it.
    """

    words: str
    scope: RefusalScope | None = RefusalScope.ACCOUNT
    rule: str = field(default="", compare=False)

    @property
    def refusal(self) -> Refusal:
        return Refusal(RefusalKind.ACCOUNT, self.scope, self.rule)


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A refusal that no rule classifies: nobody was rung."""

    words: str
    rule: str = field(default="", compare=False)

    @property
    def refusal(self) -> Refusal:
        return Refusal(RefusalKind.PLATFORM, None, self.rule)


@dataclass(frozen=True, slots=True)
class Unknown:
    """The provider may have acted: nothing may be dialled on a guess."""

    words: str


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
    """How a call went; seconds and US dollars, None where nothing is said.

    `reason_detail` rates how much `ended_reason` explains. `cost_is_expected` marks a
    cost that was computed here because the provider named none. `ended_message` is the
    provider's explanation of the reason, without secrets and phone numbers. `refusal`
    is what the reason means if the call was never answered, `is_unanswered` whether it
    proves that nobody picked up.
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
    has_artifact: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """For whom a call was requested, as our metadata on it says."""

    campaign_id: UUID
    contact_id: UUID
    attempt: int


class CallPhase(StrEnum):
    """How far the provider says a call has got; its adapter translates the status.

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
    """A call as the provider shows it when asked; `document` without secrets.

    `status` is the provider's own word, which is only stored and shown; `phase` is what
    it means, None if it means nothing to us.
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
        return self.phase is CallPhase.ENDED


@dataclass(frozen=True, slots=True)
class ProviderMessage:
    """A webhook; repeats have the same `key`. `document` comes without secrets.

    `type` is the provider's own word, which is only stored. `phase`, `ended_reason`,
    `reason_detail`, `ended_message` and `refusal` are set if the message announces a
    new phase of the call; `report` if it contains a report. `sent_at` is the time that
    the message itself names.
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


@dataclass(frozen=True, slots=True)
class ProviderAssistant:
    id: str
    name: str
    config: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    id: str
    number: str | None
    name: str | None
    status: str | None


class ProviderUnavailable(Exception):
    """The provider could not be asked: no answer, or one that makes no sense."""


class ProviderRefused(Exception):
    """The provider said no; the message holds its words."""


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
        """Send one request, never repeated; NeverLeft after `send_before`.

        `send_before` is a time of `monotonic_now`. Never raises for what the provider
        or the network does.
        """

    def call(self, provider_call_id: str) -> ProviderCall | None: ...

    def calls(
        self, phone_number_id: str | None, *, since: datetime
    ) -> list[ProviderCall]:
        """Return all calls of a line that were created since then, newest first.

        None stands for all lines of the account, also those that are deleted.
        """

    def hang_up(self, provider_call_id: str) -> None:
        """Ask for the end of a live call; none that is over is an error."""

    def assistant(self, provider_assistant_id: str) -> ProviderAssistant | None: ...

    def create_assistant(
        self, name: str, config: dict[str, Any]
    ) -> ProviderAssistant: ...

    def update_assistant(
        self, provider_assistant_id: str, name: str | None, config: dict[str, Any]
    ) -> ProviderAssistant | None:
        """Change the keys that `config` names; None where there is no such assistant.

        Raises ProviderRefused as well where a change would take secrets away.
        """

    def longest_call_seconds(self, config: dict[str, Any]) -> int:
        """Return the seconds after which a call of an assistant of `config` ends."""

    def assistant_warnings(self, config: dict[str, Any]) -> list[str]:
        """Return what does not work in our calls with an assistant of `config`."""

    def recording_link(self, provider_call_id: str) -> str | None:
        """Return a link that opens a call's recording for a while.

        None if the call has no recording, or if the provider's link is not one that
        `domain.recording_url` accepts.
        """

    def phone_numbers(self) -> list[PhoneNumber]: ...


class CallLookup(Protocol):
    """Which of our calls carries a provider's id, as far as the read model knows."""

    def by_provider_call_id(self, provider_call_id: str) -> UUID | None: ...

    def live_calls(self, campaign_id: UUID) -> list[UUID]: ...


class ContactLookup(Protocol):
    """Who is in a campaign, as far as its read model knows."""

    def known(self, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]: ...

    def erased(self, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]: ...

    def contact(self, contact_id: UUID) -> ContactRow | None: ...


class ReadModel(Protocol):
    """Whether readers see what was stored."""

    def wait_for(self, position: int, timeout: float) -> bool:
        """Return whether the position was reached within that many seconds."""
