"""The port to the provider, which places calls and runs assistants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from application.ports.call_requests import CallOrder, Outcome
from application.ports.provider_facts import ProviderCall


@dataclass(frozen=True, slots=True)
class ProviderAssistant:
    """An assistant at the provider; `config` is in its format, without secrets.

    `tools` are the names of its tools that we answer during a call. `version` is the
    newest version that a call can name, None if the provider has none. `digest` changes
    with the configuration and the tools.
    """

    id: str
    name: str
    config: dict[str, Any]
    tools: tuple[str, ...] = ()
    version: str | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ListedAssistant:
    """An assistant in the provider's list; `name` None if it has none."""

    id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A line at the provider; `number` is E.164, `status` the provider's term.

    `usable`: the status allows calls.
    """

    id: str
    number: str | None
    name: str | None
    status: str | None
    usable: bool = True


@dataclass(frozen=True, slots=True)
class AssistantFields:
    """What every voice assistant has, read from the provider's configuration.

    None: not set, or set in a form that this version does not read. `model` and `voice`
    are `PROVIDER/NAME`, by the names that the assistants' provider uses.
    """

    first_message: str | None
    prompt: str | None
    model: str | None
    voice: str | None
    voicemail_message: str | None
    longest_call_seconds: int | None


type AssistantChanges = Mapping[str, str | int | None]
"""New values by the names of `AssistantFields`; None leaves a field as it is."""


class ProviderUnavailable(Exception):
    """The provider did not answer, or its answer could not be understood."""


class ProviderRefused(Exception):
    """The provider refused the request; the message is its explanation."""


@dataclass(frozen=True, slots=True)
class CallTexts:
    """What an assistant would say to one contact, and by which instructions.

    `values` are all variables that the provider gets for the call. A text is None if
    the assistant has none. `greeting_needs` and `prompt_needs` are the variables that
    the first message and the prompt contain without a default value or a condition.
    """

    first_message: str | None
    system_prompt: str | None
    values: dict[str, str]
    greeting_needs: tuple[str, ...] = ()
    prompt_needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderTexts:
    """Texts about the provider's own values, and the start of a new assistant.

    `ended_reasons` are sentences about frequent ended reasons, `new_assistant` is the
    configuration from which an admin creates an assistant.
    """

    ended_reasons: Mapping[str, str]
    new_assistant: Mapping[str, Any]


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

    @property
    def texts(self) -> ProviderTexts:
        """The texts and examples that the dashboard shows."""

    def tool_response(self, results: Mapping[str, str]) -> dict[str, Any]:
        """Return the response to a message with tool calls: results by their ids."""

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
        self,
        provider_assistant_id: str,
        name: str | None,
        config: dict[str, Any],
        fields: AssistantChanges | None = None,
    ) -> ProviderAssistant | None:
        """Change the keys in `config`, then `fields`.

        Returns None if the assistant does not exist. Raises ProviderRefused also if
        `config` would remove secrets, and Invalid for fields that the provider does not
        accept.
        """

    def add_tools(self, provider_assistant_id: str) -> ProviderAssistant | None:
        """Set up the tools that we answer; those that it has already stay.

        Returns None if there is no such assistant.
        """

    def assistant_fields(self, config: dict[str, Any]) -> AssistantFields:
        """Return the fields that a form shows, from a configuration."""

    def with_fields(
        self, config: dict[str, Any], changes: AssistantChanges
    ) -> dict[str, Any]:
        """Return a configuration with changed fields; all other content stays.

        Raises Invalid for values that the provider does not accept.
        """

    def settable_config(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return a configuration without what only the provider sets, and the name."""

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
