"""The processes of a day: AutoLynx twice, Postgres, the simulator, a balancer."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx2

from bench.day.balancer import Traffic, read_traffic
from bench.day.scale import LINES, TALK_SECONDS, Scale
from bench.support.installation import (
    Installation,
    Server,
    answers,
    free_port,
    process,
    wait_for,
)
from provider.simulator.settings import (
    DEFAULT_API_KEY,
    DEFAULT_ASSISTANT_ID,
    DEFAULT_PHONE_NUMBER_ID,
)
from storage.process.postgres_supervisor import Home

LONG_REPORTS = {"share": 0.01, "least_bytes": 500_000}
MORE_LINES = [str(UUID(int=number, version=4)) for number in range(1, LINES)]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The running processes.

    `pids` has all that are measured, by name; that of Postgres is the one whose
    children are its backends. The balancer writes its measurements to `traffic`.
    """

    installed: Installation
    apis: tuple[str, ...]
    simulator: str
    receiver: str
    assistant: str
    lines: tuple[str, ...]
    pids: dict[str, int]
    traffic: Path

    def read_traffic(self) -> Traffic:
        """Return what the balancer has measured so far."""
        os.kill(self.pids["balancer"], signal.SIGUSR1)
        wait_for(self.traffic.exists, "the balancer's file")
        return read_traffic(self.traffic)

    def ledger(self) -> list[dict[str, object]]:
        """Return all calls that the simulator placed."""
        answer = httpx2.get(f"{self.simulator}/simulator/ledger", timeout=600)
        calls: list[dict[str, object]] = answer.raise_for_status().json()["calls"]
        return calls


@contextmanager
def running(server: Server, scale: Scale) -> Iterator[Fleet]:
    """Start all processes but the dashboards; end them after the block."""
    ports = [free_port() for _ in range(5)]
    balanced, receiver, simulated, *own = ports
    simulator = f"http://127.0.0.1:{simulated}"
    apis = tuple(f"http://127.0.0.1:{port}" for port in own)
    traffic = server.folder / "traffic.json"
    balancing = {
        "port": balanced,
        "receiver_port": receiver,
        "targets": own,
        "file": str(traffic),
    }
    environment = _environment(simulator, balanced, scale)
    with ExitStack() as opened:

        def start(module: str, variables: dict[str, str], *arguments: str) -> int:
            return opened.enter_context(process(module, variables, arguments)).pid

        outside = {
            "simulator": start("provider.simulator", {}, *_simulator(simulated, scale)),
            "balancer": start("bench.day.balancer", {}, json.dumps(balancing)),
        }
        wait_for(lambda: answers(f"{simulator}/simulator/health"), "the simulator")
        installed = opened.enter_context(
            server.installation(environment | {"AUTOLYNX_PORT": str(own[0])})
        )
        first = installed.environment
        second = first | {"AUTOLYNX_PORT": str(own[1])}
        pids = {
            "api 1": installed.api.pid,
            "api 2": start("interfaces.asgi", second),
            "projector 1": installed.projector.pid,
            "projector 2": start("projections", second),
            "scheduler 1": start("scheduler", first),
            "scheduler 2": start("scheduler", second),
            "postgres": _postgres(server),
            **outside,
        }
        wait_for(lambda: answers(f"{apis[1]}/healthz"), "the second API")
        yield Fleet(
            installed=installed,
            apis=apis,
            simulator=simulator,
            receiver=f"http://127.0.0.1:{receiver}/",
            assistant=DEFAULT_ASSISTANT_ID,
            lines=(DEFAULT_PHONE_NUMBER_ID, *MORE_LINES),
            pids=pids,
            traffic=traffic,
        )


def _simulator(port: int, scale: Scale) -> list[str]:
    lines = [
        {"id": line, "number": f"+1202555011{number}", "name": f"Line {number}"}
        for number, line in enumerate(MORE_LINES)
    ]
    settings = {
        "port": port,
        "concurrency_limit": scale.calls,
        "talk_seconds": TALK_SECONDS,
        "announce_queued": True,
        "phone_numbers": lines,
        "faults": {"reports": [LONG_REPORTS]},
    }
    return ["--settings", json.dumps(settings)]


def _environment(simulator: str, balancer: int, scale: Scale) -> dict[str, str]:
    return {
        "AUTOLYNX_PUBLIC_URL": f"http://127.0.0.1:{balancer}",
        "AUTOLYNX_VAPI_BASE_URL": simulator,
        "AUTOLYNX_VAPI_API_KEY": DEFAULT_API_KEY,
        "AUTOLYNX_SETTINGS_GLOBAL_CAP": str(scale.calls),
        "AUTOLYNX_SETTINGS_DIALS_PER_SECOND": str(scale.dials_per_second),
    }


def _postgres(server: Server) -> int:
    pid = Home(server.folder / "pg").server_pid()
    assert pid is not None
    return pid
