"""The status of a contact, which its own events and its last call decide."""

from domain.calls.call import Call
from domain.contacts.contact import Contact
from domain.values import ContactStatus


def status_of(contact: Contact, latest: Call | None) -> ContactStatus:
    """Return the status of a contact, given its last call."""
    if latest is None:
        return contact.status_after(0, ContactStatus.PENDING)
    return contact.status_after(latest.attempt, latest.contact_status)
