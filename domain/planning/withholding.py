"""What it means for a contact that its number may not be called any more."""

from datetime import datetime

from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.outcomes import Withheld
from domain.planning.planning import status_of, withhold
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
    if status_of(contact, last_call) is ContactStatus.PENDING:
        withhold(contact, last_call, reason, at=at, by=by)
