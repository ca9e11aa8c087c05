"""Any sequence of outcomes, late reports, opt-outs, policy changes and crashes.

The services run on event streams in memory. A small model, written apart from
`domain.planning.retries`, says how often and when a contact
may have been called at most.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from application.calls.call_unit_of_work import CallUnitOfWork, StartedCampaigns
from application.calls.contact_planning import TermsCache
from application.contacts.planned_calls import PlannedCallService
from application.event_context import EventContext
from domain.calls.call import Call
from domain.calls.reports import OutcomeBasis, OutcomeFinding, Report, ReportGrade
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy, RetryRule
from domain.contacts.contact import Contact
from domain.contacts.contact_history import NO_HISTORY, PlanKind
from domain.outcomes import CallOutcome, Disposition, DispositionSource, ReportedOutcome
from domain.planning.contact_status import status_of
from domain.values import ContactStatus, DialMode, PauseCause, call_id_of
from tests.application.memory_streams import Crash, MemoryStreams, NoContacts
from tests.examples import examples

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
BY, DAY = "the test", timedelta(days=1)
RETRIED = (CallOutcome.BUSY, CallOutcome.NO_ANSWER)
ONCE_AGAIN = (CallOutcome.VOICEMAIL,)
OUTCOMES = (*RETRIED, *RETRIED, *ONCE_AGAIN, CallOutcome.HUMAN)
GAP, LATER_GAP = timedelta(minutes=10), timedelta(hours=2)


@dataclass
class Made:
    """One call that was placed: when, until when, and whether the contact asked."""

    at: datetime
    ended_at: datetime
    callback: bool
    budget: int
    per_day: int
    gap: timedelta


def policies() -> st.SearchStrategy[RetryPolicy]:
    def policy(attempts: int, per_day: int, gap: timedelta) -> RetryPolicy:
        minutes = int(gap.total_seconds() // 60)
        rules = (
            RetryRule(RETRIED, attempts, (minutes,)),
            RetryRule(ONCE_AGAIN, 1, (minutes,)),
        )
        return RetryPolicy(attempts, per_day, 1, 60, rules)

    gaps = st.sampled_from([GAP, LATER_GAP])
    return st.builds(policy, st.integers(1, 4), st.integers(1, 3), gaps)


class PlannedCalls(RuleBasedStateMachine):
    """One contact of one campaign, which is called whenever that is allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.ids = START, count(1)
        self.app = MemoryStreams()
        context = EventContext(
            now=lambda: self.now,
            new_id=uuid4,
            random_bytes=bytes,
            provider_actor="provider",
        )
        self.unit = CallUnitOfWork(
            self.app, context, StartedCampaigns(), TermsCache(), NoContacts()
        )
        self.service = PlannedCallService(self.app, context)
        self.campaign_id, self.contact_id = uuid4(), uuid4()
        self.made: list[Made] = []
        self.opted_out = self.concluded = False
        policy = RetryPolicy(3, 3, 1, 60, (RetryRule(RETRIED, 3, (10,)),))
        campaign = Campaign.create(
            campaign_id=self.campaign_id,
            name="Spring",
            assistant_id=uuid4(),
            provider_assistant_id="a",
            phone_number_id="n",
            cap=1,
            mode=DialMode.CONTINUOUS,
            line_quiet_gating=False,
            budget=None,
            longest_call_seconds=600,
            terms=CallingTerms(policy),
            at=self.now,
            by=BY,
        )
        campaign.start(at=self.now, by=BY)
        self.app.append(campaign)

    # --- What there is --------------------------------------------------------------

    @property
    def campaign(self) -> Campaign:
        return self.app.load(Campaign, self.campaign_id)

    @property
    def contact(self) -> Contact:
        found = self.app.find(Contact, self.contact_id)
        return found or Contact.unrecorded(self.contact_id, self.campaign_id, self.now)

    @property
    def latest(self) -> Call | None:
        latest = None
        for attempt in count(1):
            found = self.app.find(Call, call_id_of(self.contact_id, attempt))
            if found is None:
                return latest
            latest = found
        return latest

    @property
    def status(self) -> ContactStatus:
        return status_of(self.contact, self.latest)

    def terms(self) -> RetryPolicy:
        return self.campaign.terms.policy

    # --- Steps ----------------------------------------------------------------------

    @rule(minutes=st.sampled_from([1, 15, 60, 600, 1_500]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: self.status is ContactStatus.PENDING)
    @rule(waits=st.booleans())
    def a_due_contact_is_called(self, *, waits: bool = False) -> None:
        """Claim, request and place, as the scheduler does from its snapshot."""
        contact, latest = self.contact, self.latest
        plan = contact.plan_after(latest.attempt if latest else 0)
        if latest is not None and plan is None:
            return
        if waits and plan is not None:
            self.now = max(self.now, plan.due_at)
        if plan is not None:
            if plan.due_at > self.now or not contact.may_be_called:
                return
            stale = plan.terms_version != self.campaign.terms_version
            late = plan.expires_at is not None and plan.expires_at <= self.now
            if late or (stale and plan.kind is PlanKind.RETRY):
                self.service.review(self.campaign_id, [self.contact_id])
                return
        call = Call.create(
            campaign_id=self.campaign_id,
            contact_id=self.contact_id,
            attempt=plan.attempt if plan else 1,
            claim_id=uuid4(),
            batch=None,
            at=self.now,
            by=BY,
            terms_version=self.campaign.terms_version,
            history=plan.history if plan else NO_HISTORY,
            plan=plan.kind if plan else None,
        )
        call.request(dial_before=self.now, at=self.now, by=BY)
        call.place(
            provider_call_id=str(call.id), placed_at=self.now, at=self.now, by=BY
        )
        expect = {contact.id: contact.version}
        self.app.append(call, expect=expect)
        policy = self.terms()
        gap = timedelta(minutes=policy.rules[0].gaps_minutes[0])
        callback = plan is not None and plan.kind is PlanKind.CALLBACK
        made = Made(self.now, self.now, callback, policy.attempts, policy.per_day, gap)
        assert not self.opted_out, "called after an opt-out"
        assert callback or not self.concluded, "retried after a conclusion"
        self.made.append(made)

    @precondition(lambda self: self.latest is not None and self.latest.live)
    @rule(
        outcome=st.sampled_from(OUTCOMES),
        callback=st.sampled_from([None, None, 5, 300]),
        crash=st.booleans(),
    )
    def the_call_ends(
        self, outcome: CallOutcome, callback: int | None, *, crash: bool
    ) -> None:
        """Its settled report arrives; if the process dies, it is delivered again."""
        call = self.latest
        assert call is not None
        if callback is not None:
            self.tool(call.id, callback)
        report = self.report(outcome)
        if crash:
            self.app.dies = True
            try:
                self.unit.run(call.id, report)
            except Crash:
                self.app.dies = False
        self.unit.run(call.id, report)
        self.unit.run(call.id, report)
        self.made[-1].ended_at = self.now
        if outcome is CallOutcome.HUMAN and callback is None:
            self.concluded = True

    def tool(self, call_id: UUID, minutes: int) -> None:
        due_at = self.now + timedelta(minutes=minutes)

        def command(call: Call, at: datetime) -> None:
            source = DispositionSource.TOOL
            call.request_callback(
                due_at=due_at, time_zone="UTC", source=source, at=at, by=BY
            )

        self.unit.run(call_id, command)

    def report(self, outcome: CallOutcome) -> Any:
        found = OutcomeFinding(ReportedOutcome(outcome, "rule"), OutcomeBasis(1))
        settled = Report(
            grade=ReportGrade.DELIVERED,
            reason="reason",
            cost=Decimal(1),
            ended_at=self.now,
            outcome=found,
        )

        def command(call: Call, at: datetime) -> None:
            call.report(settled, at=at, by=BY, evidence=None)

        return command

    @precondition(lambda self: any(True for _ in self.made))
    @rule(
        disposition=st.sampled_from(
            [Disposition.OPTED_OUT, Disposition.GOAL_REACHED, Disposition.OTHER]
        ),
        number=st.integers(0, 5),
    )
    def a_late_report_names_a_disposition(
        self, disposition: Disposition, number: int
    ) -> None:
        attempt = number % len(self.made) + 1
        call = self.app.load(Call, call_id_of(self.contact_id, attempt))
        if call.live:
            return

        def command(call: Call, at: datetime) -> None:
            source = DispositionSource.TOOL
            call.set_disposition(disposition, source, at=at, by=BY)

        self.unit.run(call.id, command)
        self.opted_out |= disposition is Disposition.OPTED_OUT

    @rule(policy=policies())
    def a_member_changes_the_policy(self, policy: RetryPolicy) -> None:
        campaign = self.campaign
        campaign.change(
            name=campaign.name,
            cap=campaign.cap,
            line_quiet_gating=campaign.line_quiet_gating,
            budget=None,
            terms=replace(campaign.terms, retry_policy=policy),
            at=self.now,
            by=BY,
        )
        self.app.append(campaign)

    @rule()
    def a_member_pauses_and_resumes(self) -> None:
        campaign, before = self.campaign, self.contact.planned
        campaign.pause(cause=PauseCause.PERSON, at=self.now, by=BY)
        campaign.resume(at=self.now, by=BY)
        self.app.append(campaign)
        assert self.contact.planned == before

    # --- What must hold -------------------------------------------------------------

    @invariant()
    def no_more_calls_than_the_budget(self) -> None:
        retries = [made for made in self.made if not made.callback]
        for number, made in enumerate(retries, 1):
            assert number == 1 or number <= made.budget
        assert sum(made.callback for made in self.made) <= 2

    @invariant()
    def the_gaps_and_the_calls_per_day_are_kept(self) -> None:
        for number, made in enumerate(self.made[1:], 1):
            if made.callback:
                continue
            before = self.made[:number]
            recent = [each for each in before if each.at > made.at - DAY]
            assert len(recent) < made.per_day
            assert made.at >= before[-1].at + min(made.gap, GAP)

    @invariant()
    def a_contact_waits_or_is_finished(self) -> None:
        latest = self.latest
        if latest is None or latest.live:
            return
        waits = self.contact.plan_after(latest.attempt) is not None
        assert waits == (self.status is ContactStatus.PENDING)
        assert not (waits and self.opted_out)

    def teardown(self) -> None:
        """Enough time and short calls bring the contact to an end in every case."""
        for _ in range(40):
            latest = self.latest
            if latest is not None and latest.live:
                self.unit.run(latest.id, self.report(CallOutcome.BUSY))
            elif latest is not None and self.status is not ContactStatus.PENDING:
                return
            self.now += DAY
            self.a_due_contact_is_called()
        assert self.status is not ContactStatus.PENDING


TestPlannedCalls = PlannedCalls.TestCase
TestPlannedCalls.settings = examples(30, stateful_step_count=40)
