"""Voice assistants: created and changed at the provider, then registered here."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from application.app import AutoLynx, Streams, decide
from application.errors import ReadModelBehind
from application.event_context import EventContext
from application.ports import (
    AssistantChanges,
    AssistantFields,
    CallTexts,
    ListedAssistant,
    Provider,
    ProviderAssistant,
    ReadModel,
)
from application.vault import is_storable
from domain.assistant import Assistant, assistant_id_of
from domain.errors import Invalid, NotFound

READ_MODEL_SECONDS = 5.0
"""How long `archive` waits until the read model includes all events."""


class AssistantUse(Protocol):
    """The campaigns of an assistant, from the read model."""

    def campaigns_using(self, assistant_id: UUID) -> int:
        """Return the number of unfinished campaigns that use the assistant."""


class AssistantService:
    """Commands on assistants. The provider is changed first: if it refuses, no event.

    Each command returns the assistant's id and the position that a reader must reach,
    or None if nothing changed. Commands raise ProviderUnavailable, ProviderRefused,
    and the errors of the domain.
    """

    def __init__(
        self,
        *,
        app: AutoLynx,
        context: EventContext,
        provider: Provider,
        use: AssistantUse,
        read_model: ReadModel,
    ) -> None:
        self._app, self._context, self._provider = app, context, provider
        self._use, self._read_model = use, read_model

    def warnings(self, config: dict[str, Any]) -> list[str]:
        """Return warnings about what this configuration cannot do in our calls."""
        return self._provider.assistant_warnings(config)

    def variables(self, config: dict[str, Any]) -> list[str]:
        """Return the names of the variables in its prompt and first message."""
        return self._provider.template_variables(config)

    def preview(
        self, config: dict[str, Any], name: str, variables: Mapping[str, str]
    ) -> CallTexts:
        """Return its prompt and first message for a contact with these variables."""
        return self._provider.preview(config, name, variables)

    def fields(self, config: dict[str, Any]) -> AssistantFields:
        """Return the fields that a form shows beside this configuration."""
        return self._provider.assistant_fields(config)

    def draft(
        self, config: Any | None, changes: AssistantChanges
    ) -> tuple[dict[str, Any], AssistantFields]:
        """Return a configuration with changed fields, and its fields; stores nothing.

        `config` None: the one with which a new assistant begins. Parts that only the
        provider sets are left out. Raises Invalid for values it does not accept.
        """
        drafted = self._provider.settable_config(self._started(config))
        drafted = self._provider.with_fields(drafted, changes)
        return drafted, self._provider.assistant_fields(drafted)

    def at_provider(self) -> list[ListedAssistant]:
        """Return the assistants of the provider's account, registered here or not.

        Raises ProviderUnavailable or ProviderRefused.
        """
        return self._provider.listed_assistants()

    def configuration_at_provider(self, provider_assistant_id: str) -> dict[str, Any]:
        """Return an assistant's configuration; registers nothing.

        Raises NotFound if the provider lacks it.
        """
        found = self._provider.assistant(provider_assistant_id)
        if found is None:
            raise _missing(provider_assistant_id)
        return found.config

    def create(
        self,
        name: str,
        config: Any | None = None,
        fields: AssistantChanges | None = None,
        *,
        by: str,
    ) -> tuple[UUID, int | None]:
        """Create an assistant at the provider and register it.

        `config` is a JSON object in the provider's format, None for that with which a
        new assistant begins; then `fields` are set. Raises Invalid if the configuration
        is not an object, or if the provider does not accept the name or a field.
        """
        drafted, _ = self.draft(config, _storable_fields(fields))
        created = self._provider.create_assistant(self._checked_name(name), drafted)
        return self._register(created, created.name, by)

    def import_assistant(
        self, provider_assistant_id: str, *, name: str | None, by: str
    ) -> tuple[UUID, int | None]:
        """Register an assistant of the provider, or update its copied configuration.

        An archived assistant is restored. Raises NotFound if the provider lacks it.
        """
        found = self._provider.assistant(provider_assistant_id)
        if found is None:
            raise _missing(provider_assistant_id)
        return self._register(found, self._optional_name(name), by)

    def update(
        self,
        id_: UUID,
        *,
        name: str | None,
        config: Any | None,
        fields: AssistantChanges | None = None,
        by: str,
    ) -> tuple[UUID, int | None]:
        """Change an assistant at the provider, then here.

        None and keys that `config` lacks stay as they are. `fields` are set in the
        provider's own copy, so no secret is lost. Raises NotFound if the assistant is
        not registered, or if the provider lacks it.
        """
        provider_id = self._app.load(Assistant, id_).provider_assistant_id
        changed = self._provider.update_assistant(
            provider_id,
            self._optional_name(name),
            {} if config is None else _checked_config(config),
            _storable_fields(fields),
        )
        if changed is None:
            raise _missing(provider_id)
        new_name = changed.name if name else None
        return self._register(changed, new_name, by, restores=False)

    def add_tools(self, id_: UUID, *, by: str) -> tuple[UUID, int | None]:
        """Set up the tools for opt-outs and callbacks at the provider, then here.

        Raises NotFound if the assistant is not registered, or if the provider lacks it.
        """
        provider_id = self._app.load(Assistant, id_).provider_assistant_id
        changed = self._provider.add_tools(provider_id)
        if changed is None:
            raise _missing(provider_id)
        return self._register(changed, None, by, restores=False)

    def refresh(self, found: ProviderAssistant) -> int | None:
        """Update the copy of an assistant that was changed at the provider.

        Does nothing if the assistant is not registered.
        """
        if self._app.find(Assistant, assistant_id_of(found.id)) is None:
            return None
        actor = self._provider.actor
        return self._register(found, None, actor, restores=False)[1]

    def archive(self, id_: UUID, *, by: str) -> tuple[UUID, int | None]:
        """Exclude the assistant from new campaigns; it stays at the provider.

        A campaign that is created at the same time appends to the assistant's stream as
        well, so one of the two commands decides again. Raises InUse if an unfinished
        campaign uses the assistant, and ReadModelBehind if that cannot be known yet.
        """

        def command() -> tuple[UUID, int | None]:
            assistant, at = self._app.load(Assistant, id_), self._context.now()
            campaigns = partial(self._campaigns_using, id_)
            assistant.archive(campaigns=campaigns, at=at, by=by)
            return id_, self._app.append(assistant)

        return decide(command)

    def _campaigns_using(self, id_: UUID) -> int:
        """Return the number of unfinished campaigns. Raises ReadModelBehind."""
        last = self._app.recorder.max_notification_id() or 0
        if not self._read_model.wait_for(last, READ_MODEL_SECONDS):
            raise ReadModelBehind(
                "The read tables are behind, so campaigns that use the assistant may be"
                " missing: check that a projector runs, then try again."
            )
        return self._use.campaigns_using(id_)

    def _register(
        self,
        found: ProviderAssistant,
        name: str | None,
        by: str,
        *,
        restores: bool = True,
    ) -> tuple[UUID, int | None]:
        def command() -> tuple[UUID, int | None]:
            at = self._context.now()
            assistant = self._registered(found, name, at, by)
            if restores:
                assistant.restore(at=at, by=by)
            return assistant.id, self._app.append(assistant)

        return decide(command)

    def _registered(
        self, found: ProviderAssistant, name: str | None, at: datetime, by: str
    ) -> Assistant:
        known = self._app.find(Assistant, assistant_id_of(found.id))
        if known is None:
            return Assistant.create(
                provider_assistant_id=found.id,
                name=name or found.name,
                config=found.config,
                tools=found.tools,
                at=at,
                by=by,
            )
        known.change(
            name=name or known.name,
            config=found.config,
            tools=found.tools,
            at=at,
            by=by,
        )
        return known

    def _started(self, config: Any | None) -> dict[str, Any]:
        if config is None:
            return dict(self._provider.texts.new_assistant)
        return _checked_config(config)

    def _optional_name(self, name: str | None) -> str | None:
        return None if name is None else self._checked_name(name)

    def _checked_name(self, name: str) -> str:
        trimmed, longest = name.strip(), self._provider.longest_assistant_name
        if not 0 < len(trimmed) <= longest:
            rule = f"must have 1 to {longest} characters"
            raise Invalid(f"The name {rule}.", name=rule)
        _check_storable(trimmed, "name")
        return trimmed


def _checked_config(config: Any) -> dict[str, Any]:
    if not isinstance(config, dict):
        rule = "must be a JSON object in the provider's format"
        raise Invalid(f"The configuration {rule}.", config=rule)
    _check_storable(config, "config")
    return config


def _storable_fields(fields: AssistantChanges | None) -> AssistantChanges:
    """Return the fields that are given. Raises Invalid if one cannot be stored."""
    given = {name: value for name, value in (fields or {}).items() if value is not None}
    _check_storable(given, "fields")
    return given


def _check_storable(value: Any, name: str) -> None:
    """Refuse a value before it is stored at the provider but cannot be stored here."""
    if not is_storable(value):
        rule = "must not contain the character NUL or integers of more than 64 bits"
        raise Invalid(f"The {name} {rule}.", **{name: rule})


def usable_assistant(app: Streams, assistant_id: UUID) -> Assistant:
    """Load an assistant for a campaign that is to use it.

    Raises Invalid if it is not registered, and WrongState if it is archived.
    """
    assistant = app.find(Assistant, assistant_id)
    if assistant is None:
        raise Invalid("Choose an assistant.", assistantId="is not in the directory")
    assistant.must_be_usable()
    return assistant


def _missing(provider_assistant_id: str) -> NotFound:
    return NotFound("assistant at the provider", provider_assistant_id[:100])
