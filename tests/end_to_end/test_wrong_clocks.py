"""Hosts whose clocks are ten minutes wrong, or jump while a campaign runs.

The processes run with libfaketime; the database and the simulator have the true time.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from interfaces.cli.demo.client import Client
from interfaces.cli.demo.sample import write_sample
from provider.simulator.settings import (
    DEFAULT_ASSISTANT_ID,
    DEFAULT_PHONE_NUMBER_ID,
    OUTCOMES,
)
from tests.child_process import child, ended, kill
from tests.end_to_end.processes import (
    HOST,
    beside,
    environment,
    token_of_an_admin,
)
from tests.ports import free_port
from tests.simulator import Simulator, running_simulator
from tests.support import eventually

ROOT = Path(__file__).parents[2]
LIBRARY = next(Path("/usr").glob("lib*/**/faketime/libfaketimeMT.so.1"), None)
CONTACTS, CAP = 16, 3
AHEAD, BEHIND = "+600", "-600"
TOLERANCE = timedelta(seconds=5)
"""Between the database's clock and the simulator's, on one machine under load."""

ENDINGS = {k: v for k, v in OUTCOMES.items() if not k.startswith("call.start")}
PROGRESS = """query($id: ID!) { campaign(id: $id) { state
  progress { pending active timedOut awaitingReports } } }"""
TIMES = """query($id: ID!) { campaign(id: $id) {
  createdAt queuedAt startedAt completedAt
  contacts(first: 20) { nodes { calls {
    queuedAt placedAt startedAt endedAt lastEventAt } } }
  lastDecision { decidedAt } } }"""
EVENTS = """query { events(first: 100, newestFirst: true) { nodes { occurredAt } } }"""

pytestmark = pytest.mark.skipif(
    LIBRARY is None,
    reason="libfaketime is not installed: on Debian, apt install faketime",
)


class Host:
    """Runs processes whose clock is wrong by the offset of `set`, in seconds."""

    def __init__(self, folder: Path, name: str, wrong: str) -> None:
        self._offset = folder / f"{name}.offset"
        self._log = folder / f"{name}.log"
        self.set(wrong)

    def set(self, wrong: str) -> None:
        """Replace the file at once, so that no process reads half of it."""
        written = self._offset.with_suffix(".new")
        written.write_text(f"{wrong}\n")
        written.replace(self._offset)

    def running(
        self, module: str, **settings: Any
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        wrong = {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": str(ROOT),
        }
        return child(
            [sys.executable, "-m", module],
            log=self._log,
            env=environment(**settings) | wrong,
            cwd=self._log.parent,
        )


def test_libfaketime_changes_the_time_of_a_process(tmp_path: Path) -> None:
    host = Host(tmp_path, "host", AHEAD)
    (tmp_path / "told.py").write_text("import time; print(time.time(), flush=True)")
    with host.running("told") as process:
        ended(process)
    result = float((tmp_path / "host.log").read_text())
    assert result - datetime.now(UTC).timestamp() > 500


def test_a_campaign_on_hosts_with_wrong_and_jumping_clocks_keeps_every_rule(
    database: str, tmp_path: Path
) -> None:
    began = datetime.now(UTC)
    phones = write_sample(tmp_path / "people.csv", CONTACTS)
    early, late = Host(tmp_path, "early", BEHIND), Host(tmp_path, "late", AHEAD)
    with ExitStack() as running:
        simulator = running.enter_context(running_simulator(speed=40, outcomes=ENDINGS))
        settings = settings_of(database, simulator)
        leader = running.enter_context(late.running("scheduler", **settings))
        running.enter_context(early.running("projections", **settings))
        running.enter_context(late.running("interfaces.asgi", **settings))
        client = Client(
            f"http://{HOST}:{settings['PORT']}", token_of_an_admin(database)
        )
        running.callback(client.close)
        eventually(client.ready, within=60, what="an API that is ready")
        id_ = started_campaign(client, tmp_path / "people.csv")

        eventually(lambda: called(simulator) >= 3, within=60, what="the first calls")
        late.set(BEHIND)
        early.set(AHEAD)
        eventually(lambda: called(simulator) >= 7, within=60, what="calls after a jump")
        running.enter_context(early.running("scheduler", **settings))
        kill(leader)
        late.set(AHEAD)
        eventually(lambda: is_over(client, id_), within=120, what="the end")

        ledger = simulator.ledger(calls=CONTACTS, timeout=30)
        assert Counter(call["number"] for call in ledger["calls"]) == Counter(phones)
        assert ledger["highWater"]["campaigns"][id_] <= CAP
        progress = client.ask(PROGRESS, id=id_)["progress"]
        assert progress["timedOut"] == 0
        until = datetime.now(UTC)
        shown = [*times(client.ask(TIMES, id=id_)), *times(client.ask(EVENTS))]
        assert len(shown) > CONTACTS
        assert min(shown) >= began - TOLERANCE
        assert max(shown) <= until + TOLERANCE


def settings_of(database: str, simulator: Simulator) -> dict[str, Any]:
    return beside(simulator) | {
        "DATABASE_URL": database,
        "PORT": free_port(HOST),
        "RECONCILE_SECONDS": 1,
        "VAPI_TIMEOUT_SECONDS": 5,
        "SETTINGS_TICK_SECONDS": 1,
        "SETTINGS_DIALS_PER_SECOND": 10,
    }


def started_campaign(client: Client, file: Path) -> str:
    imported = client.ask(
        "mutation ($id: String!) { importAssistant(providerAssistantId: $id)"
        " { ... on Assistant { id } } }",
        id=DEFAULT_ASSISTANT_ID,
    )
    wanted = {
        "name": "Wrong clocks",
        "uploadId": client.upload(file)["id"],
        "assistantId": imported["id"],
        "phoneNumberId": DEFAULT_PHONE_NUMBER_ID,
        "cap": CAP,
    }
    made = client.ask(
        "mutation ($input: CreateCampaignInput!) { createCampaign(input: $input)"
        " { ... on ImportedCampaign { campaign { id } } } }",
        input=wanted,
    )
    id_ = str(made["campaign"]["id"])
    client.ask("mutation ($id: ID!) { startCampaign(id: $id) { __typename } }", id=id_)
    return id_


def called(simulator: Simulator) -> int:
    return len(simulator.ledger()["calls"])


def is_over(client: Client, campaign_id: str) -> bool:
    shown = client.ask(PROGRESS, id=campaign_id)
    return shown["state"] == "COMPLETED" and not shown["progress"]["awaitingReports"]


def times(document: Any) -> Iterator[datetime]:
    """Yield every time in an answer."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name.endswith("At") and value is not None:
                yield datetime.fromisoformat(value)
            else:
                yield from times(value)
    elif isinstance(document, list):
        for item in document:
            yield from times(item)
