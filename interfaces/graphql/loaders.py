"""Data loaders: rows that several fields of one operation need are read together."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from strawberry.dataloader import DataLoader

from application.app import Streams
from application.calls.group_gates import TermsOfCampaign
from domain.calls.call import Call
from domain.gate.dialability import Dialability
from domain.gate.groups import ContactGroup
from domain.gate.permit import Decision, Permit
from interfaces.graphql.backend import Backend
from projections import event_index
from projections.calls import recordings
from projections.calls.call_log import CallRow
from projections.calls.recordings import Recording
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.contacts.contact_results import ContactResult
from projections.event_index import LoggedEvent
from projections.registers import directory
from projections.registers.directory import AssistantRow
from storage.process import decisions

type Ids = list[UUID]
type Batch[T] = Callable[[Ids], Awaitable[dict[UUID, T]]]


type DecideGroup = Callable[[ContactGroup | None], Decision]


class GrantedPermit(NamedTuple):
    """The permit of a call's last request, and the time of that request."""

    permit: Permit
    granted_at: datetime


def _loader[T](batch: Batch[T]) -> DataLoader[UUID, T | None]:
    async def load(ids: Ids) -> list[T | None]:
        found = await batch(ids)
        return [found.get(id_) for id_ in ids]

    return DataLoader(load_fn=load)


class Loaders:
    """The data loaders of one operation, or of one socket."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.assistants = _loader(self._assistants)
        self.campaigns = _loader(self._campaigns)
        self.calls = _loader(self._calls)
        self.calls_of_contacts = _loader(self._calls_of_contacts)
        self.results_of_contacts = _loader(self._results_of_contacts)
        self.recordings = _loader(self._recordings)
        self.texts = _loader(self._texts)
        self.decisions = _loader(self._decisions)
        self.events_of_aggregates = _loader(self._events)
        self.permits = _loader(self._permits)
        self.group_decisions = _loader(self._group_decisions)
        self.dialability = _loader(self._dialability)

    def forget(self) -> None:
        """Clear all caches: operations of one socket share them, but not their data."""
        self.assistants.clear_all()
        self.campaigns.clear_all()
        self.calls.clear_all()
        self.calls_of_contacts.clear_all()
        self.results_of_contacts.clear_all()
        self.recordings.clear_all()
        self.texts.clear_all()
        self.decisions.clear_all()
        self.events_of_aggregates.clear_all()
        self.permits.clear_all()
        self.group_decisions.clear_all()
        self.dialability.clear_all()

    async def _group_decisions(self, ids: Ids) -> dict[UUID, DecideGroup]:
        """Return by campaign the gate's decision about groups of contacts."""
        services = self._backend.services
        settings = await self._backend.run_reader(services.settings.values)
        now, decide = services.now(), services.group_gates.decide
        return {
            row.id: partial(
                lambda terms, group: decide(terms, settings, group, now),
                TermsOfCampaign(row.id, row.version, row.calling_terms),
            )
            for row in (await self._campaigns(ids)).values()
        }

    async def _dialability(self, ids: Ids) -> dict[UUID, Dialability]:
        """Count the contacts of campaigns; those of a page together."""
        services = self._backend.services
        campaigns = (await self._campaigns(ids)).values()
        terms = {row.id: row.calling_terms for row in campaigns}
        count = services.dialability.of_campaigns
        return await self._backend.read(count, terms, services.now())

    async def _assistants(self, ids: Ids) -> dict[UUID, AssistantRow]:
        return await self._backend.read(directory.assistants_of, ids)

    async def _campaigns(self, ids: Ids) -> dict[UUID, CampaignRow]:
        return await self._backend.read(campaign_board.of_ids, ids)

    async def _calls(self, ids: Ids) -> dict[UUID, CallRow]:
        return await self._backend.calls.of(ids)

    async def _calls_of_contacts(self, ids: Ids) -> dict[UUID, list[CallRow]]:
        return await self._backend.calls_of_contacts.of(ids)

    async def _results_of_contacts(self, ids: Ids) -> dict[UUID, ContactResult]:
        return await self._backend.results_of_contacts.of(ids)

    async def _recordings(self, ids: Ids) -> dict[UUID, Recording]:
        return await self._backend.read(recordings.of_messages, ids)

    async def _texts(self, ids: Ids) -> dict[UUID, str]:
        return await self._backend.run_reader(
            self._backend.services.vault.words_of, ids
        )

    async def _decisions(self, ids: Ids) -> dict[UUID, decisions.Decision]:
        return await self._backend.run_reader(
            self._backend.services.process_records.decisions, ids
        )

    async def _permits(self, ids: Ids) -> dict[UUID, GrantedPermit]:
        return await self._backend.run_reader(
            _permits_of, self._backend.services.app, ids
        )

    async def _events(self, ids: Ids) -> dict[UUID, list[LoggedEvent]]:
        return await self._backend.read(event_index.of_aggregates, ids)


def _permits_of(app: Streams, ids: Ids) -> dict[UUID, GrantedPermit]:
    """Read the permits of calls from the log, where they are stored."""
    found: dict[UUID, GrantedPermit] = {}
    for id_, call in app.find_all(ids).items():
        if isinstance(call, Call) and call.permit and call.requested_at:
            found[id_] = GrantedPermit(call.permit, call.requested_at)
    return found
