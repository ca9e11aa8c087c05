"""A request to the provider to call a contact, and the outcomes of such a request."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

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
    assistant_version: str | None = None
    """The provider's version of the assistant to use, None for the newest."""


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
