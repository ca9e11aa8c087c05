"""Event streams and a contact look-up in memory, for tests with thousands of commands.

`tests/contracts` checks that they behave like the log and the read model in Postgres.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, override
from uuid import UUID

from eventsourcing.domain import BaseAggregate
from eventsourcing.persistence import IntegrityError

from application.app import Streams, replay
from application.ports import ContactLookup
from application.vault import ContactRow, VaultRow


class Crash(Exception):
    """The process dies before the append."""


class MemoryStreams(Streams):
    """Event streams in memory, with the versions that an append expects.

    While `dies` is true, each append raises Crash and stores nothing.
    """

    def __init__(self) -> None:
        self.events: dict[UUID, list[Any]] = {}
        self.dies = False
        self._position = 0

    @override
    def find[A: BaseAggregate[UUID]](self, kind: type[A], id_: UUID) -> A | None:
        found: Any = replay(None, self.events.get(id_, ()))
        return found if isinstance(found, kind) else None

    @override
    def find_all(
        self, ids: Collection[UUID], newest: Mapping[UUID, int] | None = None
    ) -> dict[UUID, BaseAggregate[UUID] | None]:
        return {id_: self.find(BaseAggregate, id_) for id_ in (*ids, *(newest or {}))}

    @override
    def append(
        self,
        *changed: Any,
        vault: Sequence[VaultRow] = (),
        expect: Mapping[UUID, int] | None = None,
    ) -> int | None:
        if self.dies:
            raise Crash
        for id_, version in (expect or {}).items():
            if self._version(id_) != version:
                raise IntegrityError(id_)
        new: dict[UUID, list[Any]] = {}
        for event in _events(changed):
            own = new.setdefault(event.originator_id, [])
            own.append(event)
            if event.originator_version != self._version(own[0].originator_id) + len(
                own
            ):
                raise IntegrityError(event.originator_id)
        for id_, events in new.items():
            self.events.setdefault(id_, []).extend(events)
        self._position += sum(map(len, new.values()))
        return self._position if new else None

    def _version(self, id_: UUID) -> int:
        stored = self.events.get(id_)
        return stored[-1].originator_version if stored else 0


def _events(changed: Sequence[Any]) -> list[Any]:
    return [
        event
        for one in changed
        if one is not None
        for event in (one.collect_events() if isinstance(one, BaseAggregate) else [one])
    ]


class NoContacts(ContactLookup):
    """The look-up in a read model without contacts."""

    def known(self, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]:
        del campaign_id, contact_ids
        return set()

    def erased(self, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]:
        del campaign_id, contact_ids
        return set()

    def callee(self, contact_id: UUID) -> None:
        return None

    def contact(self, contact_id: UUID) -> ContactRow | None:
        del contact_id
        return None
