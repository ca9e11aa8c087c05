"""Loads contacts, of which most have no event of their own."""

from datetime import datetime
from uuid import UUID

from application.app import Streams
from domain.contacts.contact import Contact


def find_contact(
    app: Streams, contact_id: UUID, campaign_id: UUID, at: datetime
) -> Contact:
    """Return a contact; one without events is at version 0 and has no pending ones."""
    found = app.find(Contact, contact_id)
    return found or Contact.unrecorded(contact_id, campaign_id, at)
