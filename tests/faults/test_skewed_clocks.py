"""Hosts whose clocks are minutes apart lead one after the other."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from storage.process.database_clock import DatabaseClock
from tests.faults.crash_points import SchedulerProcess
from tests.faults.invariants import check_invariants
from tests.faults.provider_faults import Rates
from tests.faults.scenario import (
    Scenario,
    new_scenario,
    new_virtual_provider,
    no_faults,
    virtual_house,
)
from tests.faults.virtual_provider import VirtualProvider
from tests.wiring import NOON

CAP, PEOPLE = 2, 8
ROUGH = Rates(reads=0.0, lost=1.0, refused=0.0, account=0.0)
"""All webhooks are lost, so that our clocks decide when a call is silent too long."""


class VirtualClock(DatabaseClock):
    """Measures the provider's virtual time, which is used as the database's."""

    def __init__(self, provider: VirtualProvider, skew: timedelta) -> None:
        def passed() -> float:
            return (provider.clock() - NOON).total_seconds()

        super().__init__(host=lambda: provider.clock() + skew, monotonic_now=passed)
        self._correct(provider.clock(), passed(), passed())


class SkewedScenario(Scenario):
    """Each scheduler runs on a host whose clock is wrong in the other direction."""

    skew = timedelta(minutes=5)
    until: datetime

    def scheduler(self) -> SchedulerProcess:
        clock, self.skew = VirtualClock(self.provider, self.skew), -self.skew
        services = replace(self.services, now=clock)
        self.until = self.provider.clock() + timedelta(seconds=40)
        return SchedulerProcess(
            "scheduler",
            services,
            self.provider,
            self.on_step,
            meanwhile=self._meanwhile,
        )

    def _meanwhile(self, process: SchedulerProcess, seconds: float) -> None:
        super()._meanwhile(process, seconds)
        if self.provider.clock() > self.until:
            process.wake_up.stop()


@pytest.mark.parametrize("seed", range(3))
def test_leaders_on_hosts_ten_minutes_apart_break_no_invariant(
    database: str, seed: int
) -> None:
    with virtual_house(database, new_virtual_provider()) as services:
        set_up = new_scenario(services, seed, people=PEOPLE, cap=CAP, rates=ROUGH)
        scenario = SkewedScenario(
            services, set_up.provider, Random(seed), set_up.campaign_id, no_faults
        )
        scenario.run()
        assert check_invariants(scenario, CAP).violations == ()
        row = services.board(scenario.campaign_id)
        assert row.timed_out == 0
        stored = services.app.recorder.select_notifications(1, 5000)
        events: list[Any] = [
            services.app.mapper.to_domain_event(item) for item in stored
        ]
        times = [event.timestamp for event in events]
        assert times == sorted(times), "the timestamps in the log never decrease"
