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
from application.contacts.contact_calls import ContactHistories
from application.errors import StoreUnavailable
from application.event_context import SCHEDULER, EventContext
from application.ports import Origin
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.dial_view import PlannedCall
from domain.dispatcher import DISPATCHER_ID, claim_calls
from domain.errors import NotPlanned
from domain.numbers.number import Number
from domain.planning.claiming import (
    ClaimBasis,
    adopted_call,
    claim_call,
    claims_of,
    is_retry,
)
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
        self._histories = ContactHistories(app)
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
            latest = self._previous(chosen)
            chosen = adopted_call(chosen, contact, latest, terms_version)
        number = self._counted_number(chosen)
        seen = self._app.highest_version(DISPATCHER_ID)
        claimed = self._claim_all([chosen], seen, adopted=True, number=number)
        if claimed.stale:
            raise IntegrityError("Somebody else claimed meanwhile.")
        return bool(claimed.calls)

    def _counted_number(self, chosen: PlannedCall) -> Number | None:
        """Return the number of an adopted call, to which the call is added."""
        if self._adopted_numbers is None:
            return None
        now = self._context.now()
        return self._adopted_numbers.count(chosen.call_id, chosen.contact_id, now)

    def _claim(
        self,
        chosen: list[PlannedCall],
        seen: int,
        number: Number | None,
        *,
        adopted: bool,
    ) -> tuple[int | None, list[UUID]]:
        """Return the claim's position, or the calls that cannot be claimed."""
        at, claim_id = self._context.now(), self._context.new_id()
        claim = partial(
            claim_call,
            histories=self._histories,
            claim_id=claim_id,
            at=at,
            by=SCHEDULER,
        )
        expect = {one.contact_id: one.contact_version for one in chosen}
        calls: list[Call] = []
        unfit: list[UUID] = []
        for one in chosen:
            try:
                basis = self._basis(one, adopted=adopted)
                expect |= basis.expected(one)
                calls.append(claim(one, basis))
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
        claimed = claim_calls(
            seen=seen, claim_id=claim_id, claims=claims_of(chosen), at=at, by=SCHEDULER
        )
        try:
            return self._app.append(claimed, *calls, number, expect=expect), []
        except IntegrityError:
            return None, self._in_the_way(chosen, seen)

    def _basis(self, chosen: PlannedCall, *, adopted: bool) -> ClaimBasis:
        """Load what the claim of this call rests on.

        An adopted call is made whatever the terms are, unless it was planned by them.
        """
        if chosen.requeued:
            last: Call | None = self._app.load(Call, chosen.call_id)
        else:
            last = self._previous(chosen)
        campaign = contact = None
        if chosen.is_retry or (not adopted and is_retry(chosen, last)):
            campaign = self._app.load(Campaign, chosen.campaign_id)
        if chosen.plan is not None:
            contact = self._app.load(Contact, chosen.contact_id)
        return ClaimBasis(last, campaign, contact)

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
