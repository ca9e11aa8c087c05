"""A back-up is restored before the provider lists the calls made after it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from domain.values import CampaignState, WaitingCode
from provider.vapi.client import VapiProvider
from provider.vapi.settings import VapiSettings
from storage.database import Conn
from storage.process.timeline_guard import TimelineGuard
from tests.faults.invariants import check_invariants
from tests.faults.provider_faults import PERFECT
from tests.faults.scenario import (
    Scenario,
    new_scenario,
    new_virtual_provider,
    no_faults,
    virtual_house,
)
from tests.scheduler.leading import Leading, Passes, dependencies_of, leading
from tests.simulator import Simulator, running_simulator
from tests.support import eventually
from tests.wiring import House, housed, phones, real_time

CAP, PEOPLE = 2, 8
LAG_SECONDS = 25.0
"""Close to the quarantine of 30 s."""


@contextmanager
def copied(server: Conn, url: str) -> Iterator[str]:
    """Copy a database that has no connections; yield the URL of the copy."""
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    server.execute(f"create database {name}_copy template {name}".encode())
    try:
        yield parts._replace(path=f"/{name}_copy").geturl()
    finally:
        server.execute(f"drop database {name}_copy with (force)".encode())


@pytest.mark.parametrize("seed", range(3))
def test_contacts_called_just_before_the_loss_are_not_called_again(
    database: str, server: Conn, seed: int
) -> None:
    provider = new_virtual_provider()
    rates = replace(PERFECT, list_lag=LAG_SECONDS)
    with virtual_house(database, provider) as house:
        scenario = new_scenario(house, seed, people=PEOPLE, cap=CAP, rates=rates)
        scenario.run_until_called(3)

    def new_run(house: House) -> Scenario:
        return Scenario(house, provider, Random(seed), scenario.campaign_id, no_faults)

    with copied(server, database) as copy:
        with virtual_house(database, provider) as house:
            new_run(house).run_until_called(6)
        now = provider.clock()
        assert any(call.listed_at > now for call in provider.made_calls.values())
        provider.acknowledged.clear()  # They are lost with the database.
        with virtual_house(copy, provider) as house:
            new_run(house).run_until_called(6)
            decision = house.process_records.decision(scenario.campaign_id)
            assert decision is not None
            codes = {reason.code for reason in decision.reasons}
            assert codes == {WaitingCode.OUTCOME_UNKNOWN}, (
                "the decision names the reason"
            )
            after = new_run(house)
            after.run()
            assert check_invariants(after, CAP).violations == ()
    assert len(provider.made_calls) == PEOPLE


def test_a_restored_database_waits_for_the_simulators_lagging_list(
    database: str, server: Conn
) -> None:
    with running_simulator(speed=60, faults={"list_lag_seconds": 2.5}) as simulator:
        with real_house(database, simulator) as house:
            TimelineGuard(house.writing).lead()
            campaign_id = house.campaign(4, cap=2)
        with copied(server, database) as copy:
            with real_house(database, simulator) as house:
                passes = Passes(house)
                assert passes.run().claimed == 2
                passes.deps.dispatch.stop()
            with real_house(copy, simulator, projector=True) as house:
                deps = dependencies_of(house, interval=timedelta(seconds=1))
                with leading(deps, Leading(), house):
                    eventually(lambda: is_over(house, campaign_id), 40, "the end")
        called = Counter(call["number"] for call in simulator.ledger()["calls"])
    assert called == Counter(phones(4))


@contextmanager
def real_house(
    url: str, simulator: Simulator, *, projector: bool = False
) -> Iterator[House]:
    at = VapiSettings(base_url=simulator.url, api_key=simulator.api_key)
    with housed(
        url, now=real_time, provider=VapiProvider(at), projector=projector
    ) as house:
        yield house


def is_over(house: House, campaign_id: UUID) -> bool:
    return house.board(campaign_id).state is CampaignState.COMPLETED
