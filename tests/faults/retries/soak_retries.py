"""The part of the soak with retries, callbacks and opt-outs in virtual time."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from domain.campaigns.campaign_terms import CallingTerms
from domain.values import DialMode
from projections.engine.verify import verify
from provider.simulator.tools import TOOL_CALLS
from tests.faults.provider_faults import Rates
from tests.faults.retries.conversations import TalkingCall
from tests.faults.retries.retry_invariants import check_retries
from tests.faults.retries.retry_scenario import (
    OUTPUT_RULES,
    RetryScenario,
    draw_policy,
    new_retry_scenario,
)
from tests.faults.scenario import RandomFaults, virtual_house
from tests.faults.soak.report import Tally
from tests.faults.soak.virtual_crashes import own_database, progress
from tests.wiring import Services

MOST_PEOPLE = 5
SCENARIOS_PER_DATABASE = 10
"""Scenarios on one database, after which its read tables are verified."""


def run_with_retries(url: str, seed: int, crashes: int, tally: Tally) -> None:
    """Run campaigns with retries from `seed` on until there were that many crashes."""
    while tally.crashes < crashes:
        with own_database(url) as own, virtual_house(own) as services:
            for one in range(seed, seed + SCENARIOS_PER_DATABASE):
                if tally.crashes < crashes:
                    _run_scenario(services, one, tally)
            _verify_read_tables(services, tally)
        seed += SCENARIOS_PER_DATABASE
        progress(f"{tally.campaigns} campaigns with retries, {tally.crashes} crashes")


def _run_scenario(services: Services, seed: int, tally: Tally) -> None:
    """Run one or two campaigns with the same numbers; add the findings."""
    scenario, cap = drawn_scenario(services, seed)
    try:
        scenario.run()
    except AssertionError as stuck:
        tally.violations.append(f"retries, seed {seed}: I8: {stuck}")
        return
    _count(scenario, tally)
    findings = check_retries(scenario, cap)
    tally.never_called += findings.never_called
    tally.violations += [
        f"retries, seed {seed}: {text}" for text in findings.violations
    ]


def drawn_scenario(services: Services, seed: int) -> tuple[RetryScenario, int]:
    """Draw policies, faults and people by seed; return the scenario and its cap."""
    random = Random(f"{seed} retries")
    on_step = RandomFaults(random, mean=random.choice([4, 8, 16]))
    people, cap = random.randint(2, MOST_PEOPLE), random.randint(1, 3)
    scenario = new_retry_scenario(
        services,
        seed,
        on_step,
        people,
        cap,
        replace(Rates(), lost=random.choice([0.1, 0.1, 0.1, 1.0])),
        terms=tuple(_terms(services, random) for _ in range(random.choice([1, 1, 2]))),
        mode=random.choice(list(DialMode)),
        first=seed % 1000 * MOST_PEOPLE,
    )
    scenario.pause_rate = random.choice([0.0, 0.0, 0.03])
    scenario.change_rate = random.choice([0.0, 0.03])
    return scenario, cap


def _terms(services: Services, random: Random) -> CallingTerms:
    ends_after = random.choice(
        [None, None, None, timedelta(hours=random.randint(2, 40))]
    )
    ends_at = services.now() + ends_after if ends_after else None
    return CallingTerms(draw_policy(random), OUTPUT_RULES, ends_at=ends_at)


def _count(scenario: RetryScenario, tally: Tally) -> None:
    tally.campaigns += len(scenario.campaigns)
    tally.contacts += sum(scenario.recount.contacts.values())
    made = list(scenario.provider.made_calls.values())
    tally.calls += len(made)
    tally.happened += scenario.trace.happened
    tally.provider += scenario.provider.misbehaviour()
    tally.followed["calls after the first of a contact"] += sum(
        call.order.attempt > 1 for call in made
    )
    tally.followed["changes of a policy"] += scenario.changes
    tally.followed["reports that contradict a later one"] += sum(
        isinstance(call, TalkingCall) and call.told is not call.course for call in made
    )
    for answered in scenario.answered:
        tally.followed[f"answers to {answered.name}"] += 1
    tally.followed[f"messages {TOOL_CALLS} that were sent again"] += sum(
        repeated_tools(scenario)
    )


def repeated_tools(scenario: RetryScenario) -> list[int]:
    """Return for each tool call how often it was answered once more."""
    answered = [one.call_id for one in scenario.answered]
    return [answered.count(each) - 1 for each in set(answered)]


def _verify_read_tables(services: Services, tally: Tally) -> None:
    services.settle()
    verify(
        services.url,
        now=services.now,
        on_problem=lambda problem: tally.violations.append(f"I7: {problem}"),
    )
