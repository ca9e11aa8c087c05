"""The streams that a request rests on: unchanged from reading to storing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.app import Streams
from application.installation_key import InstallationKey, KeyUnusable
from application.ports import CallOrder
from application.vault import ContactRow
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.errors import NotFound
from domain.numbers.installation import INSTALLATION_ID
from domain.numbers.number import Number


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

    @property
    def versions(self) -> dict[UUID, int]:
        """The versions at which the streams must still be."""
        streams = (self.campaign, self.contact, self.number)
        return {stream.id: stream.version for stream in streams}


def read_fence(
    app: Streams, key: InstallationKey, call: Call, number_id: UUID, at: datetime
) -> Fence:
    """Load the streams in one round trip; those without events are blank.

    Raises:
        KeyUnusable: the log names another key than the one of `number_id`.
        NotFound: there is no such campaign.
    """
    wanted = (call.campaign_id, call.contact_id, number_id, INSTALLATION_ID)
    campaign, contact, number, installation = map(app.find_all(wanted).get, wanted)
    if not isinstance(campaign, Campaign):
        raise NotFound("campaign", call.campaign_id)
    if not key.is_of(installation):
        raise KeyUnusable("The log names another installation key.")
    if not isinstance(contact, Contact):
        contact = Contact.unrecorded(call.contact_id, call.campaign_id, at)
    if not isinstance(number, Number):
        number = Number.unrecorded(number_id, at)
    return Fence(campaign, contact, number)


def send_permission(
    call: Call, campaign: Campaign, person: ContactRow, dial_before: datetime
) -> SendPermission:
    """Return the permission for the request that the call has just recorded."""
    order = CallOrder(
        call_id=call.id,
        campaign_id=campaign.id,
        contact_id=call.contact_id,
        attempt=call.attempt,
        request=call.requests,
        phone=person.phone,
        extension=person.extension,
        name=person.name,
        variables={"business_name": person.business_name} | person.variables,
        provider_assistant_id=campaign.provider_assistant_id,
        phone_number_id=campaign.phone_number_id,
    )
    return SendPermission(order=order, dial_before=dial_before)
