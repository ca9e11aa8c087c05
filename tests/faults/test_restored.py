"""A back-up comes back before the provider lists what was called after it."""

from dataclasses import replace
from random import Random
from urllib.parse import urlsplit

import pytest

from domain.values import WaitingCode
from storage.database import Conn
from tests.faults.drama import Drama, new_exchange, playhouse, spared, staged
from tests.faults.exchange import PERFECT
from tests.faults.judge import judged

CAP, PEOPLE = 2, 8
LAG_SECONDS = 25.0
"""Close to the quarantine of 30 s."""


@pytest.mark.parametrize("seed", range(3))
def test_who_was_called_a_moment_before_the_loss_is_not_called_again(
    database: str, server: Conn, seed: int
) -> None:
    exchange = new_exchange()
    copy = f"{urlsplit(database).path.lstrip('/')}_copy"
    rates = replace(PERFECT, list_lag=LAG_SECONDS)
    with playhouse(database, exchange) as house:
        drama = staged(house, seed, people=PEOPLE, cap=CAP, rates=rates)
        drama.until_called(3)
    server.execute(f"create database {copy} template {copy[:-5]}".encode())
    with playhouse(database, exchange) as house:
        play = Drama(house, exchange, Random(seed), drama.campaign_id, spared)
        play.until_called(6)
    hidden = [
        one for one in exchange.lives.values() if one.listed_at > exchange.clock()
    ]
    assert hidden, "the provider lists all of them"
    exchange.acknowledged.clear()  # It went with the database.
    url = urlsplit(database)._replace(path=f"/{copy}").geturl()
    with playhouse(url, exchange) as house:
        after = Drama(house, exchange, Random(seed), drama.campaign_id, spared)
        after.until_called(6)
        decision = house.operations.decision(drama.campaign_id)
        assert decision is not None
        codes = {why.code for why in decision.reasons}
        assert codes == {WaitingCode.OUTCOME_UNKNOWN}, "it says what it waits for"
        after.run()
        assert judged(after, CAP).wrong == ()
    server.execute(f"drop database {copy} with (force)".encode())
    assert len(exchange.lives) == PEOPLE
