"""What the erasure of a person means for one of their contacts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from domain.calls.call import Call
from domain.calls.unmatched_message import unmatched_id_of
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.planning.contact_status import status_of
from domain.values import ContactStatus, call_id_of

UNRECORDED_ATTEMPTS = 3
"""Attempts after the last recorded one whose texts are erased too.

After a restore the log may lack a contact's latest calls.
"""


def erase_contact(
    contact: Contact,
    *,
    list_ids: Collection[UUID],
    campaign: Campaign | None,
    last_call: Call | None,
    at: datetime,
    by: str,
) -> None:
    """Erase the contact; withdraw its last call if that was deferred.

    `list_ids` are the contact lists that contain the contact. A contact that would be
    called (again) counts as CANCELED from now on; any other keeps its status, and its
    live call goes on. Does nothing if the contact was erased already.
    """
    if contact.erased:
        return
    last_attempt = last_call.attempt if last_call else 0
    status = status_of(contact, last_call)
    erased = status
    if _would_be_called(status, campaign, list_ids):
        erased = ContactStatus.CANCELED
        if last_call is not None and last_call.deferred:
            last_call.withdraw(at=at, by=by)
            status = erased  # The event of the call changes the status already.
    contact.erase(was=status, status=erased, last_attempt=last_attempt, at=at, by=by)


def _would_be_called(
    status: ContactStatus, campaign: Campaign | None, list_ids: Collection[UUID]
) -> bool:
    """Return whether a contact waits for a call in an unfinished campaign.

    A contact belongs to its campaign as soon as the import of one of its lists is
    complete.
    """
    return (
        status is ContactStatus.PENDING
        and campaign is not None
        and not campaign.over
        and not campaign.lists.isdisjoint(list_ids)
    )


def erased_subjects(contact_ids: Sequence[UUID], calls: Sequence[Call]) -> list[UUID]:
    """Return the subjects about which the vault must keep no text any more.

    `calls` are all recorded calls of these contacts. The subjects are the contacts,
    their calls, attempts that the log may lack, and the messages about the provider's
    calls that arrived before it was known whose they are.
    """
    last = max((call.attempt for call in calls), default=0)
    attempts = range(1, last + UNRECORDED_ATTEMPTS + 1)
    provider_ids = {
        id_
        for call in calls
        for id_ in (call.provider_call_id, *call.other_provider_call_ids)
        if id_
    }
    return [
        *contact_ids,
        *(call_id_of(id_, attempt) for id_ in contact_ids for attempt in attempts),
        *map(unmatched_id_of, sorted(provider_ids)),
    ]
