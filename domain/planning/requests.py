"""Whether a claimed call may be requested, and what follows if the gate refuses it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.calls.call import Call
from domain.campaigns.arms import AssignedArm
from domain.campaigns.campaign import Campaign
from domain.contacts.contact import Contact
from domain.gate.permit import Never, Wait
from domain.numbers.number import Number
from domain.planning.counted_calls import outcomes_known
from domain.values import ContactStatus

RECHECK = timedelta(minutes=10)
"""When a call is decided again for which the gate names no time."""


def may_be_requested(campaign: Campaign, contact: Contact, at: datetime) -> bool:
    """Return whether campaign and contact allow a call now, whatever the gate says."""
    return campaign.may_dial_at(at) and contact.may_be_called


def arm_of(
    call: Call, earlier: Sequence[Call], campaign: Campaign, number_key: str
) -> AssignedArm | None:
    """Return the arm of the contact's earlier requests, else that of its number."""
    stored = (one.arm for one in (call, *earlier) if one.arm is not None)
    return next(stored, None) or campaign.arm_for(number_key)


def refuse_request(
    call: Call,
    contact: Contact,
    number: Number,
    decision: Wait | Never,
    *,
    at: datetime,
    by: str,
) -> None:
    """Defer the call, or withdraw it and finish its contact.

    An open request is given up: the caller has proved that it never left, so the call
    stops counting for its number. Nothing happens to a call that may not be deferred.
    """
    request_was_open = call.request_open
    if isinstance(decision, Wait):
        until = decision.until or at + RECHECK
        call.wait(decision.code, until=until, at=at, by=by)
    else:
        call.withhold(at=at, by=by)
    if not call.pending_events:
        return
    if isinstance(decision, Never):
        contact.withhold(
            decision.reason,
            was=ContactStatus.CANCELED,
            last_attempt=call.attempt,
            at=at,
            by=by,
        )
    if request_was_open and outcomes_known(call):
        number.release(call.id, at=at, by=by)
