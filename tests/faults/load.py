"""One campaign of 250 contacts while each of our processes is repeatedly killed.

`python -m tests.faults.load` runs it alone.
"""

import logging
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from provider.vapi.client import VapiProvider
from provider.vapi.settings import VapiSettings
from storage.database import connect
from storage.process.embedded_postgres import embedded_postgres
from tests.child_process import kill, started
from tests.conftest import FAST
from tests.faults.cluster import (
    ROOT,
    SETTINGS,
    Cluster,
    house_without_projector,
    shown_log,
    started_clock,
)
from tests.ports import free_port
from tests.simulator import running_simulator

PEOPLE, CAP, SPEED = 250, 12, 60
KILLING_SECONDS = 40.0
MOST_NEVER_CALLED = PEOPLE // 50

ROLES = ("scheduler", "scheduler", "projections", "interfaces.asgi")
FAULTS = {
    "requests": {
        "rate_limited": 0.08,
        "error_before": 0.06,
        "error_after": 0.06,
        "hang_before": 0.015,
        "hang_after": 0.015,
    },
    "webhooks": {"lost": 0.1, "late": 0.25, "twice": 0.15},
}


@dataclass
class LoadResult:
    """The result of one run; `seconds` is the real time until all was reported."""

    killed: Counter[str] = field(default_factory=Counter)
    never_called: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    calls_while_killing: int = 0


class ProcessGroup:
    """One process per role, each restarted after it is killed."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment, self._log = environment, log
        self._running = [self._start(role) for role in ROLES]
        self.killed: Counter[str] = Counter()

    def kill(self, number: int) -> None:
        kill(self._running[number])
        self.killed[f"{ROLES[number]}: killed by SIGKILL under load"] += 1
        self._running[number] = self._start(ROLES[number])

    def end(self) -> None:
        for process in self._running:
            kill(process)

    def _start(self, role: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", role]
        return started(command, log=self._log, cwd=ROOT, env=self._environment)


def run_under_load(url: str, seed: int, *, webhooks: bool = True) -> LoadResult:
    """Run the campaign on an empty database; raise AssertionError on a violation."""
    random, started = Random(seed), monotonic()
    faults = FAULTS if webhooks else {**FAULTS, "webhooks": {"lost": 1.0}}
    outcomes = {"customer-ended-call": 8, "customer-did-not-answer": 2}
    simulated = {"faults": faults, "outcomes": outcomes}
    with process_group(url, seed, simulated) as (cluster, processes):
        campaign_id = cluster.services.campaign(PEOPLE, cap=CAP)
        until = {
            number: monotonic() + random.uniform(2, 5) for number in range(len(ROLES))
        }
        end = monotonic() + KILLING_SECONDS
        while (now := monotonic()) < end:
            for number in [one for one, at in until.items() if at <= now]:
                processes.kill(number)
                until[number] = monotonic() + random.uniform(2, 5)
            Event().wait(0.1)
        placed = len(cluster.simulator.ledger()["calls"])
        never = cluster.assert_matches_ledger(campaign_id, PEOPLE, CAP, within=400)
        assert never.total() <= MOST_NEVER_CALLED, f"never called: {never}"
        return LoadResult(processes.killed, never, monotonic() - started, placed)


@contextmanager
def process_group(
    url: str, seed: int, simulated: Mapping[str, Any]
) -> Iterator[tuple[Cluster, ProcessGroup]]:
    """Start all processes of an installation, and a simulator with these settings."""
    with ExitStack() as exit_stack:
        simulator = exit_stack.enter_context(
            running_simulator(
                speed=SPEED,
                seed=seed,
                concurrency_limit=CAP,
                **simulated,
            )
        )
        at = VapiSettings(base_url=simulator.url, api_key=simulator.api_key)
        clock = started_clock(exit_stack, rate=1)
        services = house_without_projector(url, exit_stack, clock, VapiProvider(at))
        port = free_port("127.0.0.1")
        hooks = f"http://127.0.0.1:{port}"
        log = exit_stack.enter_context(shown_log())
        cluster = Cluster(services, simulator, hooks, exit_stack, clock, log)
        own = {"AUTOLYNX_PORT": str(port), "AUTOLYNX_SETTINGS_GLOBAL_CAP": str(CAP)}
        processes = ProcessGroup(
            {**os.environ, **SETTINGS, **cluster.environment(), **own}, log
        )
        exit_stack.callback(processes.end)
        yield cluster, processes


def main() -> None:
    logging.disable(logging.CRITICAL)
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_postgres(Path(folder) / "pg", FAST) as url,
    ):
        for one, webhooks in ((seed, True), (seed + 1, False)):
            own = urlsplit(url)._replace(path=f"/load_{one}").geturl()
            with connect(url, name="load") as connection:
                connection.execute(f"create database load_{one}".encode())
            sys.stdout.write(
                f"webhooks {webhooks}: {run_under_load(own, one, webhooks=webhooks)}\n"
            )


if __name__ == "__main__":
    main()
