"""Plans or cancels a contact's next call in the append of its last call's events."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from application.app import Streams
from application.contacts.contact_calls import earlier_calls, history_with
from application.contacts.contact_streams import find_contact, last_call
from application.event_context import SCHEDULER
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CALLED_ONCE, CallingTerms
from domain.contacts.contact import Contact
from domain.contacts.contact_history import ContactHistory
from domain.planning.call_consequences import withdraw_from_calls
from domain.planning.planning import (
    Consequence,
    conclude,
    consequence_of,
    is_call,
    may_have_plan,
    plan_after,
    proves_ringing,
    step_after,
    takes_plan,
)
from domain.planning.retries import NextStep
from domain.values import call_id_of

MOST_CACHED_TERMS = 1_000


class TermsCache:
    """Terms of campaigns by version of their stream; they never change.

    A claim names the version, so that a report can be handled without the campaign.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[UUID, int], CallingTerms] = {}

    def get(self, app: Streams, call: Call) -> CallingTerms:
        """Return the terms that the claim of a call names. Raises NotFound."""
        if call.terms_version is None:
            return CALLED_ONCE
        key = (call.campaign_id, call.terms_version)
        terms = self._known.get(key)
        if terms is None:
            campaign = app.load(Campaign, call.campaign_id)
            terms = campaign.terms_by_version[call.terms_version]
            if len(self._known) >= MOST_CACHED_TERMS:
                self._known.clear()
            self._known[key] = terms
        return terms


@dataclass(slots=True)
class ContactChanges:
    """Aggregates to append with a call, and versions of streams to expect."""

    changed: list[Any] = field(default_factory=list)
    expect: dict[UUID, int] = field(default_factory=dict)


class ContactPlanner:
    """Decides what the events of one call mean for its contact."""

    def __init__(self, app: Streams, terms: TermsCache) -> None:
        self._app, self._terms = app, terms

    def changes(
        self, call: Call, campaign: Campaign | None, at: datetime
    ) -> ContactChanges:
        """Return what is to be stored together with the pending events of a call.

        `campaign` is the call's campaign if it was loaded already; only its version is
        used. Nothing is loaded for a call whose report decides nothing.
        """
        match consequence_of(call):
            case Consequence.STILL_WAITS:
                return self._still_waits(call, at)
            case Consequence.SETTLED:
                return self._settled(call, campaign, at)
            case Consequence.CONCLUDED:
                return self._concluded(call, at)
            case Consequence.NONE:
                return ContactChanges()

    def _contact(self, call: Call, at: datetime) -> Contact:
        return find_contact(self._app, call.contact_id, call.campaign_id, at)

    def _still_waits(self, call: Call, at: datetime) -> ContactChanges:
        """Cancel a contact that would wait for a call, but must not be called."""
        contact = self._contact(call, at)
        expect = {contact.id: contact.version}
        if not contact.may_be_called:
            withdraw_from_calls(call, contact, at=at, by=SCHEDULER)
        return ContactChanges([contact], expect)

    def _settled(
        self, call: Call, campaign: Campaign | None, at: datetime
    ) -> ContactChanges:
        """Plan what follows the call, or end what was planned before its report.

        The retry policy is that of the claim: the scheduler applies a changed policy
        when the call is due. The end of the campaign is its present end, also if it
        was changed after the claim.
        """
        history = history_with(self._app, call)
        terms = self._terms.get(self._app, call)
        step = step_after(call, history, replace(terms, ends_at=None), at)
        if is_call(step):
            campaign = campaign or self._app.load(Campaign, call.campaign_id)
            present = replace(terms, ends_at=campaign.terms.ends_at)
            step = step_after(call, history, present, at)
            return self._planned(call, campaign, step, history, at)
        return self._concluded(call, at) if may_have_plan(call) else ContactChanges()

    def _planned(
        self,
        call: Call,
        campaign: Campaign,
        step: NextStep | None,
        history: ContactHistory,
        at: datetime,
    ) -> ContactChanges:
        """Plan the next call, unless the campaign is over or another call exists."""
        stored = campaign.version - len(campaign.pending_events)
        if not is_call(step):
            return ContactChanges(expect={campaign.id: stored})
        following = call_id_of(call.contact_id, call.attempt + 1)
        contact = self._contact(call, at)
        if not takes_plan(campaign, contact, call) or self._app.find(Call, following):
            return ContactChanges()
        expect = {campaign.id: stored, contact.id: contact.version, following: 0}
        version = call.terms_version or campaign.terms_version
        plan_after(
            call, contact, step, history, terms_version=version, at=at, by=SCHEDULER
        )
        return ContactChanges([contact], expect)

    def _concluded(self, call: Call, at: datetime) -> ContactChanges:
        """End what was to follow the call if a late report says that it is needless."""
        contact = self._contact(call, at)
        latest = last_call(self._app, call.contact_id, call) or call
        later = [] if latest is call else [latest]
        following = call_id_of(call.contact_id, latest.attempt + 1)
        expect = {one.id: one.version for one in (contact, *later)} | {following: 0}
        terms = self._terms.get(self._app, call)
        rang = proves_ringing(call.pending_events)
        calls = self._calls_until(latest, call) if rang else ()
        conclude(call, latest, contact, terms, calls=calls, at=at, by=SCHEDULER)
        if not contact.pending_events:
            return ContactChanges()
        return ContactChanges([contact, *later], expect)

    def _calls_until(self, latest: Call, call: Call) -> list[Call]:
        """Return all calls to the contact; `call` has events that are not stored."""
        known = {call.id: call, latest.id: latest}
        calls = (*earlier_calls(self._app, latest), latest)
        return [known.get(one.id, one) for one in calls]
