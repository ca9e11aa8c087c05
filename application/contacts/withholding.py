"""Finishes contacts that wait for a call although their number is suppressed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.app import AutoLynx
from application.contacts.contact_streams import find_contact
from application.event_context import SCHEDULER, EventContext
from application.unit_of_work import UnitOfWork
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.numbers.number import Number
from domain.outcomes import Withheld
from domain.planning.contact_commands import withhold_waiting
from domain.values import call_id_of

TOGETHER = 100
"""Contacts that share one append."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SuppressedContact:
    """A contact that waits according to the read model, and its suppressed number.

    `attempt` is the number of its last call, 0 if it was never called.
    """

    contact_id: UUID
    campaign_id: UUID
    number_id: UUID
    attempt: int


class WithholdingService:
    """Withholds contacts as SUPPRESSED."""

    def __init__(self, app: AutoLynx, context: EventContext) -> None:
        self._app, self._context = app, context

    def withhold(self, contacts: Sequence[SuppressedContact]) -> int:
        """Withhold the contacts that still wait; return how many were stored.

        A contact whose streams change at the same moment is left for the next time.
        """
        return sum(self._stored(chunk) for chunk in batched(contacts, TOGETHER))

    def _stored(self, contacts: Sequence[SuppressedContact]) -> int:
        try:
            return self._store(contacts)
        except IntegrityError:
            if len(contacts) == 1:
                return 0
        return sum(self._stored([contact]) for contact in contacts)

    def _store(self, contacts: Sequence[SuppressedContact]) -> int:
        unit_of_work = UnitOfWork(self._app, set().union(*map(_streams, contacts)))
        withheld = sum(self._withhold(unit_of_work, one) for one in contacts)
        unit_of_work.store()
        return withheld

    def _withhold(self, streams: UnitOfWork, one: SuppressedContact) -> bool:
        """Decide one contact from the log; the read model may be behind."""
        campaign = streams.find(Campaign, one.campaign_id)
        number = streams.find(Number, one.number_id)
        following = call_id_of(one.contact_id, one.attempt + 1)
        if campaign is None or number is None or not number.is_suppressed:
            return False
        if streams.find(Call, following) is not None:
            return False
        at = self._context.now()
        contact = find_contact(streams, one.contact_id, one.campaign_id, at)
        last_call = streams.find(Call, call_id_of(one.contact_id, one.attempt))
        read = (campaign, number, contact, last_call)
        expect = {stream.id: stream.version for stream in read if stream}
        withhold_waiting(
            contact,
            campaign=campaign,
            last_call=last_call,
            reason=Withheld.SUPPRESSED,
            at=at,
            by=SCHEDULER,
        )
        if not contact.pending_events:
            return False
        streams.append(last_call, contact, expect=expect | {following: 0})
        return True


def _streams(one: SuppressedContact) -> set[UUID]:
    attempts = (one.attempt, one.attempt + 1)
    calls = {call_id_of(one.contact_id, attempt) for attempt in attempts}
    return {one.contact_id, one.campaign_id, one.number_id, *calls}
