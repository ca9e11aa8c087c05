"""One fault at one step of the calling protocol, for each step in turn."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from application.ports import CallOrder, NotNow, Outcome
from domain.calls.deferrals import DeferralReason
from domain.dial_view import Snapshot
from domain.values import CampaignState, DialMode, PauseCause
from projections.engine.verify import verify
from tests.faults.crash_points import Step
from tests.faults.invariants import check_invariants
from tests.faults.provider_faults import PERFECT, Rates
from tests.faults.scenario import (
    FaultAtStep,
    RandomFaults,
    Scenario,
    new_scenario,
    virtual_house,
)
from tests.faults.virtual_call import VirtualCall
from tests.faults.virtual_provider import VirtualProvider
from tests.wiring import BY, Services

CAP = 2
BOTH = (False, True)
REQUESTED, SENT, CLAIMED = "call.requested", "POST /call", "dispatcher.calls_claimed"
PROTOCOL = (CLAIMED, REQUESTED, SENT, "call.placed", "campaign.completed")
SCHEDULER_STEPS = [
    ("planning snapshot", True),
    *((name, done) for name in PROTOCOL for done in BOTH),
]
WEBHOOK_STEPS = ("call.ringing", "call.answered", "call.ended", "call.reported")
LOST = replace(PERFECT, error_before=0.25, error_after=0.25, reads=0.1, list_lag=12.0)


@pytest.fixture(scope="module")
def services(shared_database: str) -> Iterator[Services]:
    with virtual_house(shared_database) as services:
        yield services


def run_and_check(scenario: Scenario, cap: int = CAP) -> Scenario:
    scenario.run()
    findings = check_invariants(scenario, cap)
    assert findings.violations == (), scenario.trace.happened
    return scenario


@pytest.mark.parametrize("kind", ["dies", "freezes", "is paused"])
@pytest.mark.parametrize(("name", "done"), SCHEDULER_STEPS)
def test_one_scheduler_fault_or_pause_at_any_step_leaves_everybody_called_once(
    services: Services, name: str, done: bool, kind: str
) -> None:
    on_step = FaultAtStep(kind, name, done)
    scenario = run_and_check(new_scenario(services, 1, on_step, people=3, cap=CAP))
    assert on_step.happened
    row = services.board(scenario.campaign_id)
    never = check_invariants(scenario, CAP).never_called
    assert (row.ended, never) == (3, 0), "one fault leaves no contact uncalled"


@pytest.mark.parametrize("kind", ["dies", "loses the store"])
@pytest.mark.parametrize("name", WEBHOOK_STEPS)
@pytest.mark.parametrize("done", BOTH)
def test_an_api_fault_at_any_step_of_a_webhook_loses_nothing(
    services: Services, name: str, done: bool, kind: str
) -> None:
    on_step = FaultAtStep(kind, name, done, role="api")
    run_and_check(new_scenario(services, 2, on_step, people=3, cap=CAP))
    assert on_step.happened


@pytest.mark.parametrize("name", [CLAIMED, REQUESTED, "call.placed"])
@pytest.mark.parametrize("done", BOTH)
def test_a_failed_or_unacknowledged_commit_breaks_no_invariant(
    services: Services, name: str, done: bool
) -> None:
    on_step = FaultAtStep("loses the store", name, done)
    run_and_check(new_scenario(services, 3, on_step, people=3, cap=CAP))
    assert on_step.happened


@pytest.mark.parametrize("name", [CLAIMED, REQUESTED, SENT])
@pytest.mark.parametrize("done", BOTH)
def test_nobody_is_called_after_a_cancel_between_two_steps(
    services: Services, name: str, done: bool
) -> None:
    """I12, except that a call permitted before the cancel is still made."""
    on_step = FaultAtStep("is canceled", name, done)
    scenario = run_and_check(new_scenario(services, 4, on_step, people=4, cap=1))
    assert services.board(scenario.campaign_id).state is CampaignState.CANCELED
    too_late = name == SENT or (name == REQUESTED and done)
    assert len(scenario.provider.made_calls) == int(too_late)


def test_a_plan_older_than_another_schedulers_claims_claims_nothing(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planning scheduler is frozen; meanwhile another one takes all slots.

    The planned contact is still waiting, so only the fence prevents the claim.
    """
    scenario = new_scenario(services, 6, people=2, cap=1)
    provider = scenario.provider
    real, made = provider._answer_order, provider._make_call

    def refuse(order: CallOrder) -> Outcome:
        chosen = order.contact_id == provider.orders[0].contact_id
        refused = not scenario.trace.happened or (scenario.frozen and chosen)
        return NotNow("429") if refused else real(order)

    def long(order: CallOrder, at: datetime) -> VirtualCall:
        call = made(order, at)
        call.ended_at = call.reported_at = at + timedelta(minutes=1)
        # There is one call at a time; reschedule its messages.
        provider._outgoing.clear()
        provider._schedule_messages(call)
        return call

    def freeze(step: Step) -> None:
        waits = services.read_snapshot(services.now(), 1).campaigns[0].candidates
        chosen = bool(waits and waits[0].call_id) and not scenario.trace.happened
        if step.name == "planning snapshot" and chosen:
            scenario.trace.happened["frozen"] += 1
            scenario.take_over(20)

    monkeypatch.setattr(provider, "_answer_order", refuse)
    monkeypatch.setattr(provider, "_make_call", long)
    scenario.on_step = freeze
    run_and_check(scenario, cap=1)
    assert scenario.trace.happened


