"""A unit of work: several commands are decided in turn and stored in one append."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, override
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from application.app import Streams
from application.vault import VaultRow


class AlreadyChanged(Exception):
    """A command needs an aggregate whose new events are not in the unit of work yet.

    The commands must then be run without a unit of work.
    """


class UnitOfWork(Streams):
    """Replaces the application for commands that are stored together.

    Each command sees the decisions of those before it; nothing is stored before
    `store`. If a command raises, discard the unit of work and run the others again.
    """

    def __init__(self, app: Streams, ids: Collection[UUID]) -> None:
        """Load the streams `ids` with one query; others are loaded when needed."""
        self._app = app
        self._known = app.find_all(ids)
        self._events: list[Any] = []
        self._vault: list[VaultRow] = []
        self._expect: dict[UUID, int] = {}
        self._changed: set[UUID] = set()

    @override
    def find[A: BaseAggregate[UUID]](self, kind: type[A], id_: UUID) -> A | None:
        if id_ not in self._known:
            self._known[id_] = self._app.find(BaseAggregate, id_)
        found = self._known[id_]
        if found is not None and found.pending_events:
            raise AlreadyChanged(f"{id_} has events that were not appended")
        return found if isinstance(found, kind) else None

    @override
    def find_all(
        self, ids: Collection[UUID], newest: Mapping[UUID, int] | None = None
    ) -> dict[UUID, BaseAggregate[UUID] | None]:
        wanted = (*ids, *(newest or {}))
        if unknown := [id_ for id_ in wanted if id_ not in self._known]:
            self._known |= self._app.find_all(unknown)
        return {id_: self.find(BaseAggregate, id_) for id_ in wanted}

    @override
    def append(
        self,
        *changed: Any,
        vault: Sequence[VaultRow] = (),
        expect: Mapping[UUID, int] | None = None,
    ) -> None:
        for id_, version in (expect or {}).items():
            # A stream that an earlier command changed or expected is as that saw it.
            if id_ not in self._changed:
                self._expect.setdefault(id_, version)
        for aggregate in filter(None, changed):
            self._known[aggregate.id] = aggregate
            self._changed.add(aggregate.id)
            self._events += aggregate.collect_events()
        self._vault += vault

    def store(self) -> None:
        """Append all events or none. Raises as `AutoLynx.append` does."""
        self._app.append(*self._events, vault=self._vault, expect=self._expect)
