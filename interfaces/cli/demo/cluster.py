"""All that the demo runs on: a database, the provider's stand-in, every role."""

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
from interfaces.cli.database import prepare
from interfaces.cli.demo.client import Client
from interfaces.cli.roles import free_port, is_well
from interfaces.cli.supervisor import ALL, LOOK_SECONDS, Role, Supervisor
from interfaces.cli.workbench import workbench
from storage.process.embedded_postgres import embedded_postgres
from storage.process.postgres_supervisor import Home

HOST = "127.0.0.1"
MEMBER = "demo@autolynx.example"
READY_SECONDS = 60.0
GONE_SECONDS = 15.0
# Nothing here outlives the demo, so nothing waits for the disk.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class NotReady(Failure):
    """A process did not come up in time; its log says why."""


class Stopped(Exception):
    """A person told the demo to stop."""


@dataclass(frozen=True)
class Play:
    """What is to be shown; `speed` divides the length of the simulated calls."""

    contacts: int
    cap: int
    port: int
    speed: float


@dataclass(frozen=True)
class Stage:
    """A running AutoLynx with one member, and the provider's stand-in beside it."""

    url: str
    database_url: str
    token: str
    client: Client
    simulator_url: str
    supervisor: Supervisor
    told: Event

    def sign_in_link(self) -> str:
        """Make a link by which the member comes in once, within 15 minutes."""
        with workbench(Configuration(database_url=self.database_url)) as bench:
            token = bench.sign_in_links.create(
                email=MEMBER, secret=secrets.token_bytes(32), now=bench.context.now()
            )
        return f"{self.url}/sign-in#token={token}"

    def tend(self) -> None:
        """Keep the processes going; raise Stopped when told to stop."""
        self.supervisor.tend()
        if self.told.is_set():
            raise Stopped

    def wait_until(self, fact: Callable[[], object], said: str) -> None:
        deadline = monotonic() + READY_SECONDS
        while not fact():
            self.tend()
            if monotonic() > deadline:
                raise NotReady(f"Waited {READY_SECONDS:g} s in vain for {said}.")
            self.told.wait(LOOK_SECONDS)

    def ledger(self, calls: int) -> dict[str, Any]:
        """Read the provider's book, once its reports were all sent (or 30 s passed)."""
        query = {"calls": calls, "timeout": 30}
        url = f"{self.simulator_url}/simulator/ledger"
        answer = httpx2.get(url, params=query, timeout=40, trust_env=False)
        ledger: dict[str, Any] = answer.raise_for_status().json()
        return ledger

    def simulator_answers(self) -> bool:
        return is_well(f"{self.simulator_url}/simulator/health")


@contextmanager
def stage(
    play: Play, folder: Path, told: Event, say: Callable[[str], None]
) -> Iterator[Stage]:
    """Run everything in this context; logs go to `folder`."""
    os.chmod(folder, 0o711)  # noqa: S103, PTH101 - as root, Postgres runs as another user
    url, simulator_port = f"http://{HOST}:{play.port}", free_port(HOST)
    simulator_url, key = f"http://{HOST}:{simulator_port}", secrets.token_urlsafe(24)
    with embedded_postgres(folder / "database", QUICK) as database_url:
        prepare(database_url)
        environment = _environment(play, database_url, simulator_url, key)
        with (folder / "processes.log").open("ab") as log:
            roles = [_simulator(play, simulator_port, key), *ALL]
            supervisor = Supervisor(
                roles, environment, say=say, output=log, folder=folder
            )
            with supervisor.running():
                token = _admit(database_url)
                client = Client(url, token)
                yield Stage(
                    url, database_url, token, client, simulator_url, supervisor, told
                )
                client.close()


def remove(folder: Path) -> None:
    """Remove the folder once its Postgres has ended."""
    home, pause = Home(folder / "database"), Event()
    deadline = monotonic() + GONE_SECONDS
    while home.server_pid() is not None and monotonic() < deadline:
        pause.wait(LOOK_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)


def _simulator(play: Play, port: int, key: str) -> Role:
    options = {
        "--port": port,
        "--speed": play.speed,
        "--api-key": key,
        "--concurrency-limit": max(play.cap, 10),
    }
    arguments = [str(part) for option in options.items() for part in option]
    return Role("simulator", "provider.simulator", tuple(arguments), stop_seconds=2.0)


def _environment(
    play: Play, database_url: str, simulator_url: str, key: str
) -> dict[str, str]:
    """What the processes see: ours alone, whatever the caller has configured."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("AUTOLYNX_")}
    url = f"http://{HOST}:{play.port}"
    own: dict[str, object] = {
        "DATABASE_URL": database_url,
        "HOST": HOST,
        "PORT": play.port,
        "PUBLIC_URL": url,
        "VAPI_BASE_URL": simulator_url,
        "VAPI_API_KEY": key,
        "WEBHOOK_SECRET": secrets.token_urlsafe(24),
        "RECONCILE_SECONDS": 2,
        "VAPI_TIMEOUT_SECONDS": 5,
        "LOG_FORMAT": "json",
        "SETTINGS_TICK_SECONDS": 1,
        "SETTINGS_DIALS_PER_SECOND": 20,
        "SETTINGS_GLOBAL_CAP": max(play.cap, 10),
    }
    ours = {f"AUTOLYNX_{name}": str(value) for name, value in own.items()}
    return inherited | ours | {"NO_PROXY": "127.0.0.1,localhost"}


def _admit(database_url: str) -> str:
    """Make one member, an admin, and return a token of hers."""
    with workbench(Configuration(database_url=database_url)) as bench:
        bench.members.add(MEMBER, MemberRole.ADMIN, by="cli:demo")
        return bench.tokens.create(
            token_id=bench.context.new_id(),
            email=MEMBER,
            secret=secrets.token_bytes(32),
            now=bench.context.now(),
        )
