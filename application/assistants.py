"""The directory of voice assistants: what the provider runs and we may use."""

from datetime import datetime
from uuid import UUID

from application.app import AutoLynx, decide
from application.ports import Provider, ProviderAssistant
from application.recording import Means
from domain.assistant import Assistant, assistant_id_of
from domain.errors import NotFound


class AssistantService:
    def __init__(self, *, app: AutoLynx, means: Means, provider: Provider) -> None:
        self._app, self._means, self._provider = app, means, provider

    def import_assistant(
        self, provider_assistant_id: str, *, name: str | None, by: str
    ) -> tuple[UUID, int | None]:
        """Enter one that the provider has, or take over its present configuration.

        Returns its id here and the position that shows it, None where nothing
        changed. Raises ProviderUnavailable, ProviderRefused or NotFound.
        """
        found = self._provider.assistant(provider_assistant_id)
        if found is None:
            raise NotFound("assistant at the provider", provider_assistant_id)

        def command() -> tuple[UUID, int | None]:
            assistant = self._entered(found, name, self._means.now(), by)
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
        known.restore(at=at, by=by)
        known.change(name=name or known.name, config=found.config, at=at, by=by)
        return known
