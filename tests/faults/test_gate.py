"""The gate with real processes, kill -9 at every step, and rules that disappear."""

import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from application.calling_rules.source import CHECK_SECONDS
from application.process.monotonic_clock import monotonic_now
from application.suppression_lists.service import ListTerms
from domain.campaigns.campaign_terms import CallingTerms
from domain.gate.decision import CallingHours, HoursRule
from domain.gate.rules import FrequencyCap
from domain.settings import RulesMode
from domain.states import FINISHED
from domain.values import CampaignState, ContactStatus, WaitingCode
from projections.contacts import contact_log
from projections.contacts.contact_row import ContactRow
from projections.registers.list_faults import list_faults
from projections.registers.suppression_list_board import versions
from tests.child_process import ended, kill
from tests.faults.cluster import WITHIN, Cluster, running_cluster
from tests.support import eventually
from tests.wiring import BY, phones

CLAIMED, REQUESTED, PLACED = (
    "dispatcher.calls_claimed",
    "call.requested",
    "call.placed",
)
POST = "POST /call"
numbers = count(0, 10)
"""The first number of each test: no number is used by two of them."""


@pytest.fixture(scope="module")
def cluster(shared_database: str) -> Iterator[Cluster]:
    with running_cluster(shared_database, webhooks=True) as cluster:
        cluster.services.set(
            frequency_caps=(FrequencyCap(1, 24),),
            tick_seconds=1,
            dials_per_second=20.0,
            silence_timeout_seconds=10,
        )
        yield cluster


