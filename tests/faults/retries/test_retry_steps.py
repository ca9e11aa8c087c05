"""Faults at each step between the report that plans a retry and the next call."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import pytest

from domain.campaigns.campaign_terms import CallingTerms
from domain.contacts.contact_events import FinishReason
from projections.engine.verify import verify
from tests.faults.crash_points import SchedulerProcess, Step
from tests.faults.provider_faults import PERFECT, Rates
from tests.faults.retries.conversations import Course, CourseRates, always
from tests.faults.retries.retry_invariants import check_retries
from tests.faults.retries.retry_scenario import (
    OUTPUT_RULES,
    PLAIN,
    RetryScenario,
    draw_policy,
    new_retry_scenario,
)
from tests.faults.scenario import FaultAtStep, RandomFaults, virtual_house
from tests.wiring import BY, Services

CAP = 2
BOTH = (False, True)
LOST = replace(PERFECT, lost=1.0)
CALLING = ("dispatcher.calls_claimed", "call.requested", "POST /call", "call.placed")
STEPS_UNTIL_CALLED = [
    ("planning snapshot", True),
    *((name, done) for name in CALLING for done in BOTH),
]
BUSY_ONCE = always(Course.BUSY, Course.TALK)
CALLED_BACK = always(Course.CALLBACK, Course.TALK)


@pytest.fixture(scope="module")
def services(shared_database: str) -> Iterator[Services]:
    with virtual_house(shared_database) as services:
        yield services


def check(scenario: RetryScenario) -> None:
    findings = check_retries(scenario, CAP)
    assert findings.violations == (), scenario.trace.happened


def calls_by_phone(scenario: RetryScenario) -> list[int]:
    made = scenario.provider.made_calls.values()
    return sorted(Counter(call.order.phone for call in made).values())


@dataclass
class FaultAfterPlan(FaultAtStep):
    """Applies its fault only once a further call is planned."""

    def __call__(self, step: Step) -> None:
        if self.scenario is not None and planned(self.scenario):
            super().__call__(step)


def planned(scenario: object) -> list[datetime]:
    """Return the due times of all calls that were planned in the scenario."""
    assert isinstance(scenario, RetryScenario)
    query = (
        "select convert_from(state, 'utf8')::jsonb ->> 'due_at' from autolynx_events"
        " where topic = 'contact.call_planned'"
        " and convert_from(state, 'utf8')::jsonb ->> 'campaign_id' = %s"
    )
    with scenario.services.reading.connection() as conn:
        rows = conn.execute(query, (str(scenario.campaign_id),)).fetchall()
    return [datetime.fromisoformat(row[0]) for row in rows]


# --- From the settled report to the next call -----------------------------------------


@pytest.mark.parametrize("courses", [BUSY_ONCE, CALLED_BACK])
@pytest.mark.parametrize("kind", ["dies", "loses the store"])
@pytest.mark.parametrize("done", BOTH)
def test_an_api_fault_at_the_report_that_plans_a_call_leads_to_one_more_call(
    services: Services, done: bool, kind: str, courses: CourseRates
) -> None:
    on_step = FaultAtStep(kind, "call.reported", done, role="api")
    scenario = new_retry_scenario(services, 1, on_step, people=1, courses=courses)
    scenario.run()
    assert on_step.happened
    check(scenario)
    assert calls_by_phone(scenario) == [2]


@pytest.mark.parametrize("kind", ["dies", "freezes"])
@pytest.mark.parametrize("done", BOTH)
def test_a_scheduler_fault_at_the_report_that_plans_a_retry_leads_to_one_more_call(
    services: Services, done: bool, kind: str
) -> None:
    """All webhooks are lost, so the scheduler asks for the report."""
    on_step = FaultAtStep(kind, "call.reported", done)
    scenario = new_retry_scenario(
        services, 2, on_step, people=1, courses=BUSY_ONCE, rates=LOST
    )
    scenario.run()
    assert on_step.happened
    check(scenario)
    assert calls_by_phone(scenario) == [2]


@pytest.mark.parametrize("kind", ["dies", "freezes", "is paused"])
@pytest.mark.parametrize(("name", "done"), STEPS_UNTIL_CALLED)
def test_a_fault_between_the_plan_and_the_retry_leads_to_one_more_call(
    services: Services, name: str, done: bool, kind: str
) -> None:
    on_step = FaultAfterPlan(kind, name, done)
    scenario = new_retry_scenario(services, 3, on_step, people=1, courses=BUSY_ONCE)
    scenario.run()
    assert on_step.happened
    check(scenario)
    assert calls_by_phone(scenario) == [2]


@pytest.mark.parametrize("courses", [BUSY_ONCE, CALLED_BACK])
def test_a_scheduler_that_takes_over_before_the_due_time_makes_the_planned_call(
    services: Services, courses: CourseRates
) -> None:
    scenario = new_retry_scenario(services, 4, people=1, courses=courses)
    lead_until(scenario, lambda: bool(planned(scenario)))
    [due] = planned(scenario)
    assert services.now() < due
    scenario.run()
    check(scenario)
    assert calls_by_phone(scenario) == [2]


def lead_until(scenario: RetryScenario, condition: Callable[[], bool]) -> None:
    """Run one scheduler, which ends once the condition holds."""
    leader = scenario.scheduler()

    def meanwhile(process: SchedulerProcess, seconds: float) -> None:
        scenario._pass(max(seconds, 0.2))
        scenario.services.settle()
        if condition():
            process.wake_up.stop()

    leader.meanwhile = meanwhile
    leader.lead()


# --- Callbacks and pauses -------------------------------------------------------------


def paused_over_a_callback(
    services: Services, seed: int, late: timedelta
) -> RetryScenario:
    """Pause before a callback is due; let a scheduler run until it is that late."""
    scenario = new_retry_scenario(services, seed, people=1, courses=CALLED_BACK)
    lead_until(scenario, lambda: bool(planned(scenario)))
    services.campaigns.pause(scenario.campaign_id, by=BY)
    [due] = planned(scenario)
    scenario._pass((due + late - services.now()).total_seconds() - 60)
    lead_until(scenario, lambda: services.now() > due + late)
    [view] = [
        one for one in services.snapshot().campaigns if one.id == scenario.campaign_id
    ]
    assert view.late_callbacks == 1
    assert calls_by_phone(scenario) == [1]
    services.campaigns.resume(scenario.campaign_id, by=BY)
    scenario.run()
    return scenario


def test_a_callback_due_in_a_pause_is_shown_as_late_and_made_after_it(
    services: Services,
) -> None:
    scenario = paused_over_a_callback(services, 5, timedelta(hours=2))
    check(scenario)
    assert calls_by_phone(scenario) == [2]


def test_a_callback_due_in_a_pause_is_not_made_a_day_later(services: Services) -> None:
    scenario = paused_over_a_callback(services, 6, timedelta(hours=25))
    check(scenario)
    assert calls_by_phone(scenario) == [1]
    [contact] = scenario.recount.statuses[scenario.campaign_id]
    stored = services.topics(contact)
    assert stored == ["call_planned", "finished"]
    assert FinishReason.CALLBACK_MISSED in finish_reasons(services, scenario)


def finish_reasons(services: Services, scenario: RetryScenario) -> set[str]:
    query = (
        "select convert_from(state, 'utf8')::jsonb ->> 'reason' from autolynx_events"
        " where topic = 'contact.finished'"
        " and convert_from(state, 'utf8')::jsonb ->> 'campaign_id' = %s"
    )
    with services.reading.connection() as conn:
        rows = conn.execute(query, (str(scenario.campaign_id),)).fetchall()
    return {row[0] for row in rows}


# --- Opt-outs -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dies", "loses the store"])
@pytest.mark.parametrize("done", BOTH)
def test_nobody_is_called_after_an_opt_out_whose_answer_was_lost(
    services: Services, done: bool, kind: str
) -> None:
    """The assistant's tool call is sent again. The number is in two campaigns."""
    terms = CallingTerms(PLAIN, OUTPUT_RULES)
    on_step = FaultAtStep(kind, "call.message_received", done, role="api")
    scenario = new_retry_scenario(
        services,
        7,
        on_step,
        people=1,
        cap=1,
        courses=always(Course.OPT_OUT),
        terms=(terms, terms),
    )
    scenario.run()
    check(scenario)
    assert [one.name for one in scenario.answered][:1] == ["record_opt_out"]
    assert on_step.happened


# --- Random faults --------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_random_faults_break_no_limit_of_a_policy(
    services: Services, seed: int
) -> None:
    random = Random(seed)
    on_step = RandomFaults(random, mean=8)
    terms = tuple(
        CallingTerms(draw_policy(random), OUTPUT_RULES) for _ in ".."[seed % 2 :]
    )
    scenario = new_retry_scenario(
        services, seed, on_step, people=3, cap=CAP, rates=Rates(), terms=terms
    )
    scenario.pause_rate, scenario.change_rate = 0.03, 0.03
    scenario.run()
    check(scenario)
    assert sum(scenario.trace.happened.values()) >= 1


def test_the_log_and_the_read_tables_verify_after_all_campaigns(
    services: Services,
) -> None:
    """I7: each row equals the one that is rebuilt from the log."""
    services.settle()
    problems: list[object] = []
    verify(services.url, now=services.now, on_problem=problems.append)
    assert problems == []
