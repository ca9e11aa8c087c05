"""The directory of voice assistants: what the provider runs and we may use."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from application.app import AutoLynx, decide
from application.contacts.upload_intake import ReadModelBehind
from application.event_context import EventContext
from application.ports import Provider, ProviderAssistant, ReadModel
from application.vault import is_storable
from domain.assistant import Assistant, assistant_id_of
from domain.errors import InUse, Invalid, NotFound

LONGEST_NAME = 40
"""Characters that the provider takes."""

SHOWN_SECONDS = 5.0


class AssistantUse(Protocol):
    """Who uses an assistant, as far as the read model knows."""

    def campaigns_using(self, assistant_id: UUID) -> int:
        """Count campaigns that use it and are not finished."""


class AssistantService:
    """The provider first, then the directory: what it refuses changes nothing here.

    Commands return the assistant's id here and the position that shows it, None where
    nothing changed; they raise ProviderUnavailable, ProviderRefused and what the
    domain refuses.
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
        """Return what does not work in our calls with an assistant of that `config`."""
        return self._provider.assistant_warnings(config)

    def create(self, name: str, config: Any, *, by: str) -> tuple[UUID, int | None]:
        made = self._provider.create_assistant(_name(name), _config(config))
        return self._enter(made, made.name, by)

    def import_assistant(
        self, provider_assistant_id: str, *, name: str | None, by: str
    ) -> tuple[UUID, int | None]:
        """Enter one that the provider has, or take over its present configuration."""
        found = self._provider.assistant(provider_assistant_id)
        if found is None:
            raise _missing(provider_assistant_id)
        return self._enter(found, None if name is None else _name(name), by)

    def update(
        self, id_: UUID, *, name: str | None, config: Any | None, by: str
    ) -> tuple[UUID, int | None]:
        """Change it; what is None stays, as do keys that `config` leaves out."""
        provider_id = self._app.load(Assistant, id_).provider_assistant_id
        changed = self._provider.update_assistant(
            provider_id,
            None if name is None else _name(name),
            {} if config is None else _config(config),
        )
        if changed is None:
            raise _missing(provider_id)
        return self._enter(changed, changed.name if name else None, by, restores=False)

    def archive(self, id_: UUID, *, by: str) -> tuple[UUID, int | None]:
        """Take it out of what new campaigns may use; the provider keeps its own.

        A campaign that is made in the same moment appends to its stream as well: one
        of the two decides anew. Raises ReadModelBehind where readers do not follow.
        """

        def command() -> tuple[UUID, int | None]:
            assistant = self._app.load(Assistant, id_)
            if not assistant.archived:
                self._must_be_unused(id_)
            assistant.archive(at=self._context.now(), by=by)
            return id_, self._app.append(assistant)

        return decide(command)

    def _must_be_unused(self, id_: UUID) -> None:
        last = self._app.recorder.max_notification_id() or 0
        if not self._read_model.wait_for(last, SHOWN_SECONDS):
            raise ReadModelBehind(
                "Whether a campaign uses it is not known yet; see that a projector"
                " runs, then try again."
            )
        if using := self._use.campaigns_using(id_):
            raise InUse(f"Campaigns that are not finished use it: {using}.")

    def _enter(
        self,
        found: ProviderAssistant,
        name: str | None,
        by: str,
        *,
        restores: bool = True,
    ) -> tuple[UUID, int | None]:
        def command() -> tuple[UUID, int | None]:
            at = self._context.now()
            assistant = self._entered(found, name, at, by)
            if restores:
                assistant.restore(at=at, by=by)
            return assistant.id, self._app.append(assistant)

        return decide(command)

    def _entered(
        self, found: ProviderAssistant, name: str | None, at: datetime, by: str
    ) -> Assistant:
        known = self._app.find(Assistant, assistant_id_of(found.id))
        if known is None:
            return Assistant.create(
                provider_assistant_id=found.id,
                name=name or found.name,
                config=found.config,
                at=at,
                by=by,
            )
        known.change(name=name or known.name, config=found.config, at=at, by=by)
        return known


def _name(name: str) -> str:
    plain = name.strip()
    if not 0 < len(plain) <= LONGEST_NAME:
        said = f"must have 1 to {LONGEST_NAME} characters"
        raise Invalid(f"The name {said}.", name=said)
    _must_be_storable(plain, "name")
    return plain


def _config(config: Any) -> dict[str, Any]:
    if not isinstance(config, dict):
        said = "must be an object, as the provider takes it"
        raise Invalid(f"The configuration {said}.", config=said)
    _must_be_storable(config, "config")
    return config


def _must_be_storable(given: Any, name: str) -> None:
    """Refuse it before the provider has it and we cannot keep it."""
    if not is_storable(given):
        said = "must not hold the character NUL, nor numbers of more than 64 bits"
        raise Invalid(f"The {name} {said}.", **{name: said})


def _missing(provider_assistant_id: str) -> NotFound:
    return NotFound("assistant at the provider", provider_assistant_id[:100])
