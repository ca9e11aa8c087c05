"""Which messages an event gives rise to, before anybody asks who wants them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.calls.call import Call
from domain.calls.events.call_event import CallEvent, ContactStatusChanged
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_events import CampaignEvent
from domain.contacts.contact import Contact
from domain.contacts.contact_events import ContactEvent
from domain.contacts.contact_history import PlanKind
from domain.outcomes import Disposition
from domain.settings import SETTINGS_ID, Settings
from domain.states import NOT_FINISHED
from domain.webhook_endpoint import MessageType


@dataclass(frozen=True, slots=True)
class Notice:
    """A message about the event at `position`, to be sent to all who want its type.

    `details` has values of the event that no read table shows, none of them personal.
    """

    type: MessageType
    position: int
    occurred_at: datetime
    campaign_id: UUID | None = None
    contact_id: UUID | None = None
    call_id: UUID | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def group_id(self) -> UUID:
        """The campaign; the settings where the message is about no campaign."""
        return self.campaign_id or SETTINGS_ID

    @property
    def lane(self) -> UUID:
        """Messages with the same lane are sent in order."""
        return self.contact_id or self.group_id


def notices(event: Any, position: int) -> Iterator[Notice]:
    """Yield the messages about an event.

    `contact.finished` is yielded for each event that may have finished a contact. Only
    the contact's row shows whether another call follows.
    """
    match event:
        case CampaignEvent():
            yield from _of_campaign(event, position)
        case CallEvent():
            yield from _of_call(event, position)
        case ContactEvent():
            yield from _of_contact(event, position)
        case Settings.DailySpendAlertRaised():
            details = {"alert": event.alert, "day": event.day.isoformat()}
            details |= {"spend": str(event.spend), "budget": str(event.budget)}
            at = event.timestamp
            yield Notice(MessageType.SPEND_ALERT, position, at, details=details)


_CAMPAIGN_TYPES: dict[type[CampaignEvent], MessageType] = {
    Campaign.DialingStarted: MessageType.CAMPAIGN_STARTED,
    Campaign.Paused: MessageType.CAMPAIGN_PAUSED,
    Campaign.Completed: MessageType.CAMPAIGN_COMPLETED,
    Campaign.Canceled: MessageType.CAMPAIGN_CANCELED,
    Campaign.Failed: MessageType.CAMPAIGN_FAILED,
    Campaign.SpendAlertRaised: MessageType.SPEND_ALERT,
}


def _of_campaign(event: CampaignEvent, position: int) -> Iterator[Notice]:
    type_ = _CAMPAIGN_TYPES.get(type(event))
    if type_ is None:
        return
    details: dict[str, Any] = {}
    match event:
        case Campaign.Paused():
            details["cause"] = event.cause.value
            if event.reason is not None:
                details["words_id"] = str(event.reason.words_id)
        case Campaign.Failed():
            details["words_id"] = str(event.reason.words_id)
        case Campaign.SpendAlertRaised():
            details = {"alert": event.alert.value, "day": None}
            details |= {"spend": str(event.spend), "budget": str(event.budget)}
    at, campaign_id = event.timestamp, event.originator_id
    yield Notice(type_, position, at, campaign_id, details=details)


def _of_call(event: CallEvent, position: int) -> Iterator[Notice]:
    def notice(type_: MessageType) -> Notice:
        return Notice(
            type_,
            position,
            event.timestamp,
            event.campaign_id,
            event.contact_id,
            event.originator_id,
        )

    match event:
        case Call.Reported():
            is_over = event.awaited and event.settled
        case Call.TimedOut() | Call.Failed() | Call.Rejected():
            is_over = True
        case Call.DispositionSet():
            if _opts_out(event):
                yield notice(MessageType.CONTACT_OPTED_OUT)
            return
        case _:
            is_over = False
    if is_over:
        yield notice(MessageType.CALL_FINISHED)
    if is_over or _finishes(event):
        yield notice(MessageType.CONTACT_FINISHED)


def _of_contact(event: ContactEvent, position: int) -> Iterator[Notice]:
    def notice(type_: MessageType, **details: Any) -> Notice:
        return Notice(
            type_,
            position,
            event.timestamp,
            event.campaign_id,
            event.originator_id,
            details=details,
        )

    match event:
        case Contact.CallPlanned() if event.kind is PlanKind.CALLBACK:
            yield notice(
                MessageType.CONTACT_CALLBACK_PLANNED,
                dueAt=event.due_at.isoformat(),
                attempt=event.attempt,
            )
        case Contact.Disposed() if _opts_out(event):
            yield notice(MessageType.CONTACT_OPTED_OUT)
    if _finishes(event):
        yield notice(MessageType.CONTACT_FINISHED)


def _finishes(event: CallEvent | ContactEvent) -> bool:
    """Return whether the event gives the contact a status that may be its last.

    The end of a call does not: its report decides what follows.
    """
    if not isinstance(event, ContactStatusChanged | ContactEvent):
        return False
    if isinstance(event, Call.Ended):
        return False
    return event.was is not event.standing and event.standing not in NOT_FINISHED


def _opts_out(event: Call.DispositionSet | Contact.Disposed) -> bool:
    opted_out = Disposition.OPTED_OUT
    return event.disposition is opted_out and event.disposition_was is not opted_out
