"""A back-up comes back before the provider lists what was called after it."""

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
from provider.vapi import VapiProvider, VapiSettings
from storage.database import Conn
from storage.last_led import LastLed
from tests.faults.drama import Drama, new_exchange, playhouse, spared, staged
from tests.faults.exchange import PERFECT
from tests.faults.judge import judged
from tests.scheduler.test_loop import Leading, Passes, leading, parts_of
from tests.simulator import Simulator, running_simulator
from tests.support import eventually
from tests.wiring import House, housed, phones, real_time

CAP, PEOPLE = 2, 8
LAG_SECONDS = 25.0
"""Close to the quarantine of 30 s."""


@contextmanager
def copied(server: Conn, url: str) -> Iterator[str]:
    """Copy a database to which nobody is connected."""
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    server.execute(f"create database {name}_copy template {name}".encode())
    try:
        yield parts._replace(path=f"/{name}_copy").geturl()
    finally:
        server.execute(f"drop database {name}_copy with (force)".encode())


@pytest.mark.parametrize("seed", range(3))
def test_who_was_called_a_moment_before_the_loss_is_not_called_again(
    database: str, server: Conn, seed: int
) -> None:
    exchange = new_exchange()
    rates = replace(PERFECT, list_lag=LAG_SECONDS)
    with playhouse(database, exchange) as house:
        drama = staged(house, seed, people=PEOPLE, cap=CAP, rates=rates)
        drama.until_called(3)

    def played(house: House) -> Drama:
        return Drama(house, exchange, Random(seed), drama.campaign_id, spared)

    with copied(server, database) as copy:
        with playhouse(database, exchange) as house:
            played(house).until_called(6)
        now = exchange.clock()
        assert any(life.listed_at > now for life in exchange.lives.values())
        exchange.acknowledged.clear()  # It went with the database.
        with playhouse(copy, exchange) as house:
            played(house).until_called(6)
            decision = house.operations.decision(drama.campaign_id)
            assert decision is not None
            codes = {why.code for why in decision.reasons}
            assert codes == {WaitingCode.OUTCOME_UNKNOWN}, "it says what it waits for"
            after = played(house)
            after.run()
            assert judged(after, CAP).wrong == ()
    assert len(exchange.lives) == PEOPLE


def test_a_real_list_that_lags_hides_nobody_from_a_restored_database(
    database: str, server: Conn
) -> None:
    with running_simulator(speed=60, faults={"list_lag_seconds": 2.5}) as simulator:
        with real_house(database, simulator) as house:
            LastLed(house.writing).lead()
            campaign_id = house.campaign(4, cap=2)
        with copied(server, database) as copy:
            with real_house(database, simulator) as house:
                passes = Passes(house)
                assert passes.run().claimed == 2
                passes.parts.dispatch.stop()
            with real_house(copy, simulator, projector=True) as house:
                parts = parts_of(house, interval=timedelta(seconds=1))
                with leading(parts, Leading(), house):
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
