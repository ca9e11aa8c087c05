"""A voice assistant that the provider runs and campaigns may use."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Self
from uuid import UUID, uuid5

from eventsourcing.domain import Aggregate, event

from domain.errors import Invalid, WrongState
from domain.values import NAMESPACE

LONGEST_CALL_SECONDS = 600
"""The provider's default of `maxDurationSeconds`."""


def assistant_id_of(provider_assistant_id: str) -> UUID:
    return uuid5(NAMESPACE, f"assistant:{provider_assistant_id}")


class AssistantEvent(Aggregate.Event):
    actor: str


class Assistant(Aggregate):
    TOPIC = "assistant"

    class Created(AssistantEvent, Aggregate.Created):
        TOPIC = "assistant.created"
        provider_assistant_id: str
        name: str
        config: dict[str, Any]

    class Changed(AssistantEvent):
        TOPIC = "assistant.changed"
        name: str
        config: dict[str, Any]

    class Chosen(AssistantEvent):
        """A campaign is made that uses it; in one save with the campaign.

        Whether it uses it still is asked of the read model: campaigns just end.
        """

        TOPIC = "assistant.chosen"
        campaign_id: UUID

    class Archived(AssistantEvent):
        TOPIC = "assistant.archived"

    class Restored(AssistantEvent):
        TOPIC = "assistant.restored"

    @classmethod
    def create(
        cls,
        *,
        provider_assistant_id: str,
        name: str,
        config: dict[str, Any],
        at: datetime,
        by: str,
    ) -> Self:
        """Enter it in the directory; `config` comes without secrets."""
        return cls._create(
            cls.Created,
            id=assistant_id_of(provider_assistant_id),
            timestamp=at,
            actor=by,
            provider_assistant_id=provider_assistant_id,
            name=_named(name),
            config=config,
        )

    @event(Created)
    def __init__(
        self, provider_assistant_id: str, name: str, config: dict[str, Any]
    ) -> None:
        self.provider_assistant_id = provider_assistant_id
        self.name, self.config, self.archived = name, config, False

    @property
    def warnings(self) -> list[str]:
        return warnings_of(self.config)

    @property
    def longest_call_seconds(self) -> int:
        return int(self.config.get("maxDurationSeconds") or LONGEST_CALL_SECONDS)

    def choose(self, *, campaign_id: UUID, at: datetime, by: str) -> None:
        """Refuse where it is archived; whoever archives it just now decides anew."""
        self.must_be_usable()
        self._record(self.Chosen, at, by, campaign_id=campaign_id)

    def must_be_usable(self) -> None:
        if self.archived:
            raise WrongState(f"The assistant {self.name} is archived: import it again.")

    def change(
        self, *, name: str, config: dict[str, Any], at: datetime, by: str
    ) -> None:
        if (name.strip(), config) != (self.name, self.config):
            fields = {"name": _named(name), "config": config}
            self._record(self.Changed, at, by, **fields)

    def archive(self, *, at: datetime, by: str) -> None:
        if not self.archived:
            self._record(self.Archived, at, by)

    def restore(self, *, at: datetime, by: str) -> None:
        if self.archived:
            self._record(self.Restored, at, by)

    def _record(
        self, fact: type[AssistantEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        self.trigger_event(fact, timestamp=at, actor=by, **fields)

    @event(Changed)
    def _changed(self, name: str, config: dict[str, Any]) -> None:
        self.name, self.config = name, config

    @event(Archived)
    def _archived(self) -> None:
        self.archived = True

    @event(Restored)
    def _restored(self) -> None:
        self.archived = False


def _named(name: str) -> str:
    if not name.strip():
        raise Invalid("An assistant needs a name.", name="is empty")
    return name.strip()


OWN_SERVER = (
    "It has a server of its own: calls placed from here name AutoLynx as their server"
    " instead, so its own is told nothing of them."
)
TOOLS_WITHOUT_SERVER = (
    "These tools have no server of their own: {names}. In calls placed from here they"
    " ask AutoLynx, which does not answer them. Give each tool its own server at the"
    " provider."
)
SAVED_TOOLS = (
    "It uses tools that the provider keeps apart. One that has no server of its own"
    " asks AutoLynx in calls placed from here, which does not answer it."
)


def warnings_of(config: dict[str, Any]) -> list[str]:
    """Say what the `server` that we send with each call takes from this assistant."""
    model = config.get("model")
    model = model if isinstance(model, dict) else {}
    warnings = []
    if config.get("server") or config.get("serverUrl"):
        warnings.append(OWN_SERVER)
    if names := list(_asking_us(model)):
        warnings.append(TOOLS_WITHOUT_SERVER.format(names=", ".join(names)))
    if model.get("toolIds"):
        warnings.append(SAVED_TOOLS)
    return warnings


def _asking_us(model: dict[str, Any]) -> Iterator[str]:
    for tool in [*_documents(model.get("tools")), *_documents(model.get("functions"))]:
        function = tool.get("function")
        server = tool.get("server")
        asks = tool.get("type", "function") == "function"
        if asks and not (isinstance(server, dict) and server.get("url")):
            named = function if isinstance(function, dict) else tool
            yield str(named.get("name") or "a function without a name")


def _documents(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [one for one in value if isinstance(one, dict)]
