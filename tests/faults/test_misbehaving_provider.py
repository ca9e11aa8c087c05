"""Reports, refusals and forged messages of a misbehaving provider, with crashes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, Literal
from uuid import UUID

import pytest

from domain.values import RefusalKind
from tests.faults.invariants import check_invariants
from tests.faults.provider_faults import PERFECT, Rates
from tests.faults.scenario import (
    FaultAtStep,
    RandomFaults,
    Scenario,
    new_scenario,
    virtual_house,
)
from tests.wiring import Services

CAP, PEOPLE = 3, 12


@pytest.fixture
def services(database: str) -> Iterator[Services]:
    with virtual_house(database) as services:
        yield services


def run(services: Services, rates: Rates, seed: int = 1, **provider: Any) -> Scenario:
    """Run a campaign with crashes and assert that no invariant is violated."""
    on_step = RandomFaults(Random(seed), mean=12)
    scenario = new_scenario(
        services, seed, on_step, people=PEOPLE, cap=CAP, rates=rates
    )
    for name, value in provider.items():
        setattr(scenario.provider, name, value)
    scenario.run()
    assert check_invariants(scenario, CAP).violations == ()
    return scenario


def misbehaviour(scenario: Scenario) -> Counter[str]:
    return scenario.provider.misbehaviour()


@pytest.mark.parametrize("lost", [0.0, 0.5])
def test_two_reports_lead_to_the_true_cost_and_lose_nothing(
    services: Services, lost: float
) -> None:
    scenario = run(services, replace(PERFECT, two_reports=1.0, lost=lost))
    made = len(scenario.provider.made_calls)
    assert misbehaviour(scenario)["call with two reports"] == made > 0


def test_a_better_report_after_the_last_look_up_corrects_the_call(
    services: Services,
) -> None:
    scenario = run(services, replace(PERFECT, late_report=1.0))
    made = len(scenario.provider.made_calls)
    assert misbehaviour(scenario)["call with a late better report"] == made > 0


@pytest.mark.parametrize("seed", range(2))
def test_incomplete_reports_lead_to_the_true_or_the_expected_cost(
    services: Services, seed: int
) -> None:
    scenario = run(services, replace(PERFECT, incomplete_report=1.0), seed)
    assert misbehaviour(scenario)["report without a cost"]


def test_ends_before_ringing_are_treated_as_refusals_of_their_kind(
    services: Services,
) -> None:
    rates = replace(
        PERFECT, end_capacity=0.4, end_platform=0.1, end_contact=0.2, end_carrier=0.1
    )
    scenario = run(services, rates)
    refused = _refused(scenario, RefusalKind.CONTACT)
    assert refused, "some contacts are always refused"
    assert set(refused.values()) == {1}, "each of them is refused once"
    failed = services.board(scenario.campaign_id).failed
    assert failed == len(refused.keys() | _unknown(scenario))


def test_contacts_refused_before_the_201_are_not_requested_again(
    services: Services,
) -> None:
    scenario = run(services, replace(PERFECT, person=0.4))
    refused = _refused(scenario, RefusalKind.CONTACT)
    assert refused, "some contacts are always refused"
    failed = services.board(scenario.campaign_id).failed
    assert failed == len(refused.keys() | _unknown(scenario))


@pytest.mark.parametrize("over_limit", ["refuse", "end"])
def test_a_limit_below_the_cap_uses_up_no_attempt(
    services: Services, over_limit: Literal["refuse", "end"]
) -> None:
    scenario = run(services, PERFECT, limit=1, over_limit=over_limit)
    assert _refused(scenario, RefusalKind.CAPACITY)
    assert services.board(scenario.campaign_id).failed == len(_unknown(scenario))


def test_forged_messages_are_dismissed_once_the_provider_was_asked(
    services: Services,
) -> None:
    scenario = run(services, replace(PERFECT, forged=1.0))
    calls = services.call_rows(scenario.campaign_id)
    topics = Counter(topic for call in calls for topic in services.topics(call.id))
    assert topics["duplicate_suspected"]
    assert topics["duplicate_dismissed"]
    assert services.board(scenario.campaign_id).failed == len(_unknown(scenario))


FORGED_EARLY = replace(PERFECT, forged=1.0, forged_early=1.0)


def test_forged_messages_before_the_answer_change_no_outcome(
    services: Services,
) -> None:
    scenario = run(services, FORGED_EARLY)
    calls = services.call_rows(scenario.campaign_id)
    topics = Counter(topic for call in calls for topic in services.topics(call.id))
    assert topics["rebound"]


@pytest.mark.parametrize("kind", ["dies", "freezes", "loses the store"])
@pytest.mark.parametrize("done", [False, True])
def test_a_fault_while_a_forged_id_is_replaced_leads_to_no_second_call(
    services: Services, done: bool, kind: str
) -> None:
    on_step = FaultAtStep(kind, "call.rebound", done)
    scenario = new_scenario(services, 1, on_step, people=3, cap=CAP, rates=FORGED_EARLY)
    scenario.run()
    assert on_step.happened
    assert check_invariants(scenario, CAP).violations == ()
    assert len(scenario.provider.made_calls) == 3


@pytest.mark.parametrize("kind", ["dies", "freezes"])
def test_a_lost_answer_after_a_forged_message_leads_to_no_second_call(
    services: Services, kind: str
) -> None:
    """The list of the provider then gives the true id."""
    on_step = FaultAtStep(kind, "POST /call", done=True)
    scenario = new_scenario(services, 2, on_step, people=3, cap=CAP, rates=FORGED_EARLY)
    scenario.run()
    assert on_step.happened
    assert check_invariants(scenario, CAP).violations == ()
    assert len(scenario.provider.made_calls) == 3


def _refused(scenario: Scenario, kind: RefusalKind) -> Counter[UUID]:
    """Count the refusals of that kind for each contact."""
    refusals = scenario.provider.refusals
    return Counter(contact for contact, about in refusals if about is kind)


def _unknown(scenario: Scenario) -> set[UUID]:
    """Return the contacts given up after two requests whose outcome a crash lost.

    Such a contact may have been refused as well, if the crash lost the refusal.
    """
    calls = scenario.services.call_rows(scenario.campaign_id)
    return {call.contact_id for call in calls if call.failure == "outcome unknown"}
