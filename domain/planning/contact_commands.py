"""Contacts that are finished without a call, or called again by hand."""

from datetime import datetime

from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.contacts.contact_history import ContactHistory
from domain.errors import Invalid, WrongState
from domain.outcomes import Disposition, Withheld
from domain.planning.contact_status import status_of
from domain.planning.planning import may_end
from domain.planning.retries import FINAL_DISPOSITIONS, OPTED_OUT
from domain.states import ACTIVE
from domain.values import ContactStatus, VaultText

LONGEST_NOTE = 2_000


def return_to_calls(
    contact: Contact,
    latest: Call | None,
    campaign: Campaign,
    *,
    history: ContactHistory,
    due_at: datetime,
    at: datetime,
    by: str,
) -> None:
    """Plan another call to a finished contact, and record that on its campaign.

    `latest` is the contact's last call, None without any, and `history` the history
    with it. Raises WrongState if that is not possible.
    """
    status = status_of(contact, latest)
    if status is ContactStatus.PENDING or status in ACTIVE:
        raise WrongState(
            f"The contact is {status}: only a finished one is called again."
        )
    if contact.finished in OPTED_OUT:
        raise WrongState("The contact opted out: it is not called again.")
    contact.return_to_calls(
        was=status,
        attempt=(latest.attempt if latest else 0) + 1,
        due_at=due_at,
        terms_version=campaign.terms_version,
        history=history,
        at=at,
        by=by,
    )
    campaign.return_contact(contact.id, at=at, by=by)


def withhold(
    contact: Contact, latest: Call | None, reason: Withheld, *, at: datetime, by: str
) -> None:
    """Finish a waiting contact without a call; a deferred call is withdrawn.

    Raises WrongState if the contact is not waiting.
    """
    if contact.withheld is reason:
        return
    was = status_of(contact, latest)
    if was is not ContactStatus.PENDING:
        raise WrongState(f"The contact is {was}: only a waiting one can be removed.")
    if latest is not None and latest.deferred:
        latest.withdraw(at=at, by=by)
        was = latest.contact_status
    last_attempt = latest.attempt if latest else 0
    contact.withhold(reason, was=was, last_attempt=last_attempt, at=at, by=by)


def withhold_waiting(
    contact: Contact,
    *,
    campaign: Campaign,
    last_call: Call | None,
    reason: Withheld,
    at: datetime,
    by: str,
) -> None:
    """Finish a contact that waits for a call; withdraw its last call if deferred.

    Does nothing to a contact that does not wait, or whose campaign is over: a live call
    goes on.
    """
    if campaign.over or not contact.may_be_called:
        return
    if status_of(contact, last_call) is ContactStatus.PENDING:
        withhold(contact, last_call, reason, at=at, by=by)


def checked_note(note: str | None) -> str:
    """Return a member's note without surrounding blanks. Raises Invalid if too long."""
    text = (note or "").strip()
    if len(text) > LONGEST_NOTE:
        wrong = f"must have at most {LONGEST_NOTE:,} characters"
        raise Invalid(f"The note {wrong}.", note=wrong)
    return text


def dispose(
    contact: Contact,
    latest: Call | None,
    disposition: Disposition | None,
    *,
    note: VaultText | None,
    at: datetime,
    by: str,
) -> None:
    """Set or clear the disposition by hand; end a planned call that it rules out.

    Raises WrongState if the contact was erased.
    """
    status = status_of(contact, latest)
    contact.dispose(disposition, note=note, was=status, at=at, by=by)
    last_attempt = latest.attempt if latest else 0
    plan = contact.plan_after(last_attempt)
    reason = FINAL_DISPOSITIONS.get(disposition)
    if plan is not None and reason is not None and may_end(plan.kind, reason):
        contact.finish(
            reason,
            was=status,
            status=plan.finished_as,
            last_attempt=last_attempt,
            at=at,
            by=by,
        )
