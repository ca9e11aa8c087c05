"""Claims contacts for calling: all claims of a plan are stored, or none."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.app import AutoLynx, decide
from application.calls.called_numbers import AdoptedNumbers
from application.contacts.contact_calls import history_before, history_with
from application.errors import StoreUnavailable
from application.event_context import SCHEDULER, EventContext
from application.ports import Origin
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.contacts.contact_history import NO_HISTORY, ContactHistory
from domain.dial_view import PlannedCall
from domain.dispatcher import DISPATCHER_ID, Claim, claim_calls
from domain.errors import NotPlanned
from domain.gate.permit import Wait
from domain.numbers.number import Number
from domain.planning.contact_status import status_of
from domain.planning.reviews import check_planned_terms, check_repeated_retry
from domain.values import call_id_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """Calls claimed, calls dropped, and whether the snapshot was stale."""

    calls: tuple[UUID, ...] = ()
    dropped: tuple[UUID, ...] = ()
    stale: bool = False
    position: int | None = None


class ClaimService:
    def __init__(
        self,
        app: AutoLynx,
        context: EventContext,
        adopted_numbers: AdoptedNumbers | None = None,
    ) -> None:
        """Build it; a service that adopts calls needs `adopted_numbers`."""
        self._app, self._context = app, context
        self._adopted_numbers = adopted_numbers

    def claim(self, chosen: Sequence[PlannedCall], *, seen: int) -> ClaimResult:
        """Append claim number `seen + 1` and its calls.

        A call with a `wait` is deferred in the same append. If another claim was stored
        since the snapshot, nothing is stored (`stale`).
        Calls that cannot be claimed are dropped: one bad row must not stop the dialer.
        """
        return self._claim_all(chosen, seen)

    def _claim_all(
        self,
        chosen: Sequence[PlannedCall],
        seen: int,
        *,
        adopted: bool = False,
        number: Number | None = None,
    ) -> ClaimResult:
        """Claim as `claim` does; append the new events of `number` as well.

        Calls that are `adopted` exist at the provider, whatever the policy allows.
        """
        dropped: list[UUID] = []
        left = list(chosen)
        while left:
            position, unfit = self._claim(left, seen, number, adopted=adopted)
            if position is not None:
                calls = tuple(one.call_id for one in left)
                return ClaimResult(calls, tuple(dropped), position=position)
            if not unfit:
                return ClaimResult(dropped=tuple(dropped), stale=True)
            dropped += unfit
            left = [one for one in left if one.call_id not in unfit]
        return ClaimResult(dropped=tuple(dropped))

    def last_claim_at(self) -> datetime | None:
        last = self._app.recorder.select_events(DISPATCHER_ID, desc=True, limit=1)
        if not last:
            return None
        claimed: Any = self._app.mapper.to_domain_event(last[0])
        at: datetime = claimed.timestamp
        return at

    def knows(self, call_id: UUID) -> bool:
        return self._app.find(Call, call_id) is not None

    def adopt(self, call_id: UUID, origin: Origin) -> bool:
        """Claim a call that exists at the provider but not in the log.

        It is claimed even if its contact was erased. Raises IntegrityError if others
        keep claiming at the same time.
        """
        chosen = PlannedCall(
            origin.campaign_id, origin.contact_id, origin.attempt, requeued=False
        )
        if chosen.call_id != call_id or self.knows(call_id):
            return False
        campaign = self._app.find(Campaign, origin.campaign_id)
        if campaign is None:
            return False
        if campaign.terms.need_reports:
            chosen = replace(chosen, terms_version=campaign.terms_version)
        return decide(lambda: self._claim_now(chosen, campaign.terms_version))

    def _claim_now(self, chosen: PlannedCall, terms_version: int) -> bool:
        contact = self._app.find(Contact, chosen.contact_id)
        if contact is not None:
            was = status_of(contact, self._previous(chosen))
            chosen = replace(chosen, was=was, contact_version=contact.version)
            plan = contact.plan_for(chosen.attempt)
            if plan is not None:
                chosen = replace(chosen, plan=plan.kind, terms_version=terms_version)
        number = None
        if self._adopted_numbers is not None:
            number = self._adopted_numbers.count(
                chosen.call_id, chosen.contact_id, self._context.now()
            )
        seen = self._app.highest_version(DISPATCHER_ID)
        claimed = self._claim_all([chosen], seen, adopted=True, number=number)
        if claimed.stale:
            raise IntegrityError("Somebody else claimed meanwhile.")
        return bool(claimed.calls)

    def _claim(
        self,
        chosen: list[PlannedCall],
        seen: int,
        number: Number | None,
        *,
        adopted: bool,
    ) -> tuple[int | None, list[UUID]]:
        """Return the claim's position, or the calls that stood in its way."""
        at, claim_id = self._context.now(), self._context.new_id()
        calls, unfit = [], []
        expect = {one.contact_id: one.contact_version for one in chosen}
        for one in chosen:
            try:
                if not adopted:
                    self._check_policy(one, at, expect)
                call = self._call(one, claim_id, at, expect)
                calls.append(_deferred(call, one.wait, at))
            except StoreUnavailable:
                raise
            except NotPlanned as changed:
                log.info("call %s is not claimed: %s", one.call_id, changed)
                unfit.append(one.call_id)
            except Exception:
                log.exception("call %s cannot be claimed", one.call_id)
                unfit.append(one.call_id)
        if unfit:
            return None, unfit
        claims = tuple(map(_claim, chosen))
        claimed = claim_calls(
            seen=seen, claim_id=claim_id, claims=claims, at=at, by=SCHEDULER
        )
        try:
            return self._app.append(claimed, *calls, number, expect=expect), []
        except IntegrityError:
            return None, self._in_the_way(chosen, seen)

    def _call(
        self,
        chosen: PlannedCall,
        claim_id: UUID,
        at: datetime,
        expect: dict[UUID, int],
    ) -> Call:
        """Return the claimed call; add to `expect` the version of the one before."""
        if not chosen.requeued:
            previous = self._previous(chosen)
            if previous is not None:
                expect[previous.id] = previous.version
            if chosen.is_retry:
                self._check_terms(chosen, expect)
            return Call.create(
                campaign_id=chosen.campaign_id,
                contact_id=chosen.contact_id,
                attempt=chosen.attempt,
                claim_id=claim_id,
                batch=chosen.batch,
                at=at,
                by=SCHEDULER,
                was=chosen.was,
                previous=previous,
                terms_version=chosen.terms_version,
                group=chosen.group,
                history=self._history(chosen, previous),
                plan=chosen.plan,
            )
        call = self._app.load(Call, chosen.call_id)
        call.requeue(claim_id=claim_id, batch=chosen.batch, at=at, by=SCHEDULER)
        return call

    def _check_terms(self, chosen: PlannedCall, expect: dict[UUID, int]) -> None:
        """Raise NotPlanned if the campaign's terms have changed since the snapshot.

        The retry is then decided again. The version of the campaign is added to
        `expect`, so that no change is stored before the claim.
        """
        campaign = self._app.load(Campaign, chosen.campaign_id)
        expect[campaign.id] = campaign.version
        check_planned_terms(campaign, chosen.terms_version)

    def _check_policy(
        self, chosen: PlannedCall, at: datetime, expect: dict[UUID, int]
    ) -> None:
        """Raise NotPlanned if a retry that was not made is not allowed any more.

        It was deferred, or is repeated because nothing rang; meanwhile the policy may
        have changed. The version of the campaign is added to `expect`.
        """
        waiting = self._repeated_retry(chosen)
        if waiting is None:
            return
        campaign = self._app.load(Campaign, chosen.campaign_id)
        expect[campaign.id] = campaign.version
        before = partial(history_before, self._app, waiting)
        check_repeated_retry(waiting, campaign, before, at)

    def _repeated_retry(self, chosen: PlannedCall) -> Call | None:
        """Return the retry that was not made and is repeated, None for other calls."""
        if not chosen.repeats:
            return None
        if chosen.requeued:
            call: Call | None = self._app.load(Call, chosen.call_id)
        else:
            call = self._previous(chosen)
        return call if call is not None and call.is_retry else None

    def _history(
        self, chosen: PlannedCall, previous: Call | None
    ) -> ContactHistory | None:
        """Return the contact's calls so far, if the report of this call needs them.

        Raises NotPlanned if a planned call is not planned any more.
        """
        if chosen.terms_version is None:
            return None
        if chosen.plan is None:
            return history_with(self._app, previous) if previous else NO_HISTORY
        plan = self._app.load(Contact, chosen.contact_id).plan_for(chosen.attempt)
        if plan is None:
            raise NotPlanned("The call is not planned any more.")
        return plan.history

    def _previous(self, chosen: PlannedCall) -> Call | None:
        """Load the contact's call before this one, which counts its refusals."""
        if chosen.attempt == 1:
            return None
        return self._app.find(Call, call_id_of(chosen.contact_id, chosen.attempt - 1))

    def _in_the_way(self, chosen: list[PlannedCall], seen: int) -> list[UUID]:
        """Return the new calls that exist already, and those whose contact changed.

        Empty if another claim was stored meanwhile: then the whole view is too old.
        """
        if self._app.highest_version(DISPATCHER_ID) > seen:
            return []
        return [
            one.call_id
            for one in chosen
            if self._has_moved(one) or (not one.requeued and self.knows(one.call_id))
        ]

    def _has_moved(self, chosen: PlannedCall) -> bool:
        return self._app.highest_version(chosen.contact_id) != chosen.contact_version


def _deferred(call: Call, wait: Wait | None, at: datetime) -> Call:
    """Defer a claimed call that may not be requested before a known time."""
    if wait is not None and wait.until is not None:
        call.wait(wait.code, until=wait.until, at=at, by=SCHEDULER)
    return call


def _claim(chosen: PlannedCall) -> Claim:
    return Claim(
        campaign_id=chosen.campaign_id,
        contact_id=chosen.contact_id,
        call_id=chosen.call_id,
        attempt=chosen.attempt,
        batch=chosen.batch,
    )
