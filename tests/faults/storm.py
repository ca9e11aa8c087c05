"""One campaign of some hundred people, while all our processes are ended by SIGKILL.

`python -m tests.faults.storm` runs it alone.
"""

import logging
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event
from time import monotonic
from urllib.parse import urlsplit

from interfaces.cli.roles import free_port
from provider.vapi import VapiProvider, VapiSettings
from storage.database import connect
from storage.embedded import embedded_postgres
from tests.conftest import FAST
from tests.faults.stage import (
    ROOT,
    SETTINGS,
    Stage,
    house_without_projector,
    started_clock,
)
from tests.simulator import running_simulator

PEOPLE, CAP, SPEED = 250, 12, 60
STORM_SECONDS = 40.0
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
class Weather:
    """What came of it; seconds are real ones."""

    killed: Counter[str] = field(default_factory=Counter)
    never_called: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    placed_in_the_storm: int = 0


class Company:
    """All our processes, each started again when it was killed."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._running = [self._start(role) for role in ROLES]
        self.killed: Counter[str] = Counter()

    def kill(self, number: int) -> None:
        self._running[number].kill()
        self._running[number].wait()
        self.killed[f"{ROLES[number]}: ended by SIGKILL in a storm"] += 1
        self._running[number] = self._start(ROLES[number])

    def end(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    def _start(self, role: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", role],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def storm(url: str, seed: int, *, webhooks: bool = True) -> Weather:
    """Run it on the empty database of that URL; AssertionError where it went wrong."""
    dice, started = Random(seed), monotonic()
    with _company(url, seed, webhooks=webhooks) as (stage, company):
        campaign_id = stage.house.campaign(PEOPLE, cap=CAP)
        until = {
            number: monotonic() + dice.uniform(2, 5) for number in range(len(ROLES))
        }
        end = monotonic() + STORM_SECONDS
        while (now := monotonic()) < end:
            for number in [one for one, at in until.items() if at <= now]:
                company.kill(number)
                until[number] = monotonic() + dice.uniform(2, 5)
            Event().wait(0.1)
        placed = len(stage.simulator.ledger()["calls"])
        never = stage.ends_true(campaign_id, PEOPLE, CAP, within=400)
        assert never.total() <= MOST_NEVER_CALLED, f"never called: {never}"
        return Weather(company.killed, never, monotonic() - started, placed)


@contextmanager
def _company(url: str, seed: int, *, webhooks: bool) -> Iterator[tuple[Stage, Company]]:
    with ExitStack() as opened:
        faults = FAULTS if webhooks else {**FAULTS, "webhooks": {"lost": 1.0}}
        simulator = opened.enter_context(
            running_simulator(
                speed=SPEED,
                seed=seed,
                concurrency_limit=CAP,
                outcomes={"customer-ended-call": 8, "customer-did-not-answer": 2},
                faults=faults,
            )
        )
        at = VapiSettings(base_url=simulator.url, api_key=simulator.api_key)
        clock = started_clock(opened, rate=1)
        house = house_without_projector(url, opened, clock, VapiProvider(at))
        port = free_port("127.0.0.1")
        hooks = f"http://127.0.0.1:{port}"
        stage = Stage(house, simulator, hooks, opened, clock)
        own = {"AUTOLYNX_PORT": str(port), "AUTOLYNX_SETTINGS_GLOBAL_CAP": str(CAP)}
        company = Company({**os.environ, **SETTINGS, **stage._places(), **own})
        opened.callback(company.end)
        yield stage, company


def main() -> None:
    logging.disable(logging.CRITICAL)
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_postgres(Path(folder) / "pg", FAST) as url,
    ):
        for one, webhooks in ((seed, True), (seed + 1, False)):
            own = urlsplit(url)._replace(path=f"/storm_{one}").geturl()
            with connect(url, name="storm") as connection:
                connection.execute(f"create database storm_{one}".encode())
            sys.stdout.write(
                f"webhooks {webhooks}: {storm(own, one, webhooks=webhooks)}\n"
            )


if __name__ == "__main__":
    main()
