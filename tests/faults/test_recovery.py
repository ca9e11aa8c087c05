"""What our processes stand on goes away, comes back, or comes back older."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.faults.drama import Drama, new_exchange, playhouse, staged
from tests.faults.exchange import PERFECT
from tests.faults.judge import judged
from tests.faults.stage import on_stage
from tests.storage.proxy import Fault, proxy_to
from tests.support import eventually

CAP = 2
LAG = timedelta(seconds=12)


def test_a_database_restored_from_a_copy_calls_nobody_again(
    empty_database: str, postgres_url: str
) -> None:
    """What the copy lacks is taken over from the provider before anybody is called."""
    exchange = new_exchange()
    restored = f"{empty_database.rpartition('/')[2].partition('?')[0]}_restored"
    with playhouse(empty_database, exchange) as house:
        rates = replace(PERFECT, list_lag=LAG.total_seconds())
        drama = staged(house, 1, people=8, cap=CAP, rates=rates)
        drama.until_called(3)
    with _copied(postgres_url, empty_database, restored) as copy:
        with playhouse(empty_database, exchange) as house:
            Drama(
                house, exchange, Random(1), drama.campaign_id, drama.fate
            ).until_called(6)
        before = set(exchange.lives)
        # A restore takes longer than the provider's list lags.
        exchange.pass_until(exchange.clock() + LAG)
        with playhouse(copy, exchange) as house:
            known = {row.provider_call_id for row in house.call_rows(drama.campaign_id)}
            assert before - known, "the copy lacks calls"
            # What was acknowledged since the copy was made went with the database.
            exchange.acknowledged.clear()
            after = Drama(house, exchange, Random(1), drama.campaign_id, drama.fate)
            after.run()
            assert judged(after, CAP).wrong == ()
    assert len(exchange.lives) == 8


@contextmanager
def _copied(server: str, url: str, name: str) -> Iterator[str]:
    source = urlsplit(url).path.lstrip("/")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {source}".encode())
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_a_store_that_goes_away_for_a_while_costs_nobody_a_second_call(
    empty_database: str, postgres_url: str
) -> None:
    with on_stage(empty_database, webhooks=True) as stage:
        campaign_id = stage.house.campaign(8, cap=CAP)
        stage.schedule()
        stage.called(2)
        _break_all_connections(postgres_url, empty_database)
        stage.called(3)
        _break_all_connections(postgres_url, empty_database)
        stage.ends_right(campaign_id, 8, CAP)


def _break_all_connections(server: str, url: str) -> None:
    """As a restart does: every session ends, whatever it was at."""
    name = urlsplit(url).path.lstrip("/")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
            (name,),
        )


def test_answers_that_the_store_gave_in_vain_are_not_acted_on_twice(
    empty_database: str,
) -> None:
    with (
        on_stage(empty_database, webhooks=True) as stage,
        proxy_to(empty_database) as proxy,
    ):
        stage.database_url = proxy.url
        campaign_id = stage.house.campaign(6, cap=CAP)
        stage.schedule()
        for fact in (b"dispatcher.calls_claimed", b"call.requested", b"call.placed"):
            _lose_the_answer(proxy, fact)
        stage.ends_right(campaign_id, 6, CAP)


def _lose_the_answer(proxy: Any, fact: bytes) -> None:
    spoiled = proxy.spoiled
    proxy.arm(Fault.ANSWER_LOST, fact)
    eventually(lambda: proxy.spoiled > spoiled, 30, said=f"a lost answer to {fact!r}")
