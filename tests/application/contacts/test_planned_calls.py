"""Retries, from the settled report to the next claim, on Postgres."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from application.campaigns.campaigns import CampaignChange
from domain.calls.deferrals import DeferralReason
from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import PATIENT, RetryPolicy
from domain.contacts.contact_events import FinishReason
from domain.contacts.contact_history import PlanKind
from domain.errors import WrongState
from domain.outcomes import (
    CallOutcome,
    Disposition,
    DispositionSource,
    Withheld,
)
from domain.values import ContactStatus
from tests.application.calls.messages import record_message, status
from tests.application.contacts.campaign_line import BUSY, HUMAN, POLICY, TERMS, Line
from tests.wiring import BY, NOON, Services, as_chosen


@pytest.fixture
def line(services: Services) -> Line:
    return Line(services)


# --- Planned once, from the settled report --------------------------------------------


def test_a_busy_contact_waits_for_the_gap_of_its_rule(line: Line) -> None:
    line.call(**BUSY)
    plan = line.contact.planned
    assert plan is not None
    assert (plan.kind, plan.attempt, plan.because) == (
        PlanKind.RETRY,
        2,
        CallOutcome.BUSY,
    )
    assert plan.due_at == NOON + timedelta(minutes=30)
    assert (line.progress(), line.due()) == ({"pending": 1}, 0)
    line.later(minutes=30)
    assert line.due() == 1


def test_a_status_message_alone_plans_nothing(line: Line) -> None:
    call_id = line.place()
    body = status(call_id, "ended", endedReason="customer-busy")
    body["message"]["call"]["id"] = str(call_id)
    record_message(line.services, body)
    assert line.progress() == {"ended": 1}
    assert line.services.topics(line.contact_id) == []
    line.end(call_id, **BUSY)
    assert line.progress() == {"pending": 1}


def test_the_plan_is_stored_with_the_report_and_only_once(line: Line) -> None:
    call_id = line.call(**BUSY)
    line.end(call_id, **BUSY, summary="the same report again")
    assert line.services.topics(line.contact_id) == ["call_planned"]


def test_the_budget_counts_all_outcomes(line: Line) -> None:
    for reason in ("customer-busy", "customer-did-not-answer", "customer-busy"):
        line.call(**BUSY | {"endedReason": reason})
        line.later(hours=2)
    assert (line.progress(), line.due()) == ({"ended": 1}, 0)
    assert line.services.topics(line.contact_id) == ["call_planned"] * 2


def test_a_contact_that_was_reached_is_not_called_again(line: Line) -> None:
    line.call(**HUMAN)
    assert line.progress() == {"ended": 1}


def test_a_campaign_without_a_policy_plans_nothing(services: Services) -> None:
    line = Line(services, CallingTerms())
    line.call(**BUSY)
    assert line.services.topics(line.contact_id) == []


def test_nothing_is_planned_in_a_campaign_that_was_canceled(line: Line) -> None:
    call_id = line.place()
    line.services.campaigns.cancel(line.campaign_id, hang_up=False, by=BY)
    line.end(call_id, **BUSY)
    assert line.progress() == {"ended": 1}


# --- What later reports change --------------------------------------------------------


def set_disposition(line: Line, call_id: UUID, disposition: Disposition) -> None:
    """Set a disposition as a report that arrives late does."""

    def command(call: Any, at: datetime) -> None:
        source = DispositionSource.OUTPUT
        call.set_disposition(disposition, source, at=at, by=BY)

    line.services.calls._unit.run(call_id, command)


@pytest.mark.parametrize(
    ("disposition", "reason"),
    [
        (Disposition.OPTED_OUT, FinishReason.OPTED_OUT),
        (Disposition.GOAL_REACHED, FinishReason.GOAL_REACHED),
        (Disposition.WRONG_PERSON, FinishReason.WRONG_PERSON),
    ],
)
def test_a_late_disposition_withdraws_a_planned_retry(
    line: Line, disposition: Disposition, reason: FinishReason
) -> None:
    call_id = line.call(**BUSY)
    set_disposition(line, call_id, disposition)
    assert (line.contact.finished, line.contact.planned) == (reason, None)
    assert line.progress() == {"ended": 1}
    line.later(hours=1)
    assert line.due() == 0


def test_an_opt_out_withdraws_a_deferred_retry_in_the_same_save(line: Line) -> None:
    first = line.call(**BUSY)
    line.later(minutes=30)
    [second] = line.services.claim(line.campaign_id)
    until = line.services.now()
    line.services.calls.defer(second, reason=DeferralReason.NOT_NOW, until=until)
    set_disposition(line, first, Disposition.OPTED_OUT)
    assert line.services.topics(second) == ["created", "deferred", "canceled"]
    assert (line.progress(), line.due()) == ({"canceled": 1}, 0)


def test_a_requested_retry_goes_on_and_nothing_follows_it(line: Line) -> None:
    first = line.call(**BUSY)
    line.later(minutes=30)
    second = line.place()
    set_disposition(line, first, Disposition.GOAL_REACHED)
    line.end(second, **BUSY)
    assert line.progress() == {"ended": 1}
    assert line.contact.finished is FinishReason.GOAL_REACHED


def test_a_retry_is_not_claimed_by_a_snapshot_with_earlier_terms(line: Line) -> None:
    """The policy was changed between the snapshot and the claim."""
    line.call(**BUSY)
    line.later(minutes=30)
    services = line.services
    seen, [due] = services.snapshot(), services.candidates(line.campaign_id)
    version = services.load_campaign(line.campaign_id).terms_version
    once = CampaignChange(terms={"retry_policy": None})
    services.campaigns.change(line.campaign_id, once, by=BY)
    chosen = as_chosen(line.campaign_id, due, version)
    claimed = services.claims.claim([chosen], seen=seen.claims_seen)
    assert claimed.calls == ()
    assert (line.progress(), line.due()) == ({"pending": 1}, 0)


# --- The campaign's end ---------------------------------------------------------------


def test_a_retry_is_planned_up_to_the_present_end_of_the_campaign(
    services: Services,
) -> None:
    """The end was put off while the call was under way."""
    line = Line(services, replace(TERMS, ends_at=NOON + timedelta(minutes=20)))
    call_id = line.place()
    later = CampaignChange(terms={"ends_at": NOON + timedelta(days=1)})
    services.campaigns.change(line.campaign_id, later, by=BY)
    line.end(call_id, **BUSY)
    assert line.progress() == {"pending": 1}


def test_no_retry_is_planned_beyond_an_end_that_was_moved_forward(
    services: Services,
) -> None:
    line = Line(services, replace(TERMS, ends_at=NOON + timedelta(days=1)))
    call_id = line.place()
    sooner = CampaignChange(terms={"ends_at": NOON + timedelta(minutes=20)})
    services.campaigns.change(line.campaign_id, sooner, by=BY)
    line.end(call_id, **BUSY)
    assert line.progress() == {"ended": 1}


# --- Pauses ---------------------------------------------------------------------------


def test_a_pause_and_a_resume_leave_a_planned_call_as_it_is(line: Line) -> None:
    line.call(**BUSY)
    line.services.campaigns.pause(line.campaign_id, by=BY)
    line.services.campaigns.resume(line.campaign_id, by=BY)
    assert line.due() == 0
    line.later(minutes=30)
    assert line.due() == 1


# --- A changed policy -----------------------------------------------------------------


def change_policy(line: Line, policy: RetryPolicy | None) -> None:
    change = CampaignChange(terms={"retry_policy": policy})
    line.services.campaigns.change(line.campaign_id, change, by=BY)


def reviewed(line: Line) -> None:
    [view] = line.services.snapshot().campaigns
    assert view.to_review == (line.contact_id,)
    line.services.planned_calls.review(line.campaign_id, view.to_review)


def test_a_retry_that_the_present_policy_allows_is_made(line: Line) -> None:
    line.call(**BUSY)
    change_policy(line, PATIENT)
    line.later(hours=3)
    assert line.due() == 0
    reviewed(line)
    assert line.due() == 1
    assert [view.to_review for view in line.services.snapshot().campaigns] == [()]


def test_a_longer_gap_plans_the_retry_again(line: Line) -> None:
    line.call(**BUSY)
    change_policy(line, PATIENT)
    line.later(minutes=30)
    reviewed(line)
    plan = line.contact.planned
    assert plan is not None
    assert plan.due_at == NOON + timedelta(hours=2)


def test_a_smaller_budget_finishes_the_contact(line: Line) -> None:
    line.call(**BUSY)
    change_policy(line, None)
    line.later(minutes=30)
    reviewed(line)
    assert line.contact.finished is FinishReason.NO_RULE
    assert line.progress() == {"ended": 1}


# --- Start, end and members -----------------------------------------------------------


def test_nobody_is_called_before_the_start_or_after_the_end(services: Services) -> None:
    terms = CallingTerms(
        starts_at=NOON + timedelta(hours=1), ends_at=NOON + timedelta(hours=2)
    )
    line = Line(services, terms)
    assert line.due() == 0
    line.later(hours=1)
    [call_id] = services.claim(line.campaign_id)
    line.later(hours=1)
    before = line.services.now() + timedelta(seconds=5)
    assert services.calls.request(call_id, dial_before=before) is None


def test_the_end_of_a_campaign_withholds_planned_contacts(services: Services) -> None:
    line = Line(services, CallingTerms(POLICY, ends_at=NOON + timedelta(minutes=40)))
    line.call(**BUSY)
    line.later(hours=1)
    services.campaigns.expire(line.campaign_id)
    assert line.progress() == {"canceled": 1}
    [view] = services.snapshot().campaigns
    assert view.completable
    services.campaigns.complete(line.campaign_id, version=view.version)
    assert line.progress() == {"canceled": 1}


def test_planned_contacts_of_a_canceled_campaign_count_as_canceled(line: Line) -> None:
    line.call(**BUSY)
    line.services.campaigns.cancel(line.campaign_id, hang_up=False, by=BY)
    assert line.progress() == {"canceled": 1}


def test_a_member_has_a_finished_contact_called_again(line: Line) -> None:
    line.call(**HUMAN)
    [view] = line.services.snapshot().campaigns
    assert view.completable
    line.services.planned_calls.call_again(
        line.contact_id, line.campaign_id, not_before=None, by=BY
    )
    assert (
        line.services.campaigns.complete(line.campaign_id, version=view.version) is None
    )
    assert (line.progress(), line.due()) == ({"pending": 1}, 1)
    line.call(**HUMAN)
    assert line.progress() == {"ended": 1}


def test_a_contact_that_waits_is_not_called_again(line: Line) -> None:
    line.call(**BUSY)
    with pytest.raises(WrongState):
        line.services.planned_calls.call_again(
            line.contact_id, line.campaign_id, not_before=None, by=BY
        )


def test_a_member_removes_a_contact_whose_call_was_deferred(line: Line) -> None:
    [call_id] = line.services.claim(line.campaign_id)
    line.contact_id = line.services.load_call(call_id).contact_id
    line.services.calls.defer(call_id, reason=DeferralReason.NOT_NOW, until=NOON)
    line.services.planned_calls.withhold(
        line.contact_id, line.campaign_id, Withheld.REMOVED, by=BY
    )
    assert line.services.topics(call_id) == ["created", "deferred", "canceled"]
    assert (line.progress(), line.due()) == ({"canceled": 1}, 0)
    assert line.contact.status_after(1, ContactStatus.CANCELED) is (
        ContactStatus.CANCELED
    )
