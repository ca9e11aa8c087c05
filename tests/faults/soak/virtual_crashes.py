"""The part of the soak in virtual time: campaigns with random faults, by seed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from domain.values import DialMode
from projections.engine.verify import verify
from tests.faults.invariants import check_invariants
from tests.faults.provider_faults import Rates
from tests.faults.scenario import RandomFaults, Scenario, new_scenario, virtual_house
from tests.faults.soak.report import Tally
from tests.wiring import Services

CAMPAIGNS_PER_DATABASE = 20
"""Campaigns on one database, after which its read tables are verified."""


def run_in_virtual_time(url: str, seed: int, crashes: int, tally: Tally) -> None:
    """Run campaigns from `seed` on until there were that many crashes."""
    while tally.crashes < crashes:
        with own_database(url) as own, virtual_house(own) as services:
            for campaign_seed in range(seed, seed + CAMPAIGNS_PER_DATABASE):
                run_campaign(services, campaign_seed, tally)
            _verify_read_tables(services, tally)
        seed += CAMPAIGNS_PER_DATABASE
        progress(f"{tally.campaigns} campaigns, {tally.crashes} crashes")


def run_campaign(services: Services, seed: int, tally: Tally) -> None:
    """Run the campaign of that seed and add its findings to the tally."""
    random = Random(seed)
    on_step = RandomFaults(random, mean=random.choice([4, 8, 16]))
    people, cap = random.randint(3, 8), random.randint(1, 4)
    rates = replace(Rates(), lost=random.choice([0.1, 0.1, 1.0]))
    mode = random.choice(list(DialMode))
    scenario = new_scenario(services, seed, on_step, people, cap, rates, mode)
    scenario.pause_rate = random.choice([0.0, 0.0, 0.05])
    scenario.provider.limit = random.choice([None, None, max(cap - 1, 1)])
    scenario.provider.over_limit = random.choice(["refuse", "end"])
    try:
        scenario.run()
    except AssertionError as stuck:
        tally.violations.append(f"seed {seed}: I8: {stuck}")
        return
    _count(scenario, tally, people)
    findings = check_invariants(scenario, cap)
    tally.never_called += findings.never_called
    tally.violations += [f"seed {seed}: {text}" for text in findings.violations]


def _count(scenario: Scenario, tally: Tally, people: int) -> None:
    tally.campaigns += 1
    tally.contacts += people
    tally.calls += len(scenario.provider.made_calls)
    tally.happened += scenario.trace.happened
    tally.provider += scenario.provider.misbehaviour()


def _verify_read_tables(services: Services, tally: Tally) -> None:
    services.settle()
    verify(
        services.url,
        now=services.now,
        on_problem=lambda problem: tally.violations.append(f"I7: {problem}"),
    )


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """Create an empty database on the server of that URL; drop it afterwards."""
    name = f"soak_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
        connection.execute(f"drop database {name} with (force)".encode())


def progress(text: str) -> None:
    """Print a line of progress to stderr."""
    sys.stderr.write(text + "\n")
