"""Commands of members about one contact."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from application.app import AutoLynx, decide
from application.contacts.contact_streams import (
    expected_versions,
    find_contact,
    find_number,
    last_call,
)
from application.event_context import EventContext
from application.installation_key import InstallationKey
from application.ports import ContactLookup
from application.vault import TextRow, VaultReader, VaultRow
from domain.contacts.contact import Contact
from domain.errors import NotFound
from domain.numbers.number import Number, SuppressionSource, number_id_of
from domain.outcomes import OPT_OUTS, Disposition
from domain.planning.contact_commands import checked_note, dispose
from domain.values import VaultText


class ContactService:
    """Sets what members enter about a contact.

    `campaign_of` returns the campaign of a contact, None if there is no such contact.
    """

    def __init__(
        self,
        *,
        app: AutoLynx,
        context: EventContext,
        vault: VaultReader,
        campaign_of: Callable[[UUID], UUID | None],
        contact_lookup: ContactLookup,
        installation_key: InstallationKey,
    ) -> None:
        self._app, self._context, self._vault = app, context, vault
        self._campaign_of, self._contact_lookup = campaign_of, contact_lookup
        self._installation_key = installation_key

    def set_disposition(
        self,
        contact_id: UUID,
        disposition: Disposition | None,
        note: str | None,
        *,
        by: str,
    ) -> int | None:
        """Set or clear (None) the disposition of a contact, with a note or without.

        It replaces what the contact's calls say. A planned call is withdrawn if the
        disposition makes it needless. OPTED_OUT also adds the contact's number to the
        register, from which no other disposition removes it. Returns the position of
        the last event, None if nothing changed. Raises NotFound, WrongState for an
        erased contact, and Invalid for a note that is too long.
        """
        campaign_id = self._campaign_of(contact_id)
        if campaign_id is None:
            raise NotFound("contact", contact_id)
        text = checked_note(note)

        def command() -> int | None:
            contact = find_contact(
                self._app, contact_id, campaign_id, self._context.now()
            )
            return self._dispose(contact, disposition, text, by)

        return decide(command)

    def _dispose(
        self, contact: Contact, disposition: Disposition | None, text: str, by: str
    ) -> int | None:
        at, call = self._context.now(), last_call(self._app, contact.id)
        expect = expected_versions(contact, call)
        reference, rows = self._note(contact, text)
        dispose(contact, call, disposition, note=reference, at=at, by=by)
        number, phone_rows = None, list[TextRow]()
        if disposition in OPT_OUTS:
            number, phone_rows = self._suppressed(contact, at, by)
        if not contact.pending_events and number is None:
            return None
        vault = [*rows, *phone_rows]
        return self._app.append(contact, number, vault=vault, expect=expect)

    def _suppressed(
        self, contact: Contact, at: datetime, by: str
    ) -> tuple[Number | None, list[TextRow]]:
        """Return the contact's number with a new event, and its text for the vault.

        None: it is suppressed already, or the contact is being erased.
        """
        person = self._contact_lookup.contact(contact.id)
        if person is None:
            return None, []
        number_id = number_id_of(self._installation_key.of_number(person.phone))
        number = find_number(self._app, number_id, at)
        # Erasing the contact erases the texts about it.
        phone, row = self._context.vault_text(contact.id, person.phone)
        source = SuppressionSource.PERSON
        number.suppress(source=source, reason=None, phone=phone, at=at, by=by)
        return (number, [row]) if number.pending_events else (None, [])

    def _note(
        self, contact: Contact, text: str
    ) -> tuple[VaultText | None, list[VaultRow]]:
        """Return the reference to a note, and its vault row unless it is stored."""
        if not text:
            return None, []
        known = contact.note
        if known is not None and self._vault.words(known.words_id) == text:
            return known, []
        reference, row = self._context.vault_text(contact.id, text)
        return reference, [row]
