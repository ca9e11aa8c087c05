"""What our processes stand on goes away, comes back, or comes back older."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg

from storage.embedded import embedded_postgres
from storage.keeper import Home
from tests.faults.drama import Drama, new_exchange, playhouse, staged
from tests.faults.exchange import PERFECT
from tests.faults.judge import judged
from tests.faults.stage import DURABLE, WITHIN, Stage, on_stage, stop_at_once
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


def test_a_store_that_is_stopped_at_once_and_started_costs_nobody_a_second_call(
    tmp_path: Path,
) -> None:
    """Whatever was acknowledged is there again: as `pg_ctl stop -m immediate`."""
    home = Home(tmp_path / "pg")
    with (
        embedded_postgres(home.folder, DURABLE) as url,
        on_stage(url, webhooks=True) as stage,
    ):
        campaign_id = stage.house.campaign(8, cap=CAP)
        stage.schedule()
        for calls in (2, 4):
            stage.called(calls)
            stop_at_once(home)
            stage.opened.enter_context(embedded_postgres(home.folder, DURABLE))
        stage.ends_right(campaign_id, 8, CAP)


def test_a_provider_that_was_away_longer_than_silence_lasts_is_asked_nothing_twice(
    empty_database: str,
) -> None:
    """Its calls ended meanwhile, and it told nobody."""
    with on_stage(empty_database, webhooks=True, rate=1) as stage:
        campaign_id = stage.house.campaign(6, cap=CAP)
        stage.schedule()
        stage.called(2)
        stage.simulator.set_faults(down=True, webhooks={"lost": 1.0})
        eventually(lambda: _reason(stage, campaign_id) == "PROVIDER_DOWN", WITHIN)
        called = len(stage.simulator.ledger()["calls"])
        stage.simulator.ledger(calls=called, timeout=WITHIN)
        stage.clock.jump(60)
        later = stage.house.now()
        eventually(lambda: _decided_after(stage, campaign_id, later), WITHIN)
        assert _reason(stage, campaign_id) == "PROVIDER_DOWN"
        assert stage.house.board(campaign_id).timed_out == 0
        stage.simulator.set_faults()
        stage.ends_right(campaign_id, 6, CAP)


def _reason(stage: Stage, campaign_id: UUID) -> str | None:
    decision = stage.house.operations.decision(campaign_id)
    return decision.reasons[0].code if decision and decision.reasons else None


def _decided_after(stage: Stage, campaign_id: UUID, time: datetime) -> bool:
    decision = stage.house.operations.decision(campaign_id)
    return decision is not None and decision.decided_at > time


def test_hosts_whose_clocks_are_minutes_apart_call_nobody_twice(
    empty_database: str,
) -> None:
    """All go by the database's clock: what is stored shows no jump."""
    with on_stage(empty_database, webhooks=True, rate=1) as stage:
        campaign_id = stage.house.campaign(7, cap=CAP)
        for wrong, calls in (("-300", 2), ("240", 4)):
            scheduler = stage.schedule("--wrong", wrong)
            stage.called(calls)
            scheduler.kill()
            scheduler.wait()
        stage.schedule("--wrong", "-180")
        stage.ends_right(campaign_id, 7, CAP)
        times = [call.queued_at for call in stage.house.call_rows(campaign_id)]
        now = stage.house.now()
        assert all(abs(now - time) < timedelta(seconds=90) for time in times)


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
