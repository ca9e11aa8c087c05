"""Commands about planned calls of contacts: review, call again, withhold."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.app import Streams, decide
from application.contacts.contact_calls import history_before, history_with
from application.contacts.contact_streams import (
    expected_versions,
    find_contact,
    last_call,
)
from application.event_context import SCHEDULER, EventContext
from application.unit_of_work import UnitOfWork
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.contacts.contact_history import NO_HISTORY
from domain.outcomes import Withheld
from domain.planning.contact_commands import return_to_calls, withhold
from domain.planning.reviews import review_due
from domain.values import call_id_of

log = logging.getLogger(__name__)


class PlannedCallService:
    """Each command expects the versions of all streams from which it decides."""

    def __init__(self, app: Streams, context: EventContext) -> None:
        self._app, self._context = app, context

    # --- The scheduler --------------------------------------------------------------

    def review(self, campaign_id: UUID, contact_ids: Sequence[UUID]) -> None:
        """Decide again about the planned calls of these contacts.

        They are stored together; if one of them has changed meanwhile, each is stored
        by itself, and the changed ones are left for the next pass.
        """
        together = UnitOfWork(self._app, contact_ids)
        for contact_id in contact_ids:
            self._review(together, campaign_id, contact_id)
        try:
            together.store()
        except IntegrityError:
            for contact_id in contact_ids:
                self._review_alone(campaign_id, contact_id)

    def _review_alone(self, campaign_id: UUID, contact_id: UUID) -> None:
        try:
            self._review(self._app, campaign_id, contact_id)
        except IntegrityError:
            log.info("contact %s has changed meanwhile", contact_id)

    def _review(self, app: Streams, campaign_id: UUID, contact_id: UUID) -> None:
        at, campaign = self._context.now(), app.load(Campaign, campaign_id)
        contact = app.find(Contact, contact_id)
        latest = _last_before_plan(app, contact) if contact else None
        if contact is None or latest is None:
            return
        expect = {campaign.id: campaign.version} | expected_versions(contact, latest)
        review_due(
            contact,
            latest,
            campaign,
            history=history_with(app, latest),
            before=history_before(app, latest),
            at=at,
            by=SCHEDULER,
        )
        if contact.pending_events:
            app.append(contact, latest, expect=expect)

    # --- Members --------------------------------------------------------------------

    def call_again(
        self,
        contact_id: UUID,
        campaign_id: UUID,
        *,
        not_before: datetime | None,
        by: str,
    ) -> int | None:
        """Plan another call to a finished contact; return the position that shows it.

        Raises WrongState if the contact is not finished, opted out or was erased, or if
        the campaign is over.
        """

        def change(
            campaign: Campaign, contact: Contact, latest: Call | None, at: datetime
        ) -> None:
            due_at = at if not_before is None else max(not_before, at)
            return_to_calls(
                contact,
                latest,
                campaign,
                history=history_with(self._app, latest) if latest else NO_HISTORY,
                due_at=due_at,
                at=at,
                by=by,
            )

        return self._change(contact_id, campaign_id, change)

    def withhold(
        self, contact_id: UUID, campaign_id: UUID, reason: Withheld, *, by: str
    ) -> int | None:
        """Finish a waiting contact without a call; return the position that shows it.

        Raises WrongState if the contact is not waiting or the campaign is over.
        """

        def change(
            campaign: Campaign, contact: Contact, latest: Call | None, at: datetime
        ) -> None:
            campaign.must_take_contacts()
            withhold(contact, latest, reason, at=at, by=by)

        return self._change(contact_id, campaign_id, change)

    def _change(
        self,
        contact_id: UUID,
        campaign_id: UUID,
        change: Callable[[Campaign, Contact, Call | None, datetime], None],
    ) -> int | None:
        def command() -> int | None:
            at, campaign = self._context.now(), self._app.load(Campaign, campaign_id)
            contact = find_contact(self._app, contact_id, campaign_id, at)
            latest = last_call(self._app, contact_id)
            expect = {campaign.id: campaign.version} | expected_versions(
                contact, latest
            )
            change(campaign, contact, latest, at)
            if not contact.pending_events:
                return None
            return self._app.append(campaign, contact, latest, expect=expect)

        return decide(command)


def _last_before_plan(app: Streams, contact: Contact) -> Call | None:
    """Return the last call to a contact with a planned call, None for any other."""
    if contact.planned is None:
        return None
    known = app.find(Call, call_id_of(contact.id, contact.planned.attempt - 1))
    return last_call(app, contact.id, known)
