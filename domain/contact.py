"""A person of one campaign who asked to be forgotten: the stream begins with that."""

from datetime import datetime
from typing import Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from domain.values import ContactStatus


class ContactEvent(Aggregate.Event):
    """`was` and `standing` say what the contact counted as, and counts as now."""

    actor: str
    campaign_id: UUID
    was: ContactStatus
    standing: ContactStatus


class Contact(Aggregate):
    """`standing` is what the contact counted as when it was last settled here."""

    TOPIC = "contact"

    class Created(ContactEvent, Aggregate.Created):
        TOPIC = "contact.erased"

    class Withdrawn(ContactEvent):
        TOPIC = "contact.withdrawn"

    @classmethod
    def erase(
        cls,
        *,
        contact_id: UUID,
        campaign_id: UUID,
        was: ContactStatus,
        standing: ContactStatus,
        at: datetime,
        by: str,
    ) -> Self:
        """Record that nothing personal is kept of a contact any more, and by whom."""
        return cls._create(
            cls.Created,
            id=contact_id,
            timestamp=at,
            actor=by,
            campaign_id=campaign_id,
            was=was,
            standing=standing,
        )

    @event(Created)
    def __init__(self, campaign_id: UUID, standing: ContactStatus) -> None:
        self.campaign_id, self.standing = campaign_id, standing

    def withdraw(self, *, at: datetime, by: str) -> None:
        """The last call under way came to nothing: there will be no other."""
        self.trigger_event(
            self.Withdrawn,
            timestamp=at,
            actor=by,
            campaign_id=self.campaign_id,
            was=ContactStatus.PENDING,
            standing=ContactStatus.CANCELED,
        )

    @event(Withdrawn)
    def _withdrawn(self, standing: ContactStatus) -> None:
        self.standing = standing