@contextmanager
def leading(cluster: Cluster, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a scheduler and wait until it leads; kill it at the end."""
    process = cluster.start_scheduler(*arguments)
    try:
        eventually(lambda: leader(cluster) == process.pid, WITHIN, what="its term")
        yield process
    finally:
        kill(process)


def leader(cluster: Cluster) -> int | None:
    beat = cluster.services.process_records.heartbeat("scheduler")
    return int(beat.holder.rpartition(":")[2]) if beat else None


def rows(cluster: Cluster, *campaigns: UUID) -> list[ContactRow]:
    with cluster.services.reading.connection() as conn:
        return [
            row
            for campaign_id in campaigns
            for row in contact_log.page(conn, campaign_id, first=100).nodes
        ]


def calls_to(cluster: Cluster, *wanted: str) -> Counter[str]:
    ledger = cluster.simulator.ledger()["calls"]
    return Counter(call["number"] for call in ledger if call["number"] in wanted)


def start_all(cluster: Cluster, *campaigns: UUID) -> None:
    for campaign_id in campaigns:
        cluster.services.campaigns.start(campaign_id, by=BY)


def cancel_all(cluster: Cluster, *campaigns: UUID) -> None:
    for campaign_id in campaigns:
        if cluster.services.board(campaign_id).state not in FINISHED:
            cluster.services.campaigns.cancel(campaign_id, hang_up=False, by=BY)


@pytest.mark.parametrize("step", [CLAIMED, REQUESTED, POST, PLACED])
def test_the_last_call_that_a_cap_allows_is_made_once_whenever_a_leader_dies(
    cluster: Cluster, step: str
) -> None:
    """Two campaigns have the number; the second scheduler continues for both.

    A death before a step leaves what a death after the step before it leaves.
    """
    [phone] = phones(1, first=next(numbers))
    racing = [cluster.services.campaign((phone,), start=False) for _ in range(2)]
    with leading(cluster, "--die-after", step) as dying:
        start_all(cluster, *racing)
        assert ended(dying, cluster.log) == -signal.SIGKILL
        other = cluster.start_scheduler()
        eventually(
            lambda: (
                {
                    (row.status is ContactStatus.ENDED, row.deferred_code)
                    for row in rows(cluster, *racing)
                }
                == {(True, None), (False, WaitingCode.FREQUENCY_CAP)}
            ),
            WITHIN,
            what="one call, and one contact that waits",
        )
        assert calls_to(cluster, phone) == {phone: 1}
        cancel_all(cluster, *racing)
        kill(other)


def test_nobody_is_called_after_an_opt_out_although_processes_die(
    cluster: Cluster,
) -> None:
    """The process that acknowledges dies at once, then a scheduler after a request.

    The other steps are in test_opt_outs, where no process has to be started.
    """
    everybody = phones(5, first=next(numbers))
    opted_out, others = everybody[:3], everybody[3:]
    before = cluster.services.campaign(everybody, start=False)
    api = cluster.start("tests.faults.dying_api", *opted_out)
    assert ended(api, cluster.log) == -signal.SIGKILL, "all three are acknowledged"
    after = cluster.services.campaign(opted_out, start=False)
    with leading(cluster, "--die-after", POST) as dying:
        start_all(cluster, before, after)
        assert ended(dying, cluster.log) == -signal.SIGKILL
        other = cluster.start_scheduler()
        for campaign_id in (before, after):
            eventually(
                lambda id_=campaign_id: (
                    cluster.services.board(id_).state  # type: ignore[misc]  # bound now
                    is CampaignState.COMPLETED
                ),
                WITHIN,
                what="the end of the campaign",
            )
        kill(other)
    assert calls_to(cluster, *everybody) == dict.fromkeys(others, 1)
    withheld = {row.phone for row in rows(cluster, before, after) if row.withheld}
    assert withheld == set(opted_out)


RULE = """
[[rule]]
id = "own"
place = "US"
hours = { daily = ["00:00-24:00"] }
source = "the test"
read_on = 2026-09-15
confidence = "H"
"""
ANY_HOUR = CallingTerms(
    calling_hours=CallingHours(HoursRule.ANY, waived_by=BY, reason="a test")
)


def reasons(cluster: Cluster, campaign_id: UUID) -> set[WaitingCode]:
    decision = cluster.services.process_records.decision(campaign_id)
    return {WaitingCode(why.code) for why in decision.reasons} if decision else set()


def wait_for_passes(cluster: Cluster, campaign_id: UUID, passes: int = 3) -> None:
    """Wait until the scheduler has decided about the campaign several times more."""
    seen = set()

    def decided() -> bool:
        decision = cluster.services.process_records.decision(campaign_id)
        seen.add(decision.decided_at if decision else None)
        return len(seen) > passes

    eventually(decided, WITHIN, what="further decisions")


def test_nobody_is_called_while_the_folder_of_rules_is_away(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, away = tmp_path / "rules", tmp_path / "away"
    folder.mkdir()
    (folder / "US.toml").write_text(RULE)
    monkeypatch.setenv("AUTOLYNX_RULES_DIR", str(folder))
    before = cluster.services.settings.values()
    cluster.services.set(calling_rules=RulesMode.ENFORCED, rules_waived_by=None)
    first, *others = phones(3, first=next(numbers))
    campaign_id = cluster.services.campaign((first,), terms=ANY_HOUR)
    with leading(cluster):
        eventually(lambda: calls_to(cluster, first) == {first: 1}, WITHIN)
        folder.rename(away)
        checked_again = monotonic_now() + CHECK_SECONDS
        eventually(lambda: monotonic_now() > checked_again, 2 * CHECK_SECONDS)
        blind = cluster.services.campaign(others, terms=ANY_HOUR)
        unavailable = {WaitingCode.RULES_UNAVAILABLE}
        eventually(lambda: reasons(cluster, blind) == unavailable, WITHIN)
        wait_for_passes(cluster, blind)
        assert calls_to(cluster, *others) == {}
        away.rename(folder)
        eventually(
            lambda: calls_to(cluster, *others) == dict.fromkeys(others, 1), WITHIN
        )
        cancel_all(cluster, campaign_id, blind)
    cluster.services.settings.change(before, by=BY)


def test_nobody_whom_an_unreadable_list_covers_is_called(cluster: Cluster) -> None:
    covered, other = "+13055550100", phones(1, first=next(numbers))[0]
    services, today = cluster.services, cluster.services.now().date()
    terms = ListTerms("Florida", as_of=today, covers=("+1305",))
    version, _ = services.suppression_lists.receive(terms, [b"+13055550199"], by=BY)
    with services.writing.connection() as conn:
        lost = "delete from suppression_block where version_id = %s"
        conn.execute(lost, (version.version_id,))
    campaign_id = services.campaign((covered, other))
    with leading(cluster):
        unavailable = {WaitingCode.RULES_UNAVAILABLE}
        eventually(lambda: calls_to(cluster, other) == {other: 1}, WITHIN)
        eventually(lambda: reasons(cluster, campaign_id) == unavailable, WITHIN)
        wait_for_passes(cluster, campaign_id)
        assert calls_to(cluster, covered) == {}
        with services.reading.connection() as conn:
            faults = list_faults(conn, versions(conn), today)
        assert any("The list Florida cannot be read" in fault for fault in faults)
        services.suppression_lists.receive(terms, [b"+13055550199"], by=BY)
        cluster.clock.jump(timedelta(minutes=11).total_seconds())
        eventually(lambda: calls_to(cluster, covered) == {covered: 1}, WITHIN)
        cancel_all(cluster, campaign_id)
