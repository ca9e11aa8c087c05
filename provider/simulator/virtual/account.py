"""The assistants and lines of an account that only exists in this process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from application.ports import (
    ListedAssistant,
    PhoneNumber,
    Provider,
    ProviderAssistant,
    ProviderRefused,
)
from provider.vapi import ACTOR
from provider.vapi.assistants.assistant_fields import assistant_fields, with_fields
from provider.vapi.assistants.assistants import (
    LONGEST_NAME,
    longest_call_seconds,
    settable_config,
    warnings_of,
)
from provider.vapi.assistants.templates import call_texts, template_variables
from provider.vapi.messages.tool_calls import tool_response
from provider.vapi.texts import TEXTS

UNCHANGEABLE = "The assistants of a rehearsal cannot change."


@dataclass(kw_only=True)
class VirtualAccount(Provider):
    """The part of the port that is not about calls; the account cannot change."""

    assistants: Mapping[str, ProviderAssistant]
    lines: tuple[PhoneNumber, ...] = ()

    actor = ACTOR
    longest_assistant_name = LONGEST_NAME
    texts = TEXTS
    tool_response = staticmethod(tool_response)
    assistant_fields = staticmethod(assistant_fields)
    with_fields = staticmethod(with_fields)
    settable_config = staticmethod(settable_config)
    longest_call_seconds = staticmethod(longest_call_seconds)
    template_variables = staticmethod(template_variables)
    preview = staticmethod(call_texts)
    assistant_warnings = staticmethod(warnings_of)

    def assistant(self, provider_assistant_id: str) -> ProviderAssistant | None:
        """Return an assistant of the account, None if it has none with this id."""
        return self.assistants.get(provider_assistant_id)

    def listed_assistants(self) -> list[ListedAssistant]:
        """Return all assistants."""
        return [ListedAssistant(one.id, one.name) for one in self.assistants.values()]

    def phone_numbers(self) -> list[PhoneNumber]:
        """Return all lines."""
        return list(self.lines)

    def recording_link(self, _provider_call_id: str) -> str | None:
        """Return None: there are no recordings."""
        return None

    def create_assistant(self, *_: Any) -> ProviderAssistant:
        """Raise ProviderRefused."""
        raise ProviderRefused(UNCHANGEABLE)

    def update_assistant(self, *_: Any) -> ProviderAssistant | None:
        """Raise ProviderRefused."""
        raise ProviderRefused(UNCHANGEABLE)

    def add_tools(self, *_: Any) -> ProviderAssistant | None:
        """Raise ProviderRefused."""
        raise ProviderRefused(UNCHANGEABLE)
