"""The event-sourced application: every stream, loaded and appended in one place."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, CanMutateProtocol, DomainEventProtocol
from eventsourcing.persistence import InfrastructureFactory, IntegrityError
from eventsourcing.utils import Environment

from application.vault import VaultRow
from domain.assistant import Assistant
from domain.call import Call
from domain.campaign import Campaign
from domain.contact import Contact
from domain.contact_list import ContactList
from domain.dispatcher import Dispatcher
from domain.errors import NotFound
from domain.member import Member
from domain.settings import Settings
from domain.unmatched_message import UnmatchedMessage

AGGREGATES = (
    Assistant,
    Call,
    Campaign,
    Contact,
    ContactList,
    Dispatcher,
    Member,
    Settings,
    UnmatchedMessage,
)

DECISIONS = 8
"""How often a command is decided anew when others append at the same time."""


class Streams(ABC):
    """Where commands load what they decide about, and append what they decided."""

    @abstractmethod
    def find[A: Aggregate](self, kind: type[A], id_: UUID) -> A | None: ...

    def load[A: Aggregate](self, kind: type[A], id_: UUID) -> A:
        found = self.find(kind, id_)
        if found is None:
            raise NotFound(kind.__name__.lower(), id_)
        return found

    @abstractmethod
    def find_all(self, ids: Collection[UUID]) -> dict[UUID, Aggregate | None]:
        """Load many aggregates in one request; None stands for what has no events."""

    @abstractmethod
    def append(
        self,
        *changed: Any,
        vault: Sequence[VaultRow] = (),
        expect: Mapping[UUID, int] | None = None,
    ) -> int | None:
        """Store what the aggregates recorded, all or nothing.

        `expect` names streams and the version at which each must still be. Returns the
        position that a reader must reach, None if there is none yet.
        """


class AutoLynx(Application[UUID], Streams):
    name = "autolynx"

    def __init__(self, factory: InfrastructureFactory[Any]) -> None:
        self._factory = factory
        super().__init__()

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:  # noqa: ARG002 - the composition root chose it
        return self._factory

    def find[A: Aggregate](self, kind: type[A], id_: UUID) -> A | None:
        try:
            found: Any = self.repository.get(id_, projector_func=replay)
        except AggregateNotFoundError:
            return None
        return found if isinstance(found, kind) else None

    def find_all(self, ids: Collection[UUID]) -> dict[UUID, Aggregate | None]:
        streams: dict[UUID, list[Any]] = {id_: [] for id_ in ids}
        recorder: Any = self.recorder
        for stored in recorder.select_streams(streams):
            streams[stored.originator_id].append(stored)
        read: Any = self.mapper.to_domain_event
        return {id_: replay(None, map(read, told)) for id_, told in streams.items()}

    def highest_version(self, stream_id: UUID) -> int:
        """Return the version of a stream's last event, 0 where it has none."""
        last = self.recorder.select_events(stream_id, desc=True, limit=1)
        return last[0].originator_version if last else 0

    def append(
        self,
        *changed: Any,
        vault: Sequence[VaultRow] = (),
        expect: Mapping[UUID, int] | None = None,
    ) -> int | None:
        """Store what the aggregates recorded, or events, all or nothing.

        Raises IntegrityError where somebody else was first, StoreUnavailable where the
        store did not take it in time.
        """
        # Not by the library's `save`: to ask what each fact can do costs it as much as
        # all else that it does.
        facts = [fact for one in changed if one is not None for fact in _facts(one)]
        stored = [self.mapper.to_stored_event(fact) for fact in facts]
        positions = self.recorder.insert_events(stored, vault=vault, expect=expect)
        return positions[-1] if positions else None


def _facts(one: Aggregate | DomainEventProtocol[UUID]) -> Sequence[Any]:
    return one.collect_events() if isinstance(one, Aggregate) else [one]


def replay[A](initial: A | None, events: Iterable[CanMutateProtocol[Any]]) -> A | None:
    """Fold events without the library's type check, which costs ten times more."""
    for event in events:
        initial = event.mutate(initial)
    return initial


def decide[R](command: Callable[[], R]) -> R:
    """Run a load-decide-append command; decide again when somebody was first."""
    for _ in range(DECISIONS - 1):
        try:
            return command()
        except IntegrityError:
            continue
    return command()
