"""The streams that a request rests on: unchanged from reading to storing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.app import Streams
from application.call_variables import call_variables
from application.calls.called_numbers import NEWEST_EVENTS
from application.installation_key import InstallationKey, KeyUnusable
from application.ports import CallOrder
from application.vault import ContactRow
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.errors import NotFound
from domain.numbers.installation import INSTALLATION_ID
from domain.numbers.number import Number
from domain.numbers.suppression_lists import SUPPRESSION_LISTS_ID, SuppressionLists
from domain.settings import LONGEST_WINDOW, SETTINGS_ID, Settings


@dataclass(frozen=True, slots=True)
class SendPermission:
    """The permission to send one request once, before `dial_before`."""

    order: CallOrder
    dial_before: datetime


@dataclass(frozen=True, slots=True)
class Fence:
    """The streams that a request rests on beside its call, as they were read."""

    campaign: Campaign
    contact: Contact
    number: Number
    settings: Settings | None
    lists: SuppressionLists | None

    @property
    def versions(self) -> dict[UUID, int]:
        """The versions at which the streams must still be; 0 without events."""
        streams = (self.campaign, self.contact, self.number)
        return {
            SETTINGS_ID: self.settings.version if self.settings else 0,
            SUPPRESSION_LISTS_ID: self.lists.version if self.lists else 0,
            **{stream.id: stream.version for stream in streams},
        }


def read_fence(
    app: Streams, key: InstallationKey, call: Call, number_id: UUID, at: datetime
) -> Fence:
    """Load the streams in one round trip; those without events are blank.

    Of the number's stream the newest events are read, and all of them only if those
    do not reach back over the longest window of a frequency cap.

    Raises:
        KeyUnusable: the log names another key than the one of `number_id`.
        NotFound: there is no such campaign.
    """
    streams = (
        *(call.campaign_id, call.contact_id, INSTALLATION_ID),
        *(SETTINGS_ID, SUPPRESSION_LISTS_ID),
    )
    found = app.find_all(streams, {number_id: NEWEST_EVENTS})
    campaign, contact, installation, settings, lists = map(found.get, streams)
    number = found[number_id]
    if not isinstance(campaign, Campaign):
        raise NotFound("campaign", call.campaign_id)
    if not key.is_of(installation):
        raise KeyUnusable("The log names another installation key.")
    if not isinstance(contact, Contact):
        contact = Contact.unrecorded(call.contact_id, call.campaign_id, at)
    if not isinstance(number, Number):
        number = Number.unrecorded(number_id, at)
    if not number.is_known_since(at - LONGEST_WINDOW):
        number = app.load(Number, number_id)
    return Fence(
        campaign,
        contact,
        number,
        settings if isinstance(settings, Settings) else None,
        lists if isinstance(lists, SuppressionLists) else None,
    )


def send_permission(
    call: Call, campaign: Campaign, person: ContactRow, dial_before: datetime
) -> SendPermission:
    """Return the permission for the request that the call has just recorded."""
    assistant_id = (call.arm or campaign.caller).provider_assistant_id
    order = CallOrder(
        call_id=call.id,
        campaign_id=campaign.id,
        contact_id=call.contact_id,
        attempt=call.attempt,
        request=call.requests,
        phone=person.phone,
        extension=person.extension,
        name=person.name,
        variables=call_variables(person.business_name, person.variables),
        provider_assistant_id=assistant_id,
        phone_number_id=campaign.caller.phone_number_id,
        assistant_version=campaign.pinned_version(assistant_id),
    )
    return SendPermission(order=order, dial_before=dial_before)
