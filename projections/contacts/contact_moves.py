"""How events change the row of a contact in `contact_log`."""

from domain.calls.call import Call
from domain.calls.events.call_event import ContactStatusChanged
from domain.contacts.contact import Contact
from domain.contacts.contact_events import ContactEvent
from domain.states import ACTIVE
from projections.campaigns.campaign_terms import NOT_PLANNED, planned_columns
from projections.tables.row_operations import Columns

NEVER_ENDED = 2**63 - 1
"""The position of a deferral by the gate, which a resume does not end."""

NOT_DEFERRED: Columns = {
    "due_at": None,
    "deferred_position": None,
    "deferred_code": None,
    "requeue": False,
}


def columns_after_call(event: ContactStatusChanged, position: int) -> Columns:
    """Return the columns of the contact that an event of one of its calls changes.

    Further facts about a call that is over change nothing: another may be the latest.
    """
    match event:
        case Call.Created():
            attempt = {"attempt": event.attempt, "batch": event.batch}
            return _called(event) | attempt | {"planned_at": None}
        case Call.Requeued():
            return _called(event) | {"batch": event.batch}
        case Call.Deferred():
            ends = position if event.code is None else NEVER_ENDED
            deferral = {
                "due_at": event.until,
                "deferred_position": ends,
                "deferred_code": event.code,
            }
            return {"status": event.standing, "requeue": True, **deferral}
        case Call.Ended(another_attempt=True):
            return {"status": event.standing, **_retried(event, position)}
    if event.was is event.standing:
        return {}
    columns = {"status": event.standing, **NOT_DEFERRED}
    return columns if event.standing in ACTIVE else columns | NOT_PLANNED


def _retried(event: Call.Ended, position: int) -> Columns:
    """Defer the contact: it is called again in a new call, not before `retry_at`."""
    if event.retry_at is None:
        return NOT_DEFERRED
    retry = {"due_at": event.retry_at, "deferred_position": position}
    return {**NOT_DEFERRED, **retry}


def columns_after_event(event: ContactEvent) -> Columns:
    """Return the columns of the contact that an event of its own stream changes."""
    columns: Columns = {"version": event.originator_version}
    if isinstance(event, Contact.Erased):
        columns["erased_at"] = event.timestamp
    if isinstance(event, Contact.WithheldFromCalls):
        columns["withheld"] = event.reason
    if isinstance(event, Contact.CallPlanned | Contact.Returned):
        columns |= planned_columns(event) | {"withheld": None}
    elif event.was is not event.standing:
        columns |= NOT_PLANNED
    if event.was is not event.standing:
        columns |= {"status": event.standing, **NOT_DEFERRED}
    return columns


def _called(event: ContactStatusChanged) -> Columns:
    call_id = event.originator_id
    return {"status": event.standing, "call_id": call_id, **NOT_DEFERRED}
