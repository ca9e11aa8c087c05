"""Commands that are decided one after the other and stored as one append."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.domain import Aggregate

from application.app import Streams
from application.vault import VaultRow


class AlreadyChanged(Exception):
    """One of the commands has to be done by itself."""


class UnitOfWork(Streams):
    """Stands where the application does, for commands that are to be stored together.

    Each sees what those before it decided. Nothing is stored before `store`. One that
    fails half-way spoils it: then the others must be decided anew, elsewhere.
    """

    def __init__(self, app: Streams, ids: Collection[UUID]) -> None:
        """`ids` are the streams that will be needed: they are read at once."""
        self._app = app
        self._known = app.find_all(ids)
        self._facts: list[Any] = []
        self._vault: list[VaultRow] = []
        self._expect: dict[UUID, int] = {}

    def find[A: Aggregate](self, kind: type[A], id_: UUID) -> A | None:
        if id_ not in self._known:
            self._known[id_] = self._app.find(Aggregate, id_)
        found = self._known[id_]
        if found is not None and found.pending_events:
            raise AlreadyChanged(f"{id_} is being changed")
        return found if isinstance(found, kind) else None

    def find_all(self, ids: Collection[UUID]) -> dict[UUID, Aggregate | None]:
        return {id_: self.find(Aggregate, id_) for id_ in ids}

    def append(
        self,
        *changed: Any,
        vault: Sequence[VaultRow] = (),
        expect: Mapping[UUID, int] | None = None,
    ) -> None:
        for aggregate in filter(None, changed):
            self._known[aggregate.id] = aggregate
            self._facts += aggregate.collect_events()
        self._vault += vault
        self._expect |= expect or {}

    def store(self) -> None:
        """Store all of it or nothing; raises what an append does."""
        self._app.append(*self._facts, vault=self._vault, expect=self._expect)
