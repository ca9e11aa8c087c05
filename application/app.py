"""The event-sourced application: loads aggregates and appends their new events."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, override
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import BaseAggregate, CanMutateProtocol, DomainEventProtocol
from eventsourcing.persistence import InfrastructureFactory, IntegrityError
from eventsourcing.utils import Environment

from application.vault import VaultRow
from domain.assistant import Assistant
from domain.calls.call import Call
from domain.calls.unmatched_message import UnmatchedMessage
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.contacts.contact_list import ContactList
from domain.dispatcher import Dispatcher
from domain.errors import NotFound
from domain.forecast import log as forecast_log  # noqa: F401 - registers topics
from domain.member import Member
from domain.numbers.installation import Installation
from domain.numbers.number import Number
from domain.numbers.suppression_lists import SuppressionLists
from domain.settings import Settings
from domain.webhook_endpoint import WebhookEndpoint

AGGREGATES = (
    Assistant,
    Call,
    Campaign,
    Contact,
    ContactList,
    Dispatcher,
    Installation,
    Member,
    Number,
    Settings,
    SuppressionLists,
    UnmatchedMessage,
    WebhookEndpoint,
)

DECISIONS = 8
"""How often a command is decided at most, if other appends conflict with it."""


class Streams(ABC):
    """Loads aggregates and appends their events: the application or a unit of work."""

    @abstractmethod
    def find[A: BaseAggregate[UUID]](self, kind: type[A], id_: UUID) -> A | None:
        """Return the aggregate, None if there is none of this kind."""

    def load[A: BaseAggregate[UUID]](self, kind: type[A], id_: UUID) -> A:
        """Return the aggregate. Raises NotFound."""
        found = self.find(kind, id_)
        if found is None:
            raise NotFound(kind.__name__.lower(), id_)
        return found

    @abstractmethod
    def find_all(
        self, ids: Collection[UUID], newest: Mapping[UUID, int] | None = None
    ) -> dict[UUID, BaseAggregate[UUID] | None]:
        """Load many aggregates with one query; None for a stream without events.

        `newest` maps further streams, whose newest event may be read first, to how many
        of their last events are read at least.
        """

    @abstractmethod
    def append(
        self,
        *changed: Any,
        vault: Sequence[VaultRow] = (),
        expect: Mapping[UUID, int] | None = None,
    ) -> int | None:
        """Append the new events of the aggregates, all or none.

        `vault` are the rows to which they refer. `expect` maps streams to the version
        (0: no events) that each must still have. Returns the position of the last
        event, None if nothing was stored (yet).
        """


class AutoLynx(Application[UUID], Streams):
    """The application; `factory` creates its recorder and mapper."""

    name = "autolynx"

    def __init__(self, factory: InfrastructureFactory[Any]) -> None:
        self._factory = factory
        super().__init__()

    @override
    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        return self._factory

    @override
    def find[A: BaseAggregate[UUID]](self, kind: type[A], id_: UUID) -> A | None:
        try:
            found: Any = self.repository.get(id_, projector_func=replay)
        except AggregateNotFoundError:
            return None
        return found if isinstance(found, kind) else None

    @override
    def find_all(
        self, ids: Collection[UUID], newest: Mapping[UUID, int] | None = None
    ) -> dict[UUID, BaseAggregate[UUID] | None]:
        streams: dict[UUID, list[Any]] = {id_: [] for id_ in (*ids, *(newest or {}))}
        recorder: Any = self.recorder
        for stored in recorder.select_streams(ids, newest):
            streams[stored.originator_id].append(stored)
        read: Any = self.mapper.to_domain_event
        return {id_: replay(None, map(read, own)) for id_, own in streams.items()}

    def highest_version(self, stream_id: UUID) -> int:
        """Return the version of a stream's last event, 0 if it has none."""
        last = self.recorder.select_events(stream_id, desc=True, limit=1)
        return last[0].originator_version if last else 0

    @override
    def append(
        self,
        *changed: Any,
        vault: Sequence[VaultRow] = (),
        expect: Mapping[UUID, int] | None = None,
    ) -> int | None:
        """Append new events of aggregates, or single events, all or none.

        Raises:
            IntegrityError: another append used a version first, or a stream does not
                have its expected version.
            StoreUnavailable: the database did not store the events in time.
        """
        # The library's `save` takes twice as long, because it checks the type of each
        # event.
        events = [event for one in changed if one is not None for event in _events(one)]
        stored = [self.mapper.to_stored_event(event) for event in events]
        positions = self.recorder.insert_events(stored, vault=vault, expect=expect)
        return positions[-1] if positions else None


def _events(one: BaseAggregate[UUID] | DomainEventProtocol[UUID]) -> Sequence[Any]:
    return one.collect_events() if isinstance(one, BaseAggregate) else [one]


def replay[A](initial: A | None, events: Iterable[CanMutateProtocol[Any]]) -> A | None:
    """Fold events into an aggregate, without the library's slow check of types."""
    for event in events:
        initial = event.mutate(initial)
    return initial


def decide[R](command: Callable[[], R]) -> R:
    """Run a command that loads, decides and appends; repeat it after a conflict.

    Raises IntegrityError after `DECISIONS` conflicts.
    """
    for _ in range(DECISIONS - 1):
        try:
            return command()
        except IntegrityError:
            continue
    return command()
