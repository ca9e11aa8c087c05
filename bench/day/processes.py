"""The processes of a day: AutoLynx twice, Postgres, the simulator, a balancer."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx2

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
    children are its backends. `stop` ends the balancer, so that it writes its file.
    """

    installed: Installation
    apis: tuple[str, str]
    simulator: str
    receiver: str
    assistant: str
    lines: tuple[str, ...]
    pids: dict[str, int]
    balancer: subprocess.Popen[bytes]
    traffic: Path

    @property
    def postgres(self) -> int:
        """The process id of the Postgres server."""
        return self.pids["postgres"]

    def ledger(self) -> list[dict[str, object]]:
        """Return all calls that the simulator placed."""
        answer = httpx2.get(f"{self.simulator}/simulator/ledger", timeout=600)
        calls: list[dict[str, object]] = answer.raise_for_status().json()["calls"]
        return calls


@contextmanager
def running(server: Server, scale: Scale) -> Iterator[Fleet]:
    """Start all processes but the dashboards; end them after the block."""
    balanced, receiver, simulated, api = (free_port() for _ in range(4))
    simulator = f"http://127.0.0.1:{simulated}"
    traffic = server.folder / "traffic.json"
    with ExitStack() as opened:
        started = opened.enter_context(
            process("provider.simulator", {}, _simulator(simulated, scale))
        )
        wait_for(lambda: answers(f"{simulator}/simulator/health"), "the simulator")
        installed = opened.enter_context(
            server.installation(_environment(simulator, balanced, scale))
        )
        second = installed.environment | {"AUTOLYNX_PORT": str(api)}
        roles = {
            "api 2": ("interfaces.asgi", second),
            "projector 2": ("projections", second),
            "scheduler 1": ("scheduler", installed.environment),
            "scheduler 2": ("scheduler", second),
        }
        others = {
            name: opened.enter_context(process(module, environment)).pid
            for name, (module, environment) in roles.items()
        }
        apis = installed.url, f"http://127.0.0.1:{api}"
        wait_for(lambda: answers(f"{apis[1]}/healthz"), "the second API")
        settings = {
            "port": balanced,
            "receiver_port": receiver,
            "targets": [int(url.rpartition(":")[2]) for url in apis],
            "file": str(traffic),
        }
        balancer = opened.enter_context(
            process("bench.day.balancer", {}, [json.dumps(settings)])
        )
        pids = {
            "api 1": installed.api.pid,
            "projector 1": installed.projector.pid,
            **others,
            "postgres": _postgres(server),
            "simulator": started.pid,
            "balancer": balancer.pid,
        }
        yield Fleet(
            installed=installed,
            apis=apis,
            simulator=simulator,
            receiver=f"http://127.0.0.1:{receiver}/",
            assistant=DEFAULT_ASSISTANT_ID,
            lines=(DEFAULT_PHONE_NUMBER_ID, *MORE_LINES),
            pids=pids,
            balancer=balancer,
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
