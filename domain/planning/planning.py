"""Records on a contact what follows its calls, from what their reports say."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import TypeGuard

from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CALLED_ONCE, CallingTerms
from domain.contacts.contact import Contact, PlannedAttempt
from domain.contacts.contact_events import FinishReason
from domain.contacts.contact_history import NO_HISTORY, ContactHistory, PlanKind
from domain.outcomes import CallOutcome
from domain.planning.call_consequences import waits_again
from domain.planning.contact_status import status_of
from domain.planning.retries import (
    FINAL_DISPOSITIONS,
    OPTED_OUT,
    Callback,
    CallResult,
    Finish,
    NextStep,
    Retry,
    conclusion,
    next_step,
)
from domain.states import ACTIVE
from domain.values import ContactStatus

WANTED = frozenset({PlanKind.CALLBACK, PlanKind.RETURNED})
"""Planned calls that the contact or a member asked for."""


def is_settled_by(events: Sequence[object]) -> bool:
    """Return whether no further report of the call is awaited from these events on.

    A call that is given up is never reported.
    """
    return any(
        (isinstance(one, Call.Reported) and one.awaited and one.settled)
        or isinstance(one, Call.TimedOut)
        for one in events
    )


def changes_conclusion(events: Sequence[object]) -> bool:
    """Return whether the events change what the call says about its contact.

    That is its outcome, its disposition, or that the contact asked for no callback.
    """
    return any(
        isinstance(one, Call.DispositionSet | Call.CallbackWithdrawn)
        or (
            isinstance(one, Call.Ended | Call.Reported)
            and one.outcome is not None
            and one.outcome.outcome is not one.outcome_was
        )
        for one in events
    )


def proves_ringing(events: Sequence[object]) -> bool:
    """Return whether a call counted as a fault in which nothing rang, but did ring."""
    return any(
        isinstance(one, Call.Ended | Call.Reported)
        and one.outcome_was is CallOutcome.NOT_STARTED
        and one.outcome is not None
        and one.outcome.outcome is not CallOutcome.NOT_STARTED
        for one in events
    )


class Consequence(Enum):
    """What new events of a call may change for its contact.

    STILL_WAITS: it waits for a call again. SETTLED: no further report is awaited.
    CONCLUDED: a late report changed what an earlier one had decided.
    """

    NONE = "NONE"
    STILL_WAITS = "STILL_WAITS"
    SETTLED = "SETTLED"
    CONCLUDED = "CONCLUDED"


def consequence_of(call: Call) -> Consequence:
    """Return what the pending events of a call may change for its contact."""
    events = call.pending_events
    if waits_again(events):
        return Consequence.STILL_WAITS
    decides = call.terms_version is not None or call.callback_at is not None
    if not decides and not proves_ringing(events):
        return Consequence.NONE
    if is_settled_by(events):
        return Consequence.SETTLED
    if call.settled and changes_conclusion(events):
        return Consequence.CONCLUDED
    return Consequence.NONE


def is_call(step: NextStep | None) -> TypeGuard[Retry | Callback]:
    """Return whether the next step after a call is another call."""
    return step is not None and not isinstance(step, Finish)


def may_have_plan(call: Call) -> bool:
    """Return whether another call may have been planned before the report of this one.

    After an ordinary end, nothing is planned until the report.
    """
    return call.contact_status is not ContactStatus.ENDED


def takes_plan(campaign: Campaign, contact: Contact, call: Call) -> bool:
    """Return whether a call may be planned after this one.

    Not if one is planned already, nor if the campaign is over or has expired.
    """
    is_over = campaign.over or campaign.expired_at is not None
    return not is_over and contact.plan_after(call.attempt) is None


def attempts_used(calls: Sequence[Call], terms: CallingTerms) -> bool:
    """Return whether the calls to a contact, in their order, use up its policy.

    A last call that was not requested yet does not count.
    """
    latest = calls[-1]
    made = calls[:-1] if latest.waiting or latest.deferred else calls
    return history_of(made).attempts >= terms.policy.attempts


def history_of(calls: Sequence[Call]) -> ContactHistory:
    """Return the history of these calls to one contact, as they are known now.

    A claim carries the history as it was known then: a call that counted as a fault
    may turn out to have rung.
    """
    history = NO_HISTORY
    for call in calls:
        retried = call.history.retried if call.history else history.retried
        history = history_after(call, replace(history, retried=retried))
    return history


def history_after(call: Call, before: ContactHistory | None = None) -> ContactHistory:
    """Return the contact's history with this call, which is over.

    `before` is the history before the call, that of the claim by default.
    """
    before = before or call.history or NO_HISTORY
    if call.requests == 0 and call.provider_call_id is None:
        return before
    if call.outcome is CallOutcome.NOT_STARTED:
        return before.with_fault()
    at = call.requested_at or call.placed_at or call.claimed_at
    return before.with_call(at=at, zones=call.time_zones, kind=call.plan)


def step_after(
    call: Call, history: ContactHistory, terms: CallingTerms, at: datetime
) -> NextStep | None:
    """Decide what follows a call whose report is settled; None: not for us to decide.

    `history` includes the call. A call after which the contact is called again anyway,
    or that failed, is not followed by a planned one. Nothing but a callback follows a
    call that timed out.
    """
    if call.contact_status not in {ContactStatus.ENDED, ContactStatus.TIMEOUT}:
        return None
    if call.contact_status is ContactStatus.TIMEOUT and call.callback_at is None:
        return None
    result = CallResult(
        outcome=call.outcome or CallOutcome.UNKNOWN,
        ended_at=call.end_recorded_at or at,
        disposition=call.disposition,
        callback_at=call.callback_at,
    )
    return next_step(terms, history, result, at)


def plan_after(
    call: Call,
    contact: Contact,
    step: NextStep,
    history: ContactHistory,
    *,
    terms_version: int,
    at: datetime,
    by: str,
) -> None:
    """Plan the next call to a contact after its last call, if one is to follow.

    `history` includes that call.
    """
    if isinstance(step, Finish) or not contact.may_be_called:
        return
    if _is_ruled_out(contact, step):
        return
    plan = PlannedAttempt(
        kind=PlanKind.RETRY if isinstance(step, Retry) else PlanKind.CALLBACK,
        call_id=call.id,
        attempt=call.attempt + 1,
        due_at=step.due_at,
        expires_at=step.expires_at,
        because=step.because if isinstance(step, Retry) else None,
        terms_version=terms_version,
        history=history.with_retry(step.because)
        if isinstance(step, Retry)
        else history,
        finished_as=call.contact_status,
    )
    contact.plan_call(plan, was=call.contact_status, at=at, by=by)


def _is_ruled_out(contact: Contact, step: Retry | Callback) -> bool:
    """Return whether the disposition that a member set rules the call out."""
    reason = FINAL_DISPOSITIONS.get(contact.disposition)
    if isinstance(step, Callback):
        return reason in OPTED_OUT
    return reason is not None


def conclude(
    call: Call,
    latest: Call,
    contact: Contact,
    terms: CallingTerms | None,
    *,
    calls: Sequence[Call] = (),
    at: datetime,
    by: str,
) -> None:
    """End what was to follow a call, if that turns out to need no other call.

    `latest` is the contact's last call, possibly the same one. A call that was
    requested already goes on, but nothing follows it. A callback, and a call that a
    member wanted, are ended by an opt-out only; a callback also if the call turns out
    not to ask for it.

    `calls` are all calls to the contact, given if this one turns out to have rung. If
    they use up the policy's attempts, a call under way goes on, and a callback may
    still follow it.
    """
    terms = terms or CALLED_ONCE
    reason = conclusion(terms.policy, call.outcome, call.disposition)
    used_up = bool(calls) and attempts_used(calls, terms)
    if reason is None and used_up and not _is_under_way(contact, latest):
        reason = FinishReason.ATTEMPTS_USED
    reason = _reason_for(reason, call, latest, contact)
    if reason is None or not contact.may_be_called:
        return
    plan = contact.plan_after(latest.attempt)
    change = _taken_back(call, latest, contact, plan, at, by)
    if change is not None:
        was, status = change
        contact.finish(
            reason,
            was=was,
            status=status,
            last_attempt=latest.attempt,
            at=at,
            by=by,
        )


def _taken_back(
    call: Call,
    latest: Call,
    contact: Contact,
    plan: PlannedAttempt | None,
    at: datetime,
    by: str,
) -> tuple[ContactStatus, ContactStatus] | None:
    """Take back the last call if it was not made yet.

    Returns the contact's status before and after; None if nothing was to follow.
    """
    was = status_of(contact, latest)
    if plan is not None:
        return was, plan.finished_as
    if latest is not call and was is ContactStatus.QUEUED and latest.waiting:
        latest.cancel(at=at, by=by)
        return latest.contact_status, latest.contact_status
    if latest.deferred:
        latest.withdraw(at=at, by=by)
        return latest.contact_status, latest.contact_status
    if was is ContactStatus.PENDING:
        return was, ContactStatus.ENDED
    return None if latest is call else (was, was)


def _reason_for(
    reason: FinishReason | None, call: Call, latest: Call, contact: Contact
) -> FinishReason | None:
    """Return why the call that follows is not made, None if it remains."""
    opted_out = reason in OPTED_OUT
    if not opted_out and _is_unasked_callback(call, latest, contact):
        return FinishReason.CALLBACK_WITHDRAWN
    if reason is None or not may_end(_kind_of_next(call, latest, contact), reason):
        return None
    return reason


def may_end(kind: PlanKind | None, reason: FinishReason) -> bool:
    """Return whether `reason` ends a planned call; only an opt-out ends a wanted one.

    `kind` is None for a call that was not planned.
    """
    return reason in OPTED_OUT or kind not in WANTED


def _is_unasked_callback(call: Call, latest: Call, contact: Contact) -> bool:
    """Return whether a callback is to be made after a call that asks for none now."""
    plan = contact.planned
    if plan is None or plan.kind is not PlanKind.CALLBACK or plan.call_id != call.id:
        return False
    is_claimed = latest.waiting and not latest.request_open
    is_to_be_made = plan.attempt > latest.attempt or latest.deferred or is_claimed
    return call.callback_at is None and is_to_be_made


def _kind_of_next(call: Call, latest: Call, contact: Contact) -> PlanKind | None:
    """Return why the call that follows was planned, None if it was not."""
    plan = contact.plan_after(latest.attempt)
    if plan is not None:
        return plan.kind
    return latest.plan if latest is not call else None


def _is_under_way(contact: Contact, latest: Call) -> bool:
    """Return whether the contact's last call was requested and is not over."""
    never_requested = latest.waiting and not latest.request_open
    return status_of(contact, latest) in ACTIVE and not never_requested
