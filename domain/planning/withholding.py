"""What it means for a contact that its number may not be called any more."""

from datetime import datetime

from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.outcomes import Withheld
from domain.values import ContactStatus


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
    last_attempt = last_call.attempt if last_call else 0
    status = contact.status_after(
        last_attempt, last_call.standing if last_call else ContactStatus.PENDING
    )
    if status is not ContactStatus.PENDING:
        return
    if last_call is not None and last_call.deferred:
        last_call.withdraw(at=at, by=by)
        status = ContactStatus.CANCELED  # The event of the call changes the status.
    contact.withhold(reason, was=status, last_attempt=last_attempt, at=at, by=by)
