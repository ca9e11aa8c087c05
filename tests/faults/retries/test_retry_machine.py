"""Any order of passes, reports, crashes, pauses and policy changes, on Postgres.

Schedulers, services and projector are real; the checks are those of the soak, which
judge by the provider's ledger and the stored events. The same rules without I/O are in
`tests/application/contacts/test_planned_calls_machine.py`.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from domain.campaigns.campaign_terms import CallingTerms
from tests.faults.crash_points import SchedulerProcess, Step
from tests.faults.provider_faults import PERFECT
from tests.faults.retries.retry_invariants import check_retries
from tests.faults.retries.retry_scenario import (
    OUTPUT_RULES,
    RetryScenario,
    draw_policy,
    new_retry_scenario,
)
from tests.faults.scenario import virtual_house
from tests.wiring import Services

CAP = 2
SEEDS = st.integers(0, 10_000)
LEADS, PASSES = st.sampled_from([1, 5, 20]), st.sampled_from([1, 30, 240, 1500])
"""Minutes of virtual time."""
RATES = replace(PERFECT, late=0.3, twice=0.3, two_reports=0.3, late_report=0.1)


class Retries(RuleBasedStateMachine):
    """One or two campaigns that call the same two numbers."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services
        self.scenario: RetryScenario | None = None
        self.dies_in: int | None = None

    @initialize(seed=SEEDS, campaigns=st.integers(1, 2))
    def begin(self, seed: int, campaigns: int) -> None:
        random = Random(seed)
        terms = tuple(
            CallingTerms(draw_policy(random), OUTPUT_RULES) for _ in range(campaigns)
        )
        self.scenario = new_retry_scenario(
            self.services,
            seed,
            self.on_step,
            people=2,
            cap=CAP,
            rates=RATES,
            terms=terms,
        )

    def on_step(self, step: Step) -> None:
        """End the process at the step that a rule chose."""
        if self.dies_in is None:
            return
        self.dies_in -= 1
        if self.dies_in < 0:
            self.dies_in = None
            step.process.die()

    # --- Steps ------------------------------------------------------------------------

    @rule(minutes=LEADS, dies_in=st.none() | st.integers(0, 30))
    def a_scheduler_leads(self, minutes: int, dies_in: int | None) -> None:
        scenario = self.running
        self.dies_in = dies_in
        until = self.services.now() + timedelta(minutes=minutes)
        leader = scenario.scheduler()

        def meanwhile(process: SchedulerProcess, seconds: float) -> None:
            scenario._meanwhile(process, seconds)
            if self.services.now() >= until:
                process.wake_up.stop()

        leader.meanwhile = meanwhile
        leader.lead()
        self.dies_in = None

    @rule(minutes=PASSES)
    def nobody_leads(self, minutes: int) -> None:
        self.running._pass(minutes * 60)

    @rule(minutes=PASSES)
    def all_messages_are_late(self, minutes: int) -> None:
        outgoing = self.running.provider._outgoing
        late = timedelta(minutes=minutes)
        outgoing[:] = [(at + late, tries, body) for at, tries, body in outgoing]

    @rule(place=SEEDS)
    def a_message_is_repeated(self, place: int) -> None:
        received = self.running.provider.acknowledged
        if received:
            self.running._deliver(received[place % len(received)])

    @rule()
    def a_member_pauses(self) -> None:
        self.running.pause()

    @rule(seed=SEEDS)
    def a_member_changes_the_policy(self, seed: int) -> None:
        self.running.random = Random(seed)
        self.running._change_policy()

    # --- What must hold ---------------------------------------------------------------

    @property
    def running(self) -> RetryScenario:
        assert self.scenario is not None
        return self.scenario

    @invariant()
    def the_counters_equal_a_recount(self) -> None:
        if self.scenario is not None:
            self.running._check_counts()
            assert self.running.problems == []
            assert self.running.recount.problems == []

    def teardown(self) -> None:
        """Every contact reaches an end, and no limit was broken on the way."""
        if self.scenario is None:
            return
        self.dies_in = None
        self.running.run()
        assert check_retries(self.running, CAP).violations == ()


@pytest.fixture
def services(database: str) -> Iterator[Services]:
    with virtual_house(database) as services:
        yield services


def test_no_order_of_events_breaks_a_limit_of_the_policy(services: Services) -> None:
    run_state_machine_as_test(
        lambda: Retries(services),  # type: ignore[arg-type]  # only called
        settings=settings(max_examples=3, stateful_step_count=10, deadline=None),
    )
