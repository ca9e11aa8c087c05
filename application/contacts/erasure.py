"""Erases a person: the data of a phone number is removed from all campaigns.

The events remain, so that counts and history stay correct; the rows in the vault to
which they refer are emptied.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol
from uuid import UUID

from application.app import AutoLynx, decide
from application.contacts.contact_streams import find_contact
from application.event_context import EventContext
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.planning.erasure import erase_contact, erased_subjects
from domain.values import call_id_of


class Person(NamedTuple):
    """A contact with the number, and the contact lists that contain it."""

    contact_id: UUID
    campaign_id: UUID
    list_ids: frozenset[UUID]


class PersonalData(Protocol):
    """The personal data that is stored outside the log."""

    def phone_of(self, contact_id: UUID) -> str | None:
        """Return a contact's number (E.164), None if it is unknown or erased."""

    def people(self, phone: str) -> list[Person]:
        """Return the contacts of all campaigns with this number (E.164)."""

    def wipe(
        self, phone: str, contact_ids: Collection[UUID], subject_ids: Collection[UUID]
    ) -> None:
        """Empty all rows of these contacts and subjects, and rows with the number.

        Later messages about these subjects are stored without their content.
        """


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased: the contacts, and the number of their calls.

    `live` calls go on; what the provider reports about them is not kept.
    """

    contacts: tuple[UUID, ...]
    calls: int
    live: int


class ErasureService:
    """Erases people by phone number."""

    def __init__(
        self, app: AutoLynx, context: EventContext, data: PersonalData
    ) -> None:
        self._app, self._context, self._data = app, context, data

    def erase(self, phone: str, *, by: str) -> Erasure:
        """Erase everybody with this number (E.164), in all campaigns.

        The events are stored before the data is wiped, so that no contact is called
        any more. An erasure that was interrupted can be repeated, and continues.
        """
        people = self._data.people(phone)
        calls: list[Call] = []
        for person in people:
            calls += decide(partial(self._record, person, by))
        contacts = tuple(person.contact_id for person in people)
        self._data.wipe(phone, contacts, erased_subjects(contacts, calls))
        live = sum(call.live and not call.deferred for call in calls)
        return Erasure(contacts, len(calls), live)

    def _record(self, person: Person, by: str) -> list[Call]:
        """Store that the contact was erased, unless it is; return its calls.

        Raises IntegrityError if its campaign or its calls changed meanwhile.
        """
        campaign = self._app.find(Campaign, person.campaign_id)
        calls = self._calls(person.contact_id)
        at = self._context.now()
        contact = find_contact(self._app, person.contact_id, person.campaign_id, at)
        last_call = calls[-1] if calls else None
        expect = {call_id_of(person.contact_id, len(calls) + 1): 0}
        expect |= {one.id: one.version for one in (campaign, last_call) if one}
        erase_contact(
            contact,
            list_ids=person.list_ids,
            campaign=campaign,
            last_call=last_call,
            at=at,
            by=by,
        )
        if contact.pending_events:
            self._app.append(last_call, contact, expect=expect)
        return calls

    def _calls(self, contact_id: UUID) -> list[Call]:
        calls: list[Call] = []
        while call := self._app.find(Call, call_id_of(contact_id, len(calls) + 1)):
            calls.append(call)
        return calls