def test_a_thawed_scheduler_does_not_repeat_another_schedulers_request(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other request's answer was lost, so its outcome is still unknown."""
    scenario = _unanswered(services, 10, monkeypatch)

    def freeze(step: Step) -> None:
        if str(step) == f"before {REQUESTED}" and not scenario.trace.happened:
            scenario.trace.happened["frozen"] += 1
            scenario.take_over(8)

    scenario.on_step = freeze
    run_and_check(scenario, cap=1)
    assert scenario.trace.happened


def test_an_outdated_snapshot_does_not_free_a_claim_that_was_requested(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new leader's snapshot may be older than the last leader's request."""
    scenario = _unanswered(services, 11, monkeypatch)
    snapshots: list[Snapshot] = []

    def take_over(step: Step) -> None:
        if str(step) == f"before {REQUESTED}" and not snapshots:
            snapshots.append(services.snapshot())
        elif str(step) == f"after {SENT}" and not scenario.trace.happened:
            scenario.trace.happened["taken over"] += 1
            adoption = scenario.scheduler()._scheduler._deps.adoption
            adoption._free_idle_claims(snapshots[0])

    scenario.on_step = take_over
    run_and_check(scenario, cap=1)
    assert scenario.trace.happened


def test_a_late_outcome_of_the_first_request_does_not_settle_the_second(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler that sent the first request was frozen before the answer."""
    scenario = _unanswered(services, 12, monkeypatch)
    provider, real = scenario.provider, scenario.provider._answer_order

    def refuse(order: CallOrder) -> Outcome:
        return NotNow("429") if order.request == 1 else real(order)

    def thaw(step: Step) -> None:
        late = provider.orders and provider.orders[-1].request == 2
        if str(step) == f"after {SENT}" and late and not scenario.trace.happened:
            scenario.trace.happened["thawed"] += 1
            call_id = provider.orders[0].call_id
            services.calls.defer(
                call_id, reason=DeferralReason.NOT_NOW, until=services.now(), request=1
            )

    monkeypatch.setattr(provider, "_answer_order", refuse)
    scenario.on_step = thaw
    run_and_check(scenario, cap=1)
    assert scenario.trace.happened


def test_a_call_listed_within_the_quarantine_is_not_requested_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = _unanswered(services, 13, monkeypatch, hidden_seconds=35)
    run_and_check(scenario, cap=1)
    [call] = services.call_rows(scenario.campaign_id)
    assert call.requests == 1


def _unanswered(
    services: Services,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
    hidden_seconds: float = 12,
) -> Scenario:
    """Return one contact whose call is listed late and known in no other way."""
    rates = replace(PERFECT, error_after=1.0, lost=1.0)
    scenario = new_scenario(services, seed, people=1, cap=1, rates=rates)
    made = scenario.provider._make_call

    def hidden(order: CallOrder, at: datetime) -> VirtualCall:
        call = made(order, at)
        call.listed_at = at + timedelta(seconds=hidden_seconds)
        return call

    monkeypatch.setattr(scenario.provider, "_make_call", hidden)
    return scenario


@pytest.mark.parametrize("name", ["call.outcome_unknown", "call.deferred"])
@pytest.mark.parametrize("kind", ["dies", "freezes"])
@pytest.mark.parametrize("done", BOTH)
def test_an_unknown_outcome_is_settled_despite_a_scheduler_fault(
    services: Services, name: str, done: bool, kind: str
) -> None:
    on_step = FaultAtStep(kind, name, done)
    rates = replace(PERFECT, error_before=1.0)
    scenario = run_and_check(
        new_scenario(services, 5, on_step, people=2, cap=CAP, rates=rates)
    )
    assert on_step.happened
    calls = services.call_rows(scenario.campaign_id)
    assert {(call.requests, call.failure) for call in calls} == {(2, "outcome unknown")}


@pytest.mark.parametrize("seed", range(3))
def test_random_faults_break_no_invariant(services: Services, seed: int) -> None:
    random = Random(seed)
    on_step = RandomFaults(random, mean=6)
    mode = random.choice(list(DialMode))
    scenario = new_scenario(
        services, seed, on_step, people=4, cap=CAP, rates=Rates(), mode=mode
    )
    scenario.pause_rate = 0.05
    run_and_check(scenario)
    assert sum(scenario.trace.happened.values()) >= 1


def test_every_outcome_is_known_without_any_webhook(services: Services) -> None:
    scenario = new_scenario(
        services, 7, people=5, cap=CAP, rates=replace(LOST, lost=1.0)
    )
    run_and_check(scenario)
    assert scenario.provider.acknowledged == []


def test_a_provider_outage_longer_than_the_silence_timeout_causes_no_second_call(
    services: Services,
) -> None:
    """Calls that end during the outage are not considered lost."""
    scenario = new_scenario(
        services, 8, people=5, cap=CAP, rates=replace(LOST, lost=1.0)
    )
    provider = scenario.provider

    scenario.run_until_called(2)
    provider.down = True
    scenario.take_over(400)
    assert len(provider.made_calls) == 2
    provider.down = False
    run_and_check(scenario)


def test_a_duplicate_from_a_list_that_lags_beyond_the_quarantine_is_detected(
    services: Services,
) -> None:
    """Two calls for one contact are possible then; the newer one is hung up."""
    scenario = new_scenario(
        services, 9, people=1, cap=1, rates=replace(PERFECT, lost=1.0)
    )
    provider: VirtualProvider = scenario.provider
    provider.rates = replace(provider.rates, error_after=1.0, list_lag=0.0)
    hidden = timedelta(seconds=300)
    made = provider._make_call

    def lagging(order: object, at: object) -> object:
        call = made(order, at)  # type: ignore[arg-type]  # passed on unchanged
        first = len(provider.made_calls) == 1
        call.listed_at = call.created_at + (hidden if first else timedelta(0))
        call.ended_at = call.created_at + timedelta(hours=1)
        return call

    provider._make_call = lagging  # type: ignore[assignment,method-assign]  # a slower list
    scenario._ends_at = services.now() + timedelta(minutes=30)
    leader = scenario.scheduler()
    leader.meanwhile = lambda process, seconds: _watch(scenario, leader, seconds)
    leader.lead()
    campaign = services.load_campaign(scenario.campaign_id)
    assert campaign.pause_cause is PauseCause.DUPLICATE_DETECTED
    [call] = services.call_rows(scenario.campaign_id)
    assert "duplicate_detected" in services.topics(call.id)
    newest = max(provider.made_calls.values(), key=lambda call: call.created_at)
    assert provider.hang_ups, "one of the two calls is hung up"
    assert set(provider.hang_ups) == {newest.id}
    _clear(services)


def _watch(scenario: Scenario, leader: object, seconds: float) -> None:
    scenario._pass(max(seconds, 0.2))
    scenario.services.settle()
    campaign = scenario.services.load_campaign(scenario.campaign_id)
    assert not scenario.over, "the campaign is not over while a call is live"
    if campaign.state is CampaignState.PAUSED and scenario.provider.hang_ups:
        leader.wake_up.stop()  # type: ignore[attr-defined]  # a SchedulerProcess


def _clear(services: Services) -> None:
    services.settings.allow_requests_again(by=BY)
    services.settle()


def test_the_log_and_the_read_tables_verify_after_all_scenarios(
    services: Services,
) -> None:
    """I7: each row equals the one that is rebuilt from the log."""
    services.settle()
    problems: list[object] = []
    verify(services.url, now=services.now, on_problem=problems.append)
    assert problems == []
