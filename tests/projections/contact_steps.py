"""What follows the calls of a history, and what members do to its contacts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from domain.calls.call import Call
from domain.calls.callbacks import Obstacle
from domain.calls.reports import OutcomeBasis, OutcomeFinding, Report, ReportGrade
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CALLED_ONCE, CallingTerms
from domain.campaigns.retry_policy import NEVER_RETRIED, RetryPolicy, RetryRule
from domain.outcomes import (
    CallOutcome,
    Disposition,
    DispositionSource,
    ReportedOutcome,
    Withheld,
)
from domain.planning.call_consequences import withdraw_from_calls
from domain.planning.contact_commands import dispose, return_to_calls, withhold
from domain.planning.erasure import erase_contact
from domain.planning.planning import (
    Consequence,
    conclude,
    consequence_of,
    history_of,
    plan_after,
    step_after,
    takes_plan,
)
from domain.planning.reviews import review_due
from tests.projections.lives import Life

RETRIED = tuple(sorted(set(CallOutcome) - NEVER_RETRIED - {CallOutcome.HUMAN}))
SOURCES = (DispositionSource.OUTPUT, DispositionSource.TOOL)


def random_terms(life: Life) -> CallingTerms:
    """Return terms with or without retries, and with an end that may come."""
    attempts = life.random.choice((1, 2, 4))
    rule = RetryRule(RETRIED, attempts, (1, 5))
    policy = RetryPolicy(attempts, 5, 1, 1, (rule,))
    minutes = life.random.choice((None, 30, 120))
    return CallingTerms(
        retry_policy=life.random.choice((policy, policy, None)),
        ends_at=life.now + timedelta(minutes=minutes) if minutes else None,
    )


def record_with_consequences(life: Life, call: Call, campaign: Campaign) -> None:
    """Record the call's events together with what follows for its contact."""
    contact, stamp = life.contact(campaign.id, call.contact_id), life.stamp()
    latest = life.latest(call.contact_id) or call
    consequence = consequence_of(call)
    if consequence is Consequence.STILL_WAITS and not contact.may_be_called:
        withdraw_from_calls(call, contact, **stamp)
    if consequence is Consequence.SETTLED and call is latest:
        _plan_after(life, call, campaign)
    if consequence is Consequence.CONCLUDED:
        conclude(call, latest, contact, _terms_of(call, campaign), **stamp)
    life.record(call, campaign, latest, contact)


def _plan_after(life: Life, call: Call, campaign: Campaign) -> None:
    """Plan the next call, if one is to follow."""
    contact = life.contact(campaign.id, call.contact_id)
    history = history_of(life.calls[call.contact_id])
    step = step_after(call, history, _terms_of(call, campaign), life.now)
    if step is not None and takes_plan(campaign, contact, call):
        version = call.terms_version or campaign.terms_version
        stamp = life.stamp()
        plan_after(call, contact, step, history, terms_version=version, **stamp)


def _terms_of(call: Call, campaign: Campaign) -> CallingTerms:
    """Return the terms by which the call was claimed, with the campaign's end."""
    if call.terms_version is None:
        return replace(CALLED_ONCE, ends_at=campaign.terms.ends_at)
    claimed = campaign.terms_by_version[call.terms_version]
    return replace(claimed, ends_at=campaign.terms.ends_at)


def finish_call(life: Life, call: Call, campaign: Campaign) -> None:
    """Place the call, end it and report it, with an outcome by chance."""
    if call.provider_call_id is None:
        life.place_unrecorded(call)
    outcome = ReportedOutcome(life.random.choice(list(CallOutcome)), "rule")
    finding = OutcomeFinding(outcome, OutcomeBasis.DECISIVE)
    report = Report(
        grade=ReportGrade.DELIVERED,
        outcome=finding,
        reason=None,
        started_at=life.now,
        ended_at=life.now,
        duration_seconds=60,
        cost=Decimal("0.20"),
    )
    call.report(report, evidence=life.evidence(), **life.stamp())
    record_with_consequences(life, call, campaign)


def ask_for_callback(life: Life, call: Call) -> None:
    """Record that the contact wants a callback, withdraws it, or cannot get it."""
    source, stamp = life.random.choice(SOURCES), life.stamp()
    due_at = life.now + timedelta(minutes=life.random.randint(1, 90))
    steps: list[Callable[[], None]] = [
        lambda: call.request_callback(
            due_at=due_at, time_zone="America/New_York", source=source, **stamp
        ),
        lambda: call.request_callback(
            due_at=due_at, time_zone="America/New_York", source=source, **stamp
        ),
        lambda: call.withdraw_callback(call.callback_source or source, **stamp),
        lambda: call.ignore_callback(
            life.random.choice(list(Obstacle)), source, **stamp
        ),
    ]
    if call.provider_call_id is not None:
        life.random.choice(steps)()


def happen_to_contact(life: Life, campaign: Campaign) -> None:
    """Change a random contact of the campaign by hand, or by the passage of time."""
    contact_id = life.random.choice(life.contacts[campaign.id])
    contact = life.contact(campaign.id, contact_id)
    latest, stamp = life.latest(contact_id), life.stamp()
    history = history_of(life.calls[contact_id])

    def call_again() -> None:
        campaign.must_take_contacts()
        due_at = life.now + timedelta(minutes=1)
        return_to_calls(
            contact, latest, campaign, history=history, due_at=due_at, **stamp
        )

    def review() -> None:
        if latest is not None:
            before = history_of(life.calls[contact_id][:-1])
            review_due(
                contact, latest, campaign, history=history, before=before, **stamp
            )

    steps: list[Callable[[], None]] = [
        call_again,
        call_again,
        review,
        review,
        lambda: withhold(contact, latest, life.random.choice(list(Withheld)), **stamp),
        lambda: dispose(
            contact,
            latest,
            life.random.choice((None, *Disposition)),
            note=life.random.choice((None, life.words())),
            **stamp,
        ),
        lambda: erase_contact(
            contact,
            list_ids=campaign.lists,
            campaign=campaign,
            last_call=latest,
            **stamp,
        ),
    ]
    life.random.choice(steps)()
    life.record(*([latest] if latest else []), contact, campaign)
