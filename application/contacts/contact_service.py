"""Commands of members about one contact."""

from collections.abc import Callable
from uuid import UUID

from application.app import AutoLynx, decide
from application.contacts.contact_streams import find_contact
from application.event_context import EventContext
from application.vault import VaultReader, VaultRow
from domain.call import Call
from domain.contact import Contact, PlannedAttempt
from domain.contact_events import FinishReason
from domain.errors import Invalid, NotFound
from domain.outcomes import Disposition
from domain.planning import WANTED
from domain.values import ContactStatus, VaultText, call_id_of

LONGEST_NOTE = 2_000

ENDS_A_PLAN = {
    Disposition.OPTED_OUT: FinishReason.OPTED_OUT,
    Disposition.GOAL_REACHED: FinishReason.GOAL_REACHED,
    Disposition.WRONG_PERSON: FinishReason.WRONG_PERSON,
}
"""Dispositions after which a planned call is withdrawn."""


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
    ) -> None:
        self._app, self._context, self._vault = app, context, vault
        self._campaign_of = campaign_of

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
        disposition makes it needless. Returns the position of the last event, None if
        nothing changed. Raises NotFound, WrongState for an erased contact, and Invalid
        for a note that is too long.
        """
        campaign_id = self._campaign_of(contact_id)
        if campaign_id is None:
            raise NotFound("contact", contact_id)
        text = (note or "").strip()
        if len(text) > LONGEST_NOTE:
            wrong = f"must have at most {LONGEST_NOTE:,} characters"
            raise Invalid(f"The note {wrong}.", note=wrong)

        def command() -> int | None:
            at = self._context.now()
            contact = find_contact(self._app, contact_id, campaign_id, at)
            call = self._last_call(contact_id)
            last_attempt = call.attempt if call else 0
            standing = call.standing if call else ContactStatus.PENDING
            status = contact.status_after(last_attempt, standing)
            reference, rows = self._note(contact, text)
            contact.dispose(disposition, note=reference, was=status, at=at, by=by)
            plan = contact.plan_after(last_attempt)
            reason = ENDS_A_PLAN.get(disposition) if disposition else None
            if plan is not None and reason is not None and _ends(plan, reason):
                to = plan.finished_as
                move = {"was": status, "standing": to}
                contact.finish(reason, last_attempt=last_attempt, at=at, by=by, **move)
            if not contact.pending_events:
                return None
            expect = {call_id_of(contact_id, last_attempt + 1): 0}
            if call is not None:
                expect[call.id] = call.version
            return self._app.append(contact, vault=rows, expect=expect)

        return decide(command)

    def _last_call(self, contact_id: UUID) -> Call | None:
        last: Call | None = None
        attempt = 1
        while found := self._app.find(Call, call_id_of(contact_id, attempt)):
            last, attempt = found, attempt + 1
        return last

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


def _ends(plan: PlannedAttempt, reason: FinishReason) -> bool:
    """Return whether the plan ends; only an opt-out ends a call that was asked for."""
    return reason is FinishReason.OPTED_OUT or plan.kind not in WANTED
