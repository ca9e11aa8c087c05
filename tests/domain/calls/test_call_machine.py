"""The dialer's and the provider's moves in any order never break a call."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from eventsourcing.domain import CanMutateAggregate
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.calls.call import Call
from domain.calls.commands.dialing import MOST_UNKNOWN
from domain.calls.deferrals import DeferralReason
from domain.calls.events.call_event import ContactStatusChanged
from domain.calls.reports import Report, ReportGrade
from domain.errors import AnotherProviderCall, MayNotBeRequested, NotDeferred
from domain.states import LIVE
from domain.values import (
    CallStatus,
    ContactStatus,
    Refusal,
    RefusalKind,
    VaultText,
)
from tests.examples import examples
from tests.support import replayed, state_of

START = datetime(2026, 3, 1, tzinfo=UTC)
REASONS = st.sampled_from([None, "customer-ended-call", "voicemail"])
REFUSALS = st.none() | st.builds(
    Refusal, st.sampled_from(RefusalKind), st.none(), st.just("rule")
)
WORDS = VaultText(words_id=UUID(int=9), digest="d")
MOST_RETRIES = 4
PROVIDER_IDS = st.sampled_from(["p-1", "p-1", "p-1", "p-2"])
COSTS = st.sampled_from([None, Decimal(0), Decimal("0.25")])
SAME = {status: {ContactStatus(status)} for status in CallStatus}
STANDINGS = SAME | {
    CallStatus.QUEUED: {ContactStatus.QUEUED, ContactStatus.PENDING},
    CallStatus.ENDED: {ContactStatus.ENDED, ContactStatus.PENDING},
}
"""What a contact may count as while its latest call has a status."""


class CallMachine(RuleBasedStateMachine):
    call: Call

    @initialize(attempt=st.integers(1, 3), earlier=st.integers(0, MOST_RETRIES))
    def claim(self, attempt: int, earlier: int) -> None:
        self.now = START
        self.log: list[CanMutateAggregate[UUID]] = []
        self.was_over: CallStatus | None = None
        self.bound: str | None = None
        self.call = Call.create(
            campaign_id=UUID(int=1),
            contact_id=UUID(int=2),
            attempt=attempt,
            claim_id=UUID(int=3),
            batch=None,
            at=self.now,
            by="scheduler",
        )
        self.call.platform_refusals = earlier
        self.call = self.after(self.call)

    def after(self, previous: Call) -> Call:
        """Make the contact's next call."""
        return Call.create(
            campaign_id=previous.campaign_id,
            contact_id=previous.contact_id,
            attempt=previous.attempt + 1,
            claim_id=UUID(int=3),
            batch=None,
            at=self.now,
            by="scheduler",
            previous=previous,
        )

    def stamp(self) -> dict[str, Any]:
        self.now += timedelta(seconds=1)
        return {"at": self.now, "by": "someone"}

    def soon(self) -> datetime:
        return self.now + timedelta(seconds=5)

    def some(self, value: bool) -> datetime | None:
        return self.now if value else None

    # --- The dialer's moves ---------------------------------------------------

    @rule()
    def request(self) -> None:
        may = self.call.waiting and not self.call.request_open
        try:
            self.call.request(dial_before=self.soon(), **self.stamp())
        except MayNotBeRequested:
            assert not may
        else:
            assert may
            assert self.call.provider_call_id is None

    @rule()
    def renew(self) -> None:
        open_ = self.call.request_open and not self.call.outcome_unknown
        may = self.call.waiting and open_
        try:
            self.call.renew_request(dial_before=self.soon(), **self.stamp())
        except MayNotBeRequested:
            assert not may
        else:
            assert may

    @rule()
    def defer(self) -> None:
        self.call.defer(
            reason=DeferralReason.NOT_NOW, until=self.soon(), **self.stamp()
        )

    @rule(refusal=REFUSALS.filter(bool))
    def refuse(self, refusal: Refusal) -> None:
        self.call.refuse(refusal, explanation=WORDS, until=self.soon(), **self.stamp())

    @rule()
    def requeue(self) -> None:
        deferred = self.call.deferred
        try:
            self.call.requeue(claim_id=UUID(int=4), batch=1, **self.stamp())
        except NotDeferred:
            assert not deferred
        else:
            assert deferred
            assert self.call.waiting

    @rule()
    def lose_outcome(self) -> None:
        self.call.lose_outcome(reason="reset", **self.stamp())

    @rule()
    def settle_absent(self) -> None:
        self.call.settle_absent(until=self.soon(), **self.stamp())

    @rule()
    def fail(self) -> None:
        self.call.fail(reason="outcome unknown", **self.stamp())

    @rule()
    def cancel(self) -> None:
        requested = self.call.request_open
        live = self.call.live
        self.call.cancel(**self.stamp())
        assert not (requested and live) or self.call.live

    @rule()
    def time_out(self) -> None:
        self.call.time_out(reason="silence", **self.stamp())

    @rule()
    def hang_up(self) -> None:
        self.call.request_hang_up(**self.stamp())

    # --- The provider's moves -------------------------------------------------

    @rule(provider_call_id=PROVIDER_IDS)
    def place(self, provider_call_id: str) -> None:
        bound = self.call.provider_call_id
        fields = {"placed_at": self.now, **self.stamp()}
        try:
            self.call.place(provider_call_id=provider_call_id, **fields)
        except AnotherProviderCall:
            assert bound not in {None, provider_call_id}
            self.call.detect_duplicate(
                provider_call_id=provider_call_id, **self.stamp()
            )
        else:
            assert bound in {None, provider_call_id}

    @rule()
    def ring(self) -> None:
        self.call.ring(ringing_at=self.now, evidence=None, **self.stamp())

    @rule(timed=st.booleans())
    def answer(self, timed: bool) -> None:
        self.call.answer(answered_at=self.some(timed), evidence=None, **self.stamp())

    @rule(
        reason=REASONS,
        timed=st.booleans(),
        refusal=REFUSALS,
        explanation=st.sampled_from([None, WORDS]),
    )
    def end(
        self,
        reason: str | None,
        timed: bool,
        refusal: Refusal | None,
        explanation: VaultText | None,
    ) -> None:
        self.call.end(
            reason=reason,
            ended_at=self.some(timed),
            evidence=None,
            refusal=refusal,
            explanation=explanation,
            **self.stamp(),
        )
        assert self.call.ended
        assert not self.call.live

    @rule(
        grade=st.sampled_from(ReportGrade),
        reason=REASONS,
        parts=st.tuples(st.booleans(), st.booleans()),
        cost=COSTS,
        refusal=REFUSALS,
    )
    def report(
        self,
        grade: ReportGrade,
        reason: str | None,
        parts: tuple[bool, bool],
        cost: Decimal | None,
        refusal: Refusal | None,
    ) -> None:
        before, waiting = self.call.grade, not self.call.settled
        report = Report(
            grade=grade,
            reason=reason,
            started_at=self.some(parts[0]),
            ended_at=self.some(parts[1]),
            duration_seconds=60,
            cost=cost,
        )
        self.call.report(report, evidence=None, refusal=refusal, **self.stamp())
        if waiting:
            assert self.call.grade == max(before, grade)

    @rule()
    def confirm(self) -> None:
        self.call.confirm(provider_status="in-progress", **self.stamp())

    # --- What always holds ----------------------------------------------------

    def past[E](self, kind: type[E]) -> list[E]:
        self.log += self.call.collect_events()
        return [event for event in self.log if isinstance(event, kind)]

    @invariant()
    def the_past_replays_to_the_same_call(self) -> None:
        assert replayed(self.past(CanMutateAggregate)) == state_of(self.call)

    @invariant()
    def each_move_starts_where_the_last_one_stopped(self) -> None:
        moves = self.past(ContactStatusChanged)
        stops = [ContactStatus.PENDING, *(move.standing for move in moves)]
        assert [move.was for move in moves] == stops[:-1]
        assert stops[-1] is self.call.contact_status

    @invariant()
    def the_contact_counts_as_the_call_stands(self) -> None:
        assert self.call.contact_status in STANDINGS[self.call.status]

    @invariant()
    def a_terminal_status_is_final(self) -> None:
        if self.was_over is not None:
            assert self.call.status is self.was_over
        if self.call.status not in LIVE:
            self.was_over = self.call.status

    @invariant()
    def the_first_provider_id_stays(self) -> None:
        assert self.bound in {None, self.call.provider_call_id}
        self.bound = self.call.provider_call_id

    @invariant()
    def a_call_is_unknown_at_most_twice(self) -> None:
        assert len(self.past(Call.OutcomeUnknown)) <= MOST_UNKNOWN

    @invariant()
    def another_attempt_is_told_at_most_once(self) -> None:
        assert sum(end.another_attempt for end in self.past(Call.Ended)) <= 1

    @invariant()
    def only_refusals_of_the_contact_or_too_many_faults_fail_it(self) -> None:
        ends = [(one.refusal, one.standing) for one in self.past(Call.Ended)]
        ends += [(one.refusal, one.standing) for one in self.past(Call.Rejected)]
        for refusal, standing in ends:
            if refusal is not None and standing is ContactStatus.FAILED:
                is_fault = refusal.kind is RefusalKind.PLATFORM
                assert is_fault or refusal.kind is RefusalKind.CONTACT
                assert not is_fault or self.call.platform_refusals >= MOST_RETRIES

    @invariant()
    def a_contact_is_retried_after_faults_at_most_four_times(self) -> None:
        ends = [
            (one.refusal, one.standing, one.earlier_refusals)
            for one in self.past(Call.Ended)
        ]
        ends += [
            (one.refusal, one.standing, one.earlier_refusals)
            for one in self.past(Call.Deferred)
        ]
        for refusal, standing, earlier in ends:
            if refusal is not None and refusal.kind is RefusalKind.PLATFORM:
                assert standing is ContactStatus.FAILED or earlier < MOST_RETRIES

    @invariant()
    def nobody_who_picked_up_is_called_again_because_of_a_refusal(self) -> None:
        answered = [e for e in self.past(Call.Answered) if e.answered_at]
        for event in self.past(Call.Ended):
            earlier = [e.originator_version for e in answered]
            if event.refusal is not None:
                assert not any(v < event.originator_version for v in earlier)

    @invariant()
    def a_report_is_awaited_once_and_settled_once(self) -> None:
        awaited = [end for end in self.past(Call.Ended) if end.awaits_report]
        reports = self.past(Call.Reported)
        settled = [report for report in reports if report.awaited and report.settled]
        assert len(awaited) == self.call.ended
        assert len(settled) == self.call.settled

    @invariant()
    def each_cost_starts_where_the_last_one_stopped(self) -> None:
        reports = self.past(Call.Reported)
        stops = [None, *(report.cost for report in reports)]
        assert [report.cost_was for report in reports] == stops[:-1]
        assert stops[-1] == self.call.cost


TestCallMachine = CallMachine.TestCase
TestCallMachine.settings = examples(
    50,
    stateful_step_count=25,
)
