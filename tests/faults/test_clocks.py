"""Hosts whose clocks are minutes apart, one leading after the other."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from storage.clock import DatabaseClock
from tests.faults.drama import Drama, new_exchange, playhouse, spared, staged
from tests.faults.exchange import Exchange, Rates
from tests.faults.judge import judged
from tests.faults.mortal import SchedulerProcess
from tests.wiring import NOON

CAP, PEOPLE = 2, 8
ROUGH = Rates(reads=0.0, lost=1.0, refused=0.0, account=0.0)
"""All webhooks are lost: when a call is silent for too long, our clocks say."""


class VirtualClock(DatabaseClock):
    """Measures the exchange's time, which stands for the database's."""

    def __init__(self, exchange: Exchange, wrong: timedelta) -> None:
        def passed() -> float:
            return (exchange.clock() - NOON).total_seconds()

        super().__init__(host=lambda: exchange.clock() + wrong, steady=passed)
        self._learn(exchange.clock(), passed(), passed())


class ApartDrama(Drama):
    """Each scheduler is on another host than the one before."""

    wrong = timedelta(minutes=5)
    until: datetime

    def scheduler(self) -> SchedulerProcess:
        clock, self.wrong = VirtualClock(self.exchange, self.wrong), -self.wrong
        means = replace(self.house.means, now=clock)
        house = replace(self.house, now=clock, means=means)
        self.until = self.exchange.clock() + timedelta(seconds=40)
        return SchedulerProcess(
            "scheduler", house, self.exchange, self.fate, meanwhile=self._meanwhile
        )

    def _meanwhile(self, process: SchedulerProcess, seconds: float) -> None:
        super()._meanwhile(process, seconds)
        if self.exchange.clock() > self.until:
            process.alarm.stop()


@pytest.mark.parametrize("seed", range(3))
def test_leaders_whose_hosts_are_ten_minutes_apart_decide_alike(
    database: str, seed: int
) -> None:
    with playhouse(database, new_exchange()) as house:
        set_up = staged(house, seed, people=PEOPLE, cap=CAP, rates=ROUGH)
        drama = ApartDrama(
            house, set_up.exchange, Random(seed), set_up.campaign_id, spared
        )
        drama.run()
        assert judged(drama, CAP).wrong == ()
        row = house.board(drama.campaign_id)
        assert row.timed_out == 0
        stored = house.app.recorder.select_notifications(1, 5000)
        events: list[Any] = [house.app.mapper.to_domain_event(one) for one in stored]
        times = [event.timestamp for event in events]
        assert times == sorted(times), "nothing was stored before or after its time"
