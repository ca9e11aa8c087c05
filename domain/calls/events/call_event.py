"""What all events of a call have in common.

The fields and topics of the events are stored: they never change. `Call` takes the
classes of this package as its own: `Call.Placed` is derived from `identity.Placed`.
"""

from uuid import UUID

from eventsourcing.domain import Aggregate

from domain.values import ContactStatus


class CallEvent(Aggregate.Event):
    """Fields of every event of a call, so that no reader needs a look-up."""

    actor: str
    campaign_id: UUID
    contact_id: UUID


class ContactStatusChanged(CallEvent):
    """Event that may change the contact's status, from `was` to `standing`."""

    was: ContactStatus
    standing: ContactStatus
