"""A voice assistant that the provider runs and campaigns may use.

Its configuration is opaque here: only the provider's adapter interprets it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Self
from uuid import UUID, uuid5

from eventsourcing.domain import Aggregate, event

from domain.errors import InUse, Invalid, WrongState
from domain.values import NAMESPACE


def assistant_id_of(provider_assistant_id: str) -> UUID:
    """Return our id of an assistant, derived from the provider's id."""
    return uuid5(NAMESPACE, f"assistant:{provider_assistant_id}")


class AssistantEvent(Aggregate.Event):
    """`actor` is the member who caused the event."""

    actor: str


class Assistant(Aggregate):
    """An assistant of the provider, registered here under an id derived from its id.

    `config` is in the provider's format, without secrets. `tools` are the names of its
    tools that AutoLynx answers during a call.
    """

    TOPIC = "assistant"

    class Created(AssistantEvent, Aggregate.Created):
        """The assistant was registered; campaigns may use it."""

        TOPIC = "assistant.created"
        provider_assistant_id: str
        name: str
        config: dict[str, Any]
        tools: tuple[str, ...] = ()

    class Changed(AssistantEvent):
        """Its name or configuration changed; both are the new ones."""

        TOPIC = "assistant.changed"
        name: str
        config: dict[str, Any]
        tools: tuple[str, ...] = ()

    class Chosen(AssistantEvent):
        """A campaign was created with, or changed to, the assistant in this append.

        No event is stored when such a campaign finishes; the read model knows which
        campaigns still use an assistant.
        """

        TOPIC = "assistant.chosen"
        campaign_id: UUID

    class Archived(AssistantEvent):
        """New campaigns may no longer use the assistant."""

        TOPIC = "assistant.archived"

    class Restored(AssistantEvent):
        """New campaigns may use the archived assistant again."""

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
        tools: tuple[str, ...] = (),
    ) -> Self:
        """Register an assistant. Raises Invalid if `name` is blank."""
        return cls._create(
            cls.Created,
            id=assistant_id_of(provider_assistant_id),
            timestamp=at,
            actor=by,
            provider_assistant_id=provider_assistant_id,
            name=_checked_name(name),
            config=config,
            tools=tools,
        )

    @event(Created)
    def __init__(
        self,
        provider_assistant_id: str,
        name: str,
        config: dict[str, Any],
        tools: tuple[str, ...],
    ) -> None:
        self.provider_assistant_id = provider_assistant_id
        self.name, self.config, self.archived = name, config, False
        self.tools = tools

    def choose(self, *, campaign_id: UUID, at: datetime, by: str) -> None:
        """Record that a campaign, which is new or changed, uses the assistant.

        An archive command that runs at the same time fails on the stream's version and
        decides again. Raises WrongState if the assistant is archived.
        """
        self.must_be_usable()
        self._record(self.Chosen, at, by, campaign_id=campaign_id)

    def must_be_usable(self) -> None:
        """Raise WrongState if new campaigns may not use the assistant."""
        if self.archived:
            raise WrongState(f"The assistant {self.name} is archived: import it again.")

    def change(
        self,
        *,
        name: str,
        config: dict[str, Any],
        at: datetime,
        by: str,
        tools: tuple[str, ...] = (),
    ) -> None:
        """Replace name, configuration and tools. Raises Invalid if `name` is blank."""
        if (name.strip(), config, tools) != (self.name, self.config, self.tools):
            fields = {"name": _checked_name(name), "config": config, "tools": tools}
            self._record(self.Changed, at, by, **fields)

    def archive(
        self, *, campaigns: Callable[[], int] = lambda: 0, at: datetime, by: str
    ) -> None:
        """Exclude the assistant from new campaigns; a repeat changes nothing.

        `campaigns` counts the unfinished campaigns that use it. Raises InUse if there
        are any.
        """
        if self.archived:
            return
        if using := campaigns():
            raise InUse(f"{using} unfinished campaign(s) use the assistant.")
        self._record(self.Archived, at, by)

    def restore(self, *, at: datetime, by: str) -> None:
        """Allow new campaigns to use an archived assistant."""
        if self.archived:
            self._record(self.Restored, at, by)

    def _record(
        self, fact: type[AssistantEvent], at: datetime, by: str, **fields: Any
    ) -> None:
        self.trigger_event(fact, timestamp=at, actor=by, **fields)

    @event(Changed)
    def _changed(
        self, name: str, config: dict[str, Any], tools: tuple[str, ...]
    ) -> None:
        self.name, self.config, self.tools = name, config, tools

    @event(Archived)
    def _archived(self) -> None:
        self.archived = True

    @event(Restored)
    def _restored(self) -> None:
        self.archived = False


def _checked_name(name: str) -> str:
    if not name.strip():
        raise Invalid("An assistant needs a name.", name="is empty")
    return name.strip()
