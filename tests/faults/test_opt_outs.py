"""Nobody is called after an acknowledged opt-out, whenever a process dies."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from domain.numbers.number import number_id_of
from domain.states import FINISHED
from projections.contacts import contact_log
from tests.faults.crash_points import Step
from tests.faults.invariants import check_invariants
from tests.faults.scenario import Scenario, apply_fault, new_scenario, virtual_house
from tests.wiring import BY, Services

CAP = 2
BOTH = (False, True)
CLAIMED, REQUESTED, PLACED = (
    "dispatcher.calls_claimed",
    "call.requested",
    "call.placed",
)
STEPS = [
    ("planning snapshot", True),
    *((name, done) for name in (CLAIMED, REQUESTED, "POST /call") for done in BOTH),
    *((PLACED, done) for done in BOTH),
]
AFTERWARDS = [
    *(("contact.withheld", done) for done in BOTH),
    *(("call.canceled", done) for done in BOTH),
]


@pytest.fixture(scope="module")
def services(shared_database: str) -> Iterator[Services]:
    with virtual_house(shared_database) as services:
        yield services


@dataclass
class OptOuts:
    """Everybody opts out when a scheduler first reaches a step.

    The scheduler has the fault at that step or, with `fault_at`, at that later one.
    """

    kind: str
    at: tuple[str, bool]
    fault_at: tuple[str, bool] | None = None
    scenario: Scenario | None = None
    acknowledged: bool = False
    faulty: bool = False
    numbers: list[str] = field(default_factory=list)

    def __call__(self, step: Step) -> None:
        scenario = self.scenario
        if scenario is None or step.process.role != "scheduler":
            return
        here = (step.name, step.done)
        if here == self.at and not self.acknowledged:
            self.acknowledged = True
            self._opt_out(scenario)
            if self.fault_at is None:
                self._fail(step, scenario)
        elif here == self.fault_at and self.acknowledged and not self.faulty:
            self._fail(step, scenario)

    def _fail(self, step: Step, scenario: Scenario) -> None:
        self.faulty = True
        apply_fault(self.kind, step, scenario, scenario.random)

    def _opt_out(self, scenario: Scenario) -> None:
        """Deliver a tool call of an unknown call for each number of the campaign."""
        services = scenario.services
        with services.reading.connection() as conn:
            rows = contact_log.page(conn, scenario.campaign_id, first=100).nodes
        self.numbers = [row.phone for row in rows]
        for number in self.numbers:
            function = {"name": "record_opt_out", "arguments": {}}
            call = {"id": str(uuid4()), "customer": {"number": number}}
            listed = [{"id": "call_1", "function": function}]
            message = {"type": "tool-calls", "call": call, "toolCallList": listed}
            assert scenario._api.receive({"message": message}), "acknowledged with 200"


def run(services: Services, on_step: OptOuts, seed: int) -> Scenario:
    scenario = new_scenario(services, seed, on_step, people=3, cap=CAP)
    scenario.run()
    _clear(services, scenario, on_step)
    assert on_step.acknowledged
    assert check_invariants(scenario, CAP).violations == (), scenario.trace.happened
    assert services.board(scenario.campaign_id).state in FINISHED
    return scenario


def _clear(services: Services, scenario: Scenario, on_step: OptOuts) -> None:
    """Check that no request follows the opt-outs; lift them for the next test."""
    assert_no_request_after_the_opt_out(services, scenario, on_step.numbers)
    for number in on_step.numbers:
        number_id = services.numbers.id_of(number)
        services.numbers.lift(number_id, reason="the test is over", by=BY)
    services.settle()


def assert_no_request_after_the_opt_out(
    services: Services, scenario: Scenario, numbers: list[str]
) -> None:
    """Compare the positions of the events in the log."""
    topics = [REQUESTED, "number.suppressed"]
    log = services.app.recorder.select_notifications(1, 100_000, topics=topics)
    last = {stored.originator_id: stored.id for stored in log}
    assert {services.numbers.id_of(number) for number in numbers} <= last.keys()
    for call in services.call_rows(scenario.campaign_id):
        number_key = services.load_call(call.id).number_key
        if number_key is not None:
            assert last[call.id] < last[number_id_of(number_key)]


@pytest.mark.parametrize("kind", ["dies", "freezes"])
@pytest.mark.parametrize("at", STEPS, ids=lambda at: f"{at[0]} {at[1]}")
def test_nobody_is_called_after_an_opt_out_and_a_fault_at_the_same_step(
    services: Services, at: tuple[str, bool], kind: str
) -> None:
    on_step = OptOuts(kind, at)
    run(services, on_step, seed=20)
    assert on_step.faulty


@pytest.mark.parametrize("kind", ["dies", "freezes"])
@pytest.mark.parametrize("fault_at", AFTERWARDS, ids=lambda at: f"{at[0]} {at[1]}")
def test_the_effects_of_an_opt_out_are_completed_after_a_fault(
    services: Services, fault_at: tuple[str, bool], kind: str
) -> None:
    starts = {"contact.withheld": "planning snapshot", "call.canceled": CLAIMED}
    at = (starts[fault_at[0]], True)
    on_step = OptOuts(kind, at, fault_at)
    run(services, on_step, seed=21)
    assert on_step.faulty
