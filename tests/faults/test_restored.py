"""A back-up is restored before the provider lists the calls made after it."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from domain.values import CampaignState, WaitingCode
from projections.engine.verify import verify
from provider.vapi.client import VapiProvider
from provider.vapi.settings import VapiSettings
from storage.database import Conn
from storage.process.timeline_guard import TimelineGuard
from tests.child_process import child
from tests.end_to_end.processes import beside, environment
from tests.faults.cluster import ROOT, WITHIN
from tests.faults.invariants import check_invariants
from tests.faults.provider_faults import PERFECT
from tests.faults.scenario import (
    Scenario,
    new_scenario,
    new_virtual_provider,
    no_faults,
    virtual_house,
)
from tests.scheduler.leading import Passes
from tests.simulator import Simulator, running_simulator
from tests.support import eventually
from tests.wiring import Services, open_services, phones, real_time

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
    with virtual_house(database, provider) as services:
        scenario = new_scenario(services, seed, people=PEOPLE, cap=CAP, rates=rates)
        scenario.run_until_called(3)

    def new_run(services: Services) -> Scenario:
        return Scenario(
            services, provider, Random(seed), scenario.campaign_id, no_faults
        )

    with copied(server, database) as copy:
        with virtual_house(database, provider) as services:
            new_run(services).run_until_called(6)
        now = provider.clock()
        assert any(call.listed_at > now for call in provider.made_calls.values())
        provider.acknowledged.clear()  # They are lost with the database.
        with virtual_house(copy, provider) as services:
            new_run(services).run_until_called(6)
            decision = services.process_records.decision(scenario.campaign_id)
            assert decision is not None
            codes = {reason.code for reason in decision.reasons}
            assert codes == {WaitingCode.OUTCOME_UNKNOWN}, (
                "the decision names the reason"
            )
            after = new_run(services)
            after.run()
            assert check_invariants(after, CAP).violations == ()
    assert len(provider.made_calls) == PEOPLE


def test_a_scheduler_process_on_a_restored_database_calls_nobody_again(
    database: str, server: Conn, tmp_path: Path
) -> None:
    """The simulator lists calls late, and sends no webhooks."""
    with running_simulator(speed=60, faults={"list_lag_seconds": 2.5}) as simulator:
        with real_house(database, simulator) as services:
            TimelineGuard(services.writing).lead()
            campaign_id = services.campaign(4, cap=2)
        with copied(server, database) as copy:
            with real_house(database, simulator) as services:
                passes = Passes(services)
                assert passes.run().claimed == 2
                passes.deps.dispatch.stop()
            with (
                real_house(copy, simulator, projector=True) as services,
                running_scheduler(copy, simulator, tmp_path / "log"),
            ):
                eventually(lambda: is_over(services, campaign_id), WITHIN, "the end")
            problems: list[object] = []
            verify(copy, now=real_time, on_problem=problems.append)
        called = Counter(call["number"] for call in simulator.ledger()["calls"])
    assert called == Counter(phones(4))
    assert problems == []


def running_scheduler(
    url: str, simulator: Simulator, log: Path
) -> AbstractContextManager[object]:
    settings = beside(simulator) | {
        "DATABASE_URL": url,
        "RECONCILE_SECONDS": 1,
        "VAPI_TIMEOUT_SECONDS": 2,
        "SETTINGS_TICK_SECONDS": 1,
    }
    command = [sys.executable, "-m", "scheduler"]
    return child(command, log=log, env=environment(**settings), cwd=ROOT)


@contextmanager
def real_house(
    url: str, simulator: Simulator, *, projector: bool = False
) -> Iterator[Services]:
    at = VapiSettings(base_url=simulator.url, api_key=simulator.api_key)
    with open_services(
        url, now=real_time, provider=VapiProvider(at), projector=projector
    ) as services:
        yield services


def is_over(services: Services, campaign_id: UUID) -> bool:
    return services.board(campaign_id).state is CampaignState.COMPLETED
