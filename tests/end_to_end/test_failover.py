"""The primary database dies in the middle of a campaign; its standby takes over."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.values import CampaignState
from interfaces.cli.demo.sample import write_sample
from projections.engine.verify import verify
from provider.simulator.settings import NEVER_ENDS, OUTCOMES
from provider.vapi.messages.reading import REPORT
from storage.database import open_pool
from storage.process.embedded_postgres import binaries_for
from storage.process.postgres_supervisor import Home
from storage.vault.tables import Vault
from tests.end_to_end.processes import beside, running_up, start_campaign
from tests.end_to_end.replication import Pair, replicated
from tests.faults.cluster import label_and_time
from tests.simulator import Simulator, running_simulator
from tests.support import eventually

CONTACTS, CAP = 20, 4
ENDINGS = {k: v for k, v in OUTCOMES.items() if not k.startswith("call.start")}

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").exists(),
    reason="a server's processes are found by Linux' /proc",
)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    binaries = binaries_for(Home(tmp_path))
    if not (binaries / "pg_basebackup").exists():
        pytest.skip("these binaries of Postgres cannot copy a server")
    with replicated(tmp_path, binaries) as pair:
        yield pair


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator(speed=60, outcomes=ENDINGS) as simulator:
        yield simulator


def settings_of(pair: Pair, simulator: Simulator) -> dict[str, Any]:
    return beside(simulator) | {
        "DATABASE_URL": pair.url,
        "RECONCILE_SECONDS": 1,
        "VAPI_TIMEOUT_SECONDS": 2,
        "SETTINGS_TICK_SECONDS": 1,
        "SETTINGS_DIALS_PER_SECOND": 10,
    }


type Acknowledged = tuple[UUID, str, int]
"""Our call id, the label of a webhook and its timestamp in milliseconds."""


def acknowledged(ledger: dict[str, Any]) -> set[Acknowledged]:
    """Return the webhooks that were answered 200."""
    return {
        (UUID(call["metadata"]["autolynx_call_id"]), sent["label"], sent["timestamp"])
        for call in ledger["calls"]
        for sent in call["webhooks"]
        if sent["outcome"] == "delivered"
    }


def reports(told: set[Acknowledged]) -> int:
    return sum(label == REPORT for _, label, _ in told)


def missing(url: str, told: set[Acknowledged]) -> set[Acknowledged]:
    """Return what was acknowledged but is not stored by the server at `url`."""
    with open_pool(url, name="test", max_size=2) as pool:
        vault = Vault(pool)
        stored = {
            (call_id, *label_and_time(message.document))
            for call_id in {call_id for call_id, _, _ in told}
            for message in vault.messages_of(call_id)
            if "message" in message.document  # Others are answers to GET /call.
        }
    return told - stored


def long_calls(simulator: Simulator, phones: list[str]) -> list[str]:
    """Return the ids of the live calls that were made to end only when asked."""
    return [
        call["id"]
        for call in simulator.ledger()["calls"]
        if call["number"] in phones and call["status"] != "ended"
    ]


def is_over(url: str, campaign_id: UUID) -> bool:
    query = "select state, awaiting_reports from read.campaign_board where id = %s"
    with psycopg.connect(url) as conn:
        row = conn.execute(query, (campaign_id,)).fetchone()
    return row == (CampaignState.COMPLETED, 0)


def test_a_campaign_survives_the_loss_of_the_primary_without_losing_acknowledged_data(
    pair: Pair, simulator: Simulator, tmp_path: Path
) -> None:
    phones = write_sample(tmp_path / "people.csv", CONTACTS)
    settings = settings_of(pair, simulator)
    campaign_id = start_campaign(tmp_path / "people.csv", CAP, **settings)
    # Some calls last until the primary is lost, so that the campaign is not over.
    simulator.set_faults(endings=dict.fromkeys(phones[CONTACTS // 2 :], NEVER_ENDS))

    def acknowledged_so_far() -> set[Acknowledged]:
        return acknowledged(simulator.ledger())

    with running_up(tmp_path, **settings):
        eventually(lambda: len(acknowledged_so_far()) >= 8, 120, what="8 webhooks")
        pair.lose_primary()
        before = acknowledged_so_far()
        pair.promote()
        simulator.set_faults()
        lost = missing(pair.standby.url, before)
        simulator.hang_up(*long_calls(simulator, phones[CONTACTS // 2 :]))
        eventually(lambda: is_over(pair.standby.url, campaign_id), 120, what="the end")
    ledger = simulator.ledger(calls=CONTACTS, timeout=30)
    assert reports(before) < CONTACTS
    assert lost == set()
    assert missing(pair.standby.url, acknowledged(ledger)) == set()
    assert Counter(call["number"] for call in ledger["calls"]) == Counter(phones)
    assert ledger["highWater"]["campaigns"][str(campaign_id)] <= CAP
    problems: list[str] = []
    verify(
        pair.standby.url,
        now=lambda: datetime.now(UTC),
        on_problem=lambda problem: problems.append(problem.message),
    )
    assert problems == []
