"""Every process and the database are killed while results are sent: none is lost."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from interfaces.cli.demo.sample import write_sample
from storage.process.postgres_supervisor import Home
from tests import child_process
from tests.end_to_end.processes import (
    Up,
    beside,
    command,
    running_up,
    start_campaign,
)
from tests.scheduler.deliveries.receiver import Received, receiving
from tests.simulator import Simulator, running_simulator
from tests.support import eventually

PEOPLE, CAP = 9, 2
WITHIN = 150.0
COMPLETED, FINISHED = "campaign.completed", "contact.finished"
MODULES = ("interfaces.asgi", "projections", "scheduler")

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="child processes are found by /proc"
)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator(speed=60, outcomes={"customer-ended-call": 1}) as simulator:
        yield simulator


def test_no_delivery_is_lost_when_every_process_and_the_database_are_killed(
    simulator: Simulator, tmp_path: Path
) -> None:
    settings = beside(simulator) | {
        "DATA_DIR": tmp_path / "data",
        "RECONCILE_SECONDS": 1,
        "VAPI_TIMEOUT_SECONDS": 2,
        "SETTINGS_TICK_SECONDS": 1,
        "SETTINGS_DIALS_PER_SECOND": 50,
        "DELIVERY_RETRY_SECONDS": "[0.2]",
    }
    with ExitStack() as opened:
        received = opened.enter_context(receiving())
        received.answer = slowly
        up = opened.enter_context(running_up(tmp_path, **settings))
        settings["PORT"] = int(up.url.rpartition(":")[2])
        added = command("webhooks", "add", received.url, cwd=tmp_path, **settings)
        received.secrets.append(added.split()[-1])
        write_sample(tmp_path / "people.csv", PEOPLE)
        campaign = start_campaign(tmp_path / "people.csv", CAP, **settings)
        for number, module in enumerate(MODULES, start=1):
            arrive(received, 2 * number)
            kill(up, module)
        arrive(received, 9)
        os.kill(postgres_pid(tmp_path / "data"), signal.SIGKILL)
        child_process.kill(up.process)
        opened.enter_context(running_up(tmp_path, **settings))
        eventually(lambda: len(finished(received)) == PEOPLE, WITHIN, what="results")
        eventually(lambda: COMPLETED in received.types, WITHIN, what="the end")
        show = ("campaigns", "show", str(campaign), "--json")
        assert '"COMPLETED"' in command(*show, cwd=tmp_path, **settings)
    assert received.faults == []
    assert_in_order_without_gaps(received)


def slowly(_body: dict[str, Any]) -> int:
    sleep(0.05)
    return 200


def arrive(received: Received, count: int) -> None:
    eventually(lambda: len(received.accepted) >= count, WITHIN, what=f"{count} of them")


def kill(up: Up, module: str) -> None:
    """Kill a process, and wait until its successor runs."""
    victim = up.child(module)
    os.kill(victim, signal.SIGKILL)

    def runs_again() -> bool:
        named = [pid for pid, line in up.children().items() if f" {module}" in line]
        return bool({*named} - {victim})

    eventually(runs_again, WITHIN, what=f"another {module}")


def postgres_pid(data: Path) -> int:
    pid = Home(data).server_pid()
    assert pid is not None
    return pid


def by_contact(received: Received) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for body in received.accepted:
        if "contact" in body["data"]:
            found.setdefault(body["data"]["contact"]["id"], []).append(body["type"])
    return found


def finished(received: Received) -> list[str]:
    return [id_ for id_, types in by_contact(received).items() if types[-1] == FINISHED]


def assert_in_order_without_gaps(received: Received) -> None:
    """Check the first arrivals, and that repeats have the same content."""
    types = [body["type"] for body in received.accepted]
    assert types[0] == "campaign.started"
    assert types.count(COMPLETED) == 1
    each = ["call.finished", FINISHED]
    assert list(by_contact(received).values()) == [each] * PEOPLE
    known: dict[str, dict[str, Any]] = {}
    for id_, body in zip(received.ids, received.bodies, strict=True):
        assert known.setdefault(id_, body) == body
