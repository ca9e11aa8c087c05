"""Postgres or the provider fails and returns, or Postgres returns older data."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from subprocess import Popen
from urllib.parse import urlsplit
from uuid import UUID

import psycopg

from provider.simulator.settings import NEVER_ENDS
from storage.process.embedded_postgres import embedded_postgres
from storage.process.postgres_supervisor import Home
from tests.faults.cluster import (
    DURABLE,
    WITHIN,
    Cluster,
    running_cluster,
    stop_postgres_immediately,
)
from tests.faults.invariants import check_invariants
from tests.faults.provider_faults import PERFECT
from tests.faults.scenario import (
    Scenario,
    new_scenario,
    new_virtual_provider,
    virtual_house,
)
from tests.storage.proxy import Fault, proxy_to
from tests.support import eventually
from tests.wiring import phones

CAP = 2
LAG = timedelta(seconds=12)


def test_a_database_restored_from_a_copy_causes_no_second_call(
    database: str, postgres_url: str
) -> None:
    """Calls that the copy lacks are adopted from the provider before any dialling."""
    provider = new_virtual_provider()
    restored = f"{database.rpartition('/')[2].partition('?')[0]}_restored"
    with virtual_house(database, provider) as services:
        rates = replace(PERFECT, list_lag=LAG.total_seconds())
        scenario = new_scenario(services, 1, people=8, cap=CAP, rates=rates)
        scenario.run_until_called(3)
    with _copied(postgres_url, database, restored) as copy:
        with virtual_house(database, provider) as services:
            Scenario(
                services, provider, Random(1), scenario.campaign_id, scenario.on_step
            ).run_until_called(6)
        before = set(provider.made_calls)
        # The restore takes longer than the lag of the provider's list.
        provider.pass_until(provider.clock() + LAG)
        with virtual_house(copy, provider) as services:
            known = {
                row.provider_call_id for row in services.call_rows(scenario.campaign_id)
            }
            assert before - known, "the copy lacks calls"
            # Messages acknowledged after the copy was made are lost with the database.
            provider.acknowledged.clear()
            after = Scenario(
                services, provider, Random(1), scenario.campaign_id, scenario.on_step
            )
            after.run()
            assert check_invariants(after, CAP).violations == ()
    assert len(provider.made_calls) == 8


@contextmanager
def _copied(server: str, url: str, name: str) -> Iterator[str]:
    source = urlsplit(url).path.lstrip("/")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {source}".encode())
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_an_immediate_stop_of_postgres_causes_no_second_call(
    tmp_path: Path,
) -> None:
    """After `pg_ctl stop -m immediate` everything acknowledged is still stored."""
    home = Home(tmp_path / "pg")
    with (
        embedded_postgres(home.folder, DURABLE) as url,
        running_cluster(url, webhooks=True) as cluster,
    ):
        campaign_id = cluster.services.campaign(8, cap=CAP)
        cluster.start_scheduler()
        for calls in (2, 4):
            cluster.wait_for_calls(calls)
            stop_postgres_immediately(home)
            cluster.exit_stack.enter_context(embedded_postgres(home.folder, DURABLE))
        cluster.assert_all_called_once(campaign_id, 8, CAP)


def test_a_provider_outage_longer_than_the_silence_timeout_times_no_call_out(
    database: str,
) -> None:
    """The calls end during the outage, and their webhooks are lost."""
    with running_cluster(database, webhooks=True, rate=1) as cluster:
        campaign_id = cluster.services.campaign(6, cap=CAP)
        numbers = phones(6)
        cluster.simulator.set_faults(endings=dict.fromkeys(numbers, NEVER_ENDS))
        scheduler = cluster.start_scheduler()
        cluster.wait_for_calls(2)
        with frozen(scheduler):  # It notices nothing before the provider is down.
            cluster.simulator.set_faults(webhooks={"lost": 1.0})
            cluster.simulator.hang_up(*cluster.simulator.live())
            cluster.simulator.set_faults(down=True, webhooks={"lost": 1.0})
        eventually(lambda: _reason(cluster, campaign_id) == "PROVIDER_DOWN", WITHIN)
        called = len(cluster.simulator.ledger()["calls"])
        cluster.simulator.ledger(calls=called, timeout=WITHIN)
        cluster.clock.jump(60)
        later = cluster.services.now()
        eventually(lambda: _decided_after(cluster, campaign_id, later), WITHIN)
        assert _reason(cluster, campaign_id) == "PROVIDER_DOWN"
        assert cluster.services.board(campaign_id).timed_out == 0
        cluster.simulator.set_faults()
        cluster.assert_all_called_once(campaign_id, 6, CAP)


@contextmanager
def frozen(process: "Popen[bytes]") -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def _reason(cluster: Cluster, campaign_id: UUID) -> str | None:
    decision = cluster.services.process_records.decision(campaign_id)
    return decision.reasons[0].code if decision and decision.reasons else None


def _decided_after(cluster: Cluster, campaign_id: UUID, time: datetime) -> bool:
    decision = cluster.services.process_records.decision(campaign_id)
    return decision is not None and decision.decided_at > time


def test_commits_whose_answer_is_lost_are_not_repeated(
    database: str,
) -> None:
    with (
        running_cluster(database, webhooks=True) as cluster,
        proxy_to(database) as proxy,
    ):
        cluster.database_url = proxy.url
        topics = (b"dispatcher.calls_claimed", b"call.requested", b"call.placed")
        for topic in topics:
            proxy.arm(Fault.ANSWER_LOST, topic)
        campaign_id = cluster.services.campaign(6, cap=CAP)
        cluster.start_scheduler()
        eventually(lambda: proxy.faults == len(topics), WITHIN, what="lost answers")
        cluster.assert_all_called_once(campaign_id, 6, CAP)
