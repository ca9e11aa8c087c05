"""The processes of the demo: database, provider simulator and all roles."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import httpx2

from application.configuration import Configuration
from application.errors import Failure
from domain.values import Role as MemberRole
from interfaces.auth.links import sign_in_address
from interfaces.cli.demo.client import Client
from interfaces.cli.roles import free_port, is_well
from interfaces.cli.supervisor import ALL, POLL_SECONDS, Role, Supervisor
from interfaces.cli.workbench import workbench
from projections.start_up import prepare_tables
from storage.process.embedded_postgres import embedded_postgres
from storage.process.postgres_supervisor import Home

HOST = "127.0.0.1"
MEMBER = "demo@autolynx.example"
ACTOR = "cli:demo"
READY_SECONDS = 60.0
EXIT_SECONDS = 15.0
# The data is deleted after the demo, so nothing needs to wait for the disk.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class NotReady(Failure):
    """A process did not start in time; its log has the reason."""


class Stopped(Exception):
    """The demo was stopped by a signal."""


@dataclass(frozen=True)
class Parameters:
    """Parameters of the demo; `speed` divides the duration of simulated calls."""

    contacts: int
    cap: int
    port: int
    speed: float


@dataclass(frozen=True)
class Cluster:
    """A running AutoLynx with one member, and a provider simulator."""

    url: str
    database_url: str
    token: str
    client: Client
    simulator_url: str
    supervisor: Supervisor
    stop: Event

    def sign_in_link(self) -> str:
        """Create a link by which the member can sign in once, within 15 minutes."""
        with workbench(Configuration(database_url=self.database_url)) as bench:
            link = bench.access.create_link(MEMBER, by=ACTOR)
        return sign_in_address(self.url, link.secret)

    def check(self) -> None:
        """Restart dead processes; raise Stopped after a stop signal."""
        self.supervisor.check()
        if self.stop.is_set():
            raise Stopped

    def wait_until(self, fact: Callable[[], object], what: str) -> None:
        """Wait until `fact` is true; raise NotReady after READY_SECONDS."""
        deadline = monotonic() + READY_SECONDS
        while not fact():
            self.check()
            if monotonic() > deadline:
                raise NotReady(f"{what} was not ready after {READY_SECONDS:g} s.")
            self.stop.wait(POLL_SECONDS)

    def ledger(self, calls: int) -> dict[str, Any]:
        """Return the simulator's ledger after all reports were sent, or after 30 s."""
        query = {"calls": calls, "timeout": 30}
        url = f"{self.simulator_url}/simulator/ledger"
        answer = httpx2.get(url, params=query, timeout=40, trust_env=False)
        ledger: dict[str, Any] = answer.raise_for_status().json()
        return ledger

    def simulator_answers(self) -> bool:
        """Return whether the simulator's health check answers."""
        return is_well(f"{self.simulator_url}/simulator/health")


@contextmanager
def run_cluster(
    parameters: Parameters, folder: Path, stop: Event, log: Callable[[str], None]
) -> Iterator[Cluster]:
    """Run all processes during the block; their logs are in `folder`."""
    os.chmod(folder, 0o711)  # noqa: S103, PTH101 - as root, Postgres runs as another user
    url, simulator_port = f"http://{HOST}:{parameters.port}", free_port(HOST)
    simulator_url, key = f"http://{HOST}:{simulator_port}", secrets.token_urlsafe(24)
    with embedded_postgres(folder / "database", QUICK) as database_url:
        prepare_tables(database_url, name="cli")
        environment = _environment(parameters, database_url, simulator_url, key)
        with (folder / "processes.log").open("ab") as output:
            roles = [_simulator(parameters, simulator_port, key), *ALL]
            supervisor = Supervisor(
                roles, environment, log=log, output=output, folder=folder
            )
            with supervisor.running():
                token = _add_member(database_url)
                client = Client(url, token)
                yield Cluster(
                    url, database_url, token, client, simulator_url, supervisor, stop
                )
                client.close()


def remove(folder: Path) -> None:
    """Remove the folder once its Postgres has ended."""
    home, pause = Home(folder / "database"), Event()
    deadline = monotonic() + EXIT_SECONDS
    while home.server_pid() is not None and monotonic() < deadline:
        pause.wait(POLL_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)


def _simulator(parameters: Parameters, port: int, key: str) -> Role:
    options = {
        "--port": port,
        "--speed": parameters.speed,
        "--api-key": key,
        "--concurrency-limit": max(parameters.cap, 10),
    }
    arguments = [str(part) for option in options.items() for part in option]
    return Role("simulator", "provider.simulator", tuple(arguments), stop_seconds=2.0)


def _environment(
    parameters: Parameters, database_url: str, simulator_url: str, key: str
) -> dict[str, str]:
    """Return the environment of the processes, without the caller's AUTOLYNX_*."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("AUTOLYNX_")}
    url = f"http://{HOST}:{parameters.port}"
    own: dict[str, object] = {
        "DATABASE_URL": database_url,
        "HOST": HOST,
        "PORT": parameters.port,
        "PUBLIC_URL": url,
        "VAPI_BASE_URL": simulator_url,
        "VAPI_API_KEY": key,
        "WEBHOOK_SECRET": secrets.token_urlsafe(24),
        "RECONCILE_SECONDS": 2,
        "VAPI_TIMEOUT_SECONDS": 5,
        "LOG_FORMAT": "json",
        "SETTINGS_TICK_SECONDS": 1,
        "SETTINGS_DIALS_PER_SECOND": 20,
        "SETTINGS_GLOBAL_CAP": max(parameters.cap, 10),
    }
    ours = {f"AUTOLYNX_{name}": str(value) for name, value in own.items()}
    return inherited | ours | {"NO_PROXY": "127.0.0.1,localhost"}


def _add_member(database_url: str) -> str:
    """Add one member, an admin, and return an API token of that member."""
    with workbench(Configuration(database_url=database_url)) as bench:
        bench.members.add(MEMBER, MemberRole.ADMIN, by=ACTOR)
        return bench.access.create_token(MEMBER, days=None, by=ACTOR).secret
