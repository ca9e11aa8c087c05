"""The claim of a planned call: whether it is still allowed, and what it records."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.contacts.contact_history import NO_HISTORY, ContactHistory
from domain.dial_view import PlannedCall
from domain.dispatcher import Claim
from domain.errors import NotPlanned
from domain.planning.contact_status import status_of
from domain.planning.reviews import check_planned_terms, check_repeated_retry


class Histories(Protocol):
    """Returns what is known now of the calls to a contact."""

    def before(self, call: Call) -> ContactHistory:
        """Return the contact's history without this call."""

    def including(self, call: Call) -> ContactHistory:
        """Return the contact's history with this call."""


@dataclass(frozen=True, slots=True)
class ClaimBasis:
    """The aggregates on which the claim of one planned call rests.

    `last` is the deferred call that is requested again, otherwise the contact's call
    before this one; None for a first call. `campaign` is needed for retries, `contact`
    for planned calls; each may be None otherwise.
    """

    last: Call | None
    campaign: Campaign | None = None
    contact: Contact | None = None

    def expected(self, planned: PlannedCall) -> dict[UUID, int]:
        """Return the versions of the streams that the claim reads and does not change.

        They must not change before the claim is stored.
        """
        last = None if planned.requeued else self.last
        return {one.id: one.version for one in (last, self.campaign) if one is not None}


def is_retry(planned: PlannedCall, last: Call | None) -> bool:
    """Return whether the retry policy planned the call, or the one that it repeats."""
    repeated = planned.repeats and last is not None and last.is_retry
    return planned.is_retry or repeated


def claim_call(
    planned: PlannedCall,
    basis: ClaimBasis,
    *,
    histories: Histories,
    claim_id: UUID,
    at: datetime,
    by: str,
) -> Call:
    """Return the claimed call; it is deferred if it may not be requested yet.

    Raises:
        NotDeferred: the call is to be requested again, but is not deferred.
        NotPlanned: the terms have changed, or the call is not planned any more.
    """
    _check_terms(planned, basis, histories, at)
    last = basis.last
    if planned.requeued and last is not None:
        call = last
        call.requeue(claim_id=claim_id, batch=planned.batch, at=at, by=by)
    else:
        call = Call.create(
            campaign_id=planned.campaign_id,
            contact_id=planned.contact_id,
            attempt=planned.attempt,
            claim_id=claim_id,
            batch=planned.batch,
            at=at,
            by=by,
            was=planned.was,
            previous=last,
            terms_version=planned.terms_version,
            group=planned.group,
            history=_history(planned, basis, histories),
            plan=planned.plan,
        )
    if planned.wait is not None and planned.wait.until is not None:
        call.wait(planned.wait.code, until=planned.wait.until, at=at, by=by)
    return call


def _check_terms(
    planned: PlannedCall, basis: ClaimBasis, histories: Histories, at: datetime
) -> None:
    """Raise NotPlanned if the present terms of the campaign do not allow a retry."""
    campaign, last = basis.campaign, basis.last
    if campaign is None:
        return
    if planned.is_retry:
        check_planned_terms(campaign, planned.terms_version)
    elif last is not None:
        check_repeated_retry(last, campaign, lambda: histories.before(last), at)


def _history(
    planned: PlannedCall, basis: ClaimBasis, histories: Histories
) -> ContactHistory | None:
    """Return the contact's calls so far, None if no report of this call needs them."""
    if planned.terms_version is None:
        return None
    if planned.plan is None:
        return histories.including(basis.last) if basis.last else NO_HISTORY
    contact = basis.contact
    plan = contact.plan_for(planned.attempt) if contact is not None else None
    if plan is None:
        raise NotPlanned("The call is not planned any more.")
    return plan.history


def claims_of(planned: list[PlannedCall]) -> tuple[Claim, ...]:
    """Return the entries of the calls in the event of the claim."""
    return tuple(
        Claim(
            campaign_id=one.campaign_id,
            contact_id=one.contact_id,
            call_id=one.call_id,
            attempt=one.attempt,
            batch=one.batch,
        )
        for one in planned
    )


def adopted_call(
    planned: PlannedCall, contact: Contact, latest: Call | None, terms_version: int
) -> PlannedCall:
    """Return the planned call with what the contact knows of it.

    Such a call exists at the provider, but not in the log. `latest` is the contact's
    call before it. `terms_version` is that of the campaign's present terms.
    """
    known = replace(
        planned, was=status_of(contact, latest), contact_version=contact.version
    )
    plan = contact.plan_for(planned.attempt)
    if plan is None:
        return known
    return replace(known, plan=plan.kind, terms_version=terms_version)
