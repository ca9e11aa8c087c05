"""Finishes contacts that wait for a call although their number is suppressed."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.app import AutoLynx
from application.contacts.contact_streams import find_contact
from application.event_context import SCHEDULER, EventContext
from application.ports import ContactLookup
from application.suppression_lists.number_lists import NumberLists, look_up
from application.unit_of_work import UnitOfWork
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.gate.decision import is_forbidden
from domain.numbers.number import Number
from domain.numbers.suppression_lists import SUPPRESSION_LISTS_ID, SuppressionLists
from domain.outcomes import Withheld
from domain.planning.contact_commands import withhold_waiting
from domain.values import call_id_of

TOGETHER = 100
"""Contacts that share one append."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WaitingContact:
    """A contact that waits according to the read model.

    `attempt` is the number of its last call, 0 if it was never called.
    """

    contact_id: UUID
    campaign_id: UUID
    attempt: int


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
    """Withholds contacts as SUPPRESSED: by the register, or by an imported list."""

    def __init__(
        self,
        app: AutoLynx,
        context: EventContext,
        contact_lookup: ContactLookup,
        blocks: NumberLists,
    ) -> None:
        self._app, self._context = app, context
        self._contact_lookup, self._blocks = contact_lookup, blocks

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
        ids = set().union(*map(_streams, contacts))
        unit_of_work = UnitOfWork(self._app, ids | {SUPPRESSION_LISTS_ID})
        withheld = sum(self._withhold(unit_of_work, one) for one in contacts)
        unit_of_work.store()
        return withheld

    def _withhold(self, streams: UnitOfWork, one: SuppressedContact) -> bool:
        """Decide one contact from the log; the read model may be behind."""
        campaign = streams.find(Campaign, one.campaign_id)
        if campaign is None:
            return False
        expect = self._suppressed_by(streams, one, campaign)
        if expect is None:
            return False
        waiting = WaitingContact(one.contact_id, one.campaign_id, one.attempt)
        return withhold_one(
            streams,
            waiting,
            campaign,
            Withheld.SUPPRESSED,
            expect=expect,
            at=self._context.now(),
        )

    def _suppressed_by(
        self, streams: UnitOfWork, one: SuppressedContact, campaign: Campaign
    ) -> dict[UUID, int] | None:
        """Return the version of the stream that forbids the number, None if none does.

        The vault is asked for the number only if the register does not have it.
        """
        number = streams.find(Number, one.number_id)
        if number is not None and number.is_suppressed:
            return {number.id: number.version}
        lists = streams.find(SuppressionLists, SUPPRESSION_LISTS_ID)
        person = self._contact_lookup.contact(one.contact_id) if lists else None
        if lists is None or person is None:
            return None
        purpose, today = campaign.terms.purpose, self._context.now().date()
        found = look_up(self._blocks, lists, person.phone, purpose, today)
        return {lists.id: lists.version} if is_forbidden(found) else None


def withhold_one(
    streams: UnitOfWork,
    waiting: WaitingContact,
    campaign: Campaign,
    reason: Withheld,
    *,
    expect: Mapping[UUID, int],
    at: datetime,
) -> bool:
    """Append that a contact which still waits is withheld; return whether it does.

    `expect` are the versions of further streams from which this was decided.
    """
    following = call_id_of(waiting.contact_id, waiting.attempt + 1)
    if streams.find(Call, following) is not None:
        return False
    contact = find_contact(streams, waiting.contact_id, waiting.campaign_id, at)
    last_call = streams.find(Call, call_id_of(waiting.contact_id, waiting.attempt))
    read = (campaign, contact, last_call)
    versions = {stream.id: stream.version for stream in read if stream}
    withhold_waiting(
        contact,
        campaign=campaign,
        last_call=last_call,
        reason=reason,
        at=at,
        by=SCHEDULER,
    )
    if not contact.pending_events:
        return False
    streams.append(last_call, contact, expect={**versions, **expect, following: 0})
    return True


def streams_of(waiting: WaitingContact) -> set[UUID]:
    """Return the ids of the streams that `withhold_one` reads."""
    attempts = (waiting.attempt, waiting.attempt + 1)
    calls = {call_id_of(waiting.contact_id, attempt) for attempt in attempts}
    return {waiting.contact_id, waiting.campaign_id, *calls}


def _streams(one: SuppressedContact) -> set[UUID]:
    waiting = WaitingContact(one.contact_id, one.campaign_id, one.attempt)
    return streams_of(waiting) | {one.number_id}
