"""Finishes contacts of groups that may never be called in their campaign."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched

from eventsourcing.persistence import IntegrityError

from application.app import AutoLynx
from application.calls.group_gates import GroupGates, TermsOfCampaign
from application.contacts.withholding import WaitingContact, streams_of, withhold_one
from application.event_context import EventContext
from application.unit_of_work import UnitOfWork
from domain.campaigns.campaign import Campaign
from domain.gate.groups import ContactGroup
from domain.gate.permit import Never
from domain.settings import SETTINGS_ID, Settings, stored_values

TOGETHER = 250
"""Contacts that share one append."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A contact that waits according to the read model, and its group."""

    contact: WaitingContact
    group: ContactGroup


class GroupWithholding:
    """Withholds contacts with the reason for which the gate refuses their group."""

    def __init__(self, app: AutoLynx, context: EventContext, gates: GroupGates) -> None:
        self._app, self._context, self._gates = app, context, gates

    def withhold(self, members: Sequence[GroupMember]) -> int:
        """Withhold the contacts that still wait; return how many were stored.

        The gate decides again with the present terms and settings, which must not
        change before the append. A contact that changes at the same moment is left for
        the next time.
        """
        return sum(self._stored(chunk) for chunk in batched(members, TOGETHER))

    def _stored(self, members: Sequence[GroupMember]) -> int:
        try:
            return self._store(members)
        except IntegrityError:
            if len(members) == 1:
                return 0
        half = len(members) // 2
        return self._stored(members[:half]) + self._stored(members[half:])

    def _store(self, members: Sequence[GroupMember]) -> int:
        ids = set().union(*(streams_of(one.contact) for one in members))
        streams = UnitOfWork(self._app, ids | {SETTINGS_ID})
        withheld = sum(self._withhold(streams, one) for one in members)
        streams.store()
        return withheld

    def _withhold(self, streams: UnitOfWork, member: GroupMember) -> bool:
        campaign = streams.find(Campaign, member.contact.campaign_id)
        settings = streams.find(Settings, SETTINGS_ID)
        if campaign is None:
            return False
        at = self._context.now()
        decision = self._gates.decide(
            TermsOfCampaign(campaign.id, campaign.terms_version, campaign.terms),
            stored_values(settings),
            member.group,
            at,
        )
        if not isinstance(decision, Never):
            return False
        version = settings.version if settings else 0
        return withhold_one(
            streams,
            member.contact,
            campaign,
            decision.reason,
            expect={SETTINGS_ID: version},
            at=at,
        )
