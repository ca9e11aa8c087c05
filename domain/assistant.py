"""A voice assistant that the provider runs and campaigns may use."""

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


class AssistantFact(Aggregate.Event):
    actor: str


class Assistant(Aggregate):
    TOPIC = "assistant"

    class Created(AssistantFact, Aggregate.Created):
        TOPIC = "assistant.created"
        provider_assistant_id: str
        name: str
        config: dict[str, Any]

    class Changed(AssistantFact):
        TOPIC = "assistant.changed"
        name: str
        config: dict[str, Any]

    class Archived(AssistantFact):
        TOPIC = "assistant.archived"

    class Restored(AssistantFact):
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
    def longest_call_seconds(self) -> int:
        return int(self.config.get("maxDurationSeconds") or LONGEST_CALL_SECONDS)

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
        self, fact: type[AssistantFact], at: datetime, by: str, **fields: Any
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
