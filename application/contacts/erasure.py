"""Forgetting a person: in every campaign, for good, without a hole in the history."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol
from uuid import UUID

from application.app import AutoLynx, decide
from application.event_context import EventContext
from domain.call import Call
from domain.campaign import Campaign
from domain.contact import Contact
from domain.unmatched_message import unmatched_id_of
from domain.values import ContactStatus, call_id_of

UNKNOWN_CALLS = 3
"""Later calls whose texts are erased too: after a restore they may be unknown here."""


class Person(NamedTuple):
    """One contact of that number, and the lists that name it."""

    contact_id: UUID
    campaign_id: UUID
    list_ids: frozenset[UUID]


class PersonalData(Protocol):
    """What is stored of people beside the log."""

    def phone_of(self, contact_id: UUID) -> str | None: ...

    def people(self, phone: str) -> list[Person]: ...

    def wipe(
        self, phone: str, contact_ids: Collection[UUID], subject_ids: Collection[UUID]
    ) -> None:
        """Empty all rows of these contacts and subjects, and those with the number.

        From then on what is told of these subjects is stored without its content.
        """


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased; `live` calls go on, and nothing that is told of them is kept."""

    contacts: tuple[UUID, ...]
    calls: int
    live: int


class ErasureService:
    def __init__(
        self, app: AutoLynx, context: EventContext, data: PersonalData
    ) -> None:
        self._app, self._context, self._data = app, context, data

    def erase(self, phone: str, *, by: str) -> Erasure:
        """Erase whoever has that number (E.164), wherever that is stored.

        The events come first: from then on nobody dials the number for a campaign.
        Broken off half-way it may be asked again, and goes on.
        """
        people = self._data.people(phone)
        calls: list[Call] = []
        for person in people:
            calls += decide(partial(self._record, person, by))
        contacts = tuple(person.contact_id for person in people)
        last = max((call.attempt for call in calls), default=0)
        subjects = [
            *contacts,
            *(id_ for one in contacts for id_ in _calls_of(one, last + UNKNOWN_CALLS)),
        ]
        subjects += [id_ for call in calls for id_ in _unmatched(call)]
        self._data.wipe(phone, contacts, subjects)
        live = sum(call.live and not call.deferred for call in calls)
        return Erasure(contacts, len(calls), live)

    def _record(self, person: Person, by: str) -> list[Call]:
        """Store the event while campaign and calls stand as they were read."""
        campaign = self._app.find(Campaign, person.campaign_id)
        calls = self._calls(person.contact_id)
        if self._app.find(Contact, person.contact_id) is not None:
            return calls
        expect = {call_id_of(person.contact_id, len(calls) + 1): 0}
        expect |= {one.id: one.version for one in (campaign, *calls[-1:]) if one}
        at = self._context.now()
        was = standing = calls[-1].standing if calls else ContactStatus.PENDING
        if _waits(person, campaign, standing):
            standing = ContactStatus.CANCELED
            if calls and calls[-1].deferred:
                calls[-1].withdraw(at=at, by=by)
                was = standing
        contact = Contact.erase(
            contact_id=person.contact_id,
            campaign_id=person.campaign_id,
            was=was,
            standing=standing,
            at=at,
            by=by,
        )
        self._app.append(*calls[-1:], contact, expect=expect)
        return calls

    def _calls(self, contact_id: UUID) -> list[Call]:
        calls: list[Call] = []
        while call := self._app.find(Call, call_id_of(contact_id, len(calls) + 1)):
            calls.append(call)
        return calls


def _waits(person: Person, campaign: Campaign | None, standing: ContactStatus) -> bool:
    """Tell whether the contact counts, and counts as one who is to be called yet."""
    return (
        standing is ContactStatus.PENDING
        and campaign is not None
        and not campaign.over
        and bool(person.list_ids & campaign.lists)
    )


def _calls_of(contact_id: UUID, last: int) -> list[UUID]:
    """Name the calls to a contact up to the attempt `last`."""
    return [call_id_of(contact_id, n) for n in range(1, last + 1)]


def _unmatched(call: Call) -> list[UUID]:
    """Name what was told of a call before it was known."""
    ids = {call.provider_call_id, *call.other_provider_call_ids} - {None}
    return [unmatched_id_of(id_) for id_ in ids if id_]
