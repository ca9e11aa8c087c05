"""Decides again about calls that are planned, or claimed and not made yet."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CallingTerms
from domain.contacts.contact import Contact, PlannedAttempt
from domain.contacts.contact_events import FinishReason
from domain.contacts.contact_history import ContactHistory, PlanKind
from domain.errors import NotPlanned
from domain.outcomes import CallOutcome
from domain.planning.retries import CallResult, Finish, Retry, next_step
from domain.values import ContactStatus


def review_due(
    contact: Contact,
    latest: Call,
    campaign: Campaign,
    *,
    history: ContactHistory,
    before: ContactHistory,
    at: datetime,
    by: str,
) -> None:
    """Decide about a further call that is due, or too late, by the present terms.

    Nothing is decided while the campaign does not dial.

    `history` is that of the contact with its last call `latest`, `before` without it.
    The call is then to be made now, is planned for later, or is not made: the contact
    is finished, and a call that was claimed but not made is withdrawn.
    """
    plan = contact.planned
    if plan is None or not contact.may_be_called or not campaign.may_dial:
        return
    terms, terms_version = campaign.terms, campaign.terms_version
    if plan.expires_at is not None and plan.expires_at <= at:
        is_retry = plan.kind is PlanKind.RETRY
        _finish(
            contact,
            plan,
            latest,
            FinishReason.POLICY_EXPIRED if is_retry else FinishReason.CALLBACK_MISSED,
            at,
            by,
        )
    elif plan.kind is not PlanKind.RETRY:
        return
    elif plan is contact.plan_after(latest.attempt):
        ended_at = latest.end_recorded_at or at
        _review_retry(contact, plan, terms, history, terms_version, ended_at, at, by)
    elif latest.terms_version != terms_version:
        reason = why_not_retried(terms, before, at)
        if reason is not None:
            _finish(contact, plan, latest, reason, at, by)


def check_planned_terms(campaign: Campaign, terms_version: int | None) -> None:
    """Raise NotPlanned if the terms have changed since a retry was planned by them.

    The retry is then decided again.
    """
    if campaign.terms_version != terms_version:
        raise NotPlanned("The call was planned by other terms.")


def check_repeated_retry(
    waiting: Call,
    campaign: Campaign,
    before: Callable[[], ContactHistory],
    at: datetime,
) -> None:
    """Raise NotPlanned if a retry that was not made is not allowed any more.

    It was deferred, or is repeated because nothing rang; meanwhile the terms may have
    changed. `before` returns the contact's history without the call `waiting`.
    """
    if campaign.terms_version == waiting.terms_version:
        return
    reason = why_not_retried(campaign.terms, before(), at)
    if reason is not None:
        raise NotPlanned(f"The call is not allowed any more: {reason}.")


def why_not_retried(
    terms: CallingTerms, before: ContactHistory, at: datetime
) -> FinishReason | None:
    """Return why the terms do not allow a retry that was claimed but not made yet.

    `before` is the history before its call, which includes its outcome in `retried`.
    Gaps are not applied again: they were over when the call was claimed.
    """
    if not before.retried:
        return None
    *earlier, because = before.retried
    last_at = before.recent[-1] if before.recent else at
    history = replace(before, retried=tuple(earlier))
    step = next_step(terms, history, CallResult(because, last_at), at)
    return step.reason if isinstance(step, Finish) else None


def _finish(
    contact: Contact,
    plan: PlannedAttempt,
    latest: Call,
    reason: FinishReason,
    at: datetime,
    by: str,
) -> None:
    """Finish a contact that waits; one whose call is made or under way is left."""
    was, status = ContactStatus.PENDING, plan.finished_as
    if latest.attempt >= plan.attempt:
        if latest.contact_status is not ContactStatus.PENDING:
            return
        if latest.deferred:
            latest.withdraw(at=at, by=by)
            was = status = latest.contact_status
    contact.finish(
        reason,
        was=was,
        status=status,
        last_attempt=latest.attempt,
        at=at,
        by=by,
    )


def _review_retry(
    contact: Contact,
    plan: PlannedAttempt,
    terms: CallingTerms,
    history: ContactHistory,
    terms_version: int,
    ended_at: datetime,
    at: datetime,
    by: str,
) -> None:
    because = plan.because or CallOutcome.UNKNOWN
    step = next_step(terms, history, CallResult(because, ended_at), at)
    if isinstance(step, Retry):
        planned = replace(
            plan,
            due_at=plan.due_at if step.due_at <= at else step.due_at,
            expires_at=step.expires_at,
            terms_version=terms_version,
            history=history.with_retry(because),
        )
        contact.plan_call(planned, was=ContactStatus.PENDING, at=at, by=by)
    elif isinstance(step, Finish):
        contact.finish(
            step.reason,
            was=ContactStatus.PENDING,
            status=plan.finished_as,
            last_attempt=plan.attempt - 1,
            at=at,
            by=by,
        )
