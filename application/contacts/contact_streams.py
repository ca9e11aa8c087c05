"""Loads contacts and numbers, of which most have no event of their own, and calls."""

from datetime import datetime
from uuid import UUID

from application.app import Streams
from domain.calls.call import Call
from domain.contacts.contact import Contact
from domain.numbers.number import Number
from domain.values import call_id_of


def find_contact(
    app: Streams, contact_id: UUID, campaign_id: UUID, at: datetime
) -> Contact:
    """Return a contact; without stored events, one at version 0."""
    found = app.find(Contact, contact_id)
    return found or Contact.unrecorded(contact_id, campaign_id, at)


def find_number(app: Streams, number_id: UUID, at: datetime) -> Number:
    """Return a number; without stored events, one at version 0."""
    return app.find(Number, number_id) or Number.unrecorded(number_id, at)


def last_call(app: Streams, contact_id: UUID, known: Call | None = None) -> Call | None:
    """Return the contact's last call, None without any; `known` is one of its calls."""
    while True:
        following = call_id_of(contact_id, known.attempt + 1 if known else 1)
        found = app.find(Call, following)
        if found is None:
            return known
        known = found


def expected_versions(contact: Contact, latest: Call | None) -> dict[UUID, int]:
    """Return the versions of the contact and of its last call; the next one is absent.

    To be taken before a command changes them.
    """
    attempts = latest.attempt if latest else 0
    expect = {contact.id: contact.version, call_id_of(contact.id, attempts + 1): 0}
    return expect | ({latest.id: latest.version} if latest else {})
