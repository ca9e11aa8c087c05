"""Two processes of each role behind a proxy; one of each is killed."""

import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    closing,
    contextmanager,
    suppress,
)
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import httpx2
import pytest

from interfaces.cli.demo.client import Client
from interfaces.cli.demo.sample import write_sample
from provider.simulator.settings import (
    DEFAULT_ASSISTANT_ID,
    DEFAULT_PHONE_NUMBER_ID,
    OUTCOMES,
)
from storage.database import connect
from tests.child_process import child, join, kill
from tests.end_to_end.processes import (
    HOST,
    beside,
    environment,
    token_of_an_admin,
)
from tests.ports import free_port
from tests.simulator import Simulator, running_simulator
from tests.support import eventually

CONTACTS, CAP = 24, 4
ENDINGS = {k: v for k, v in OUTCOMES.items() if not k.startswith("call.start")}
ROOT = Path(__file__).parents[2]

PROGRESS = """query ($id: ID!) { campaign(id: $id) { state progress {
  contacts pending active ended failed canceled timedOut awaitingReports } } }"""


class Balancer:
    """Forwards each connection to the next process that accepts it."""

    def __init__(self, ports: list[int]) -> None:
        self._ports, self._turn, self._lock = ports, 0, Lock()
        self._server = socket.create_server((HOST, 0))
        self.port = int(self._server.getsockname()[1])
        self.carried: Counter[int] = Counter()

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                Thread(target=self._carry, args=(client,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _carry(self, client: socket.socket) -> None:
        with closing(client):
            server = self._connected()
            if server is None:
                return
            with closing(server):
                back = Thread(target=_pass_on, args=(server, client), daemon=True)
                back.start()
                _pass_on(client, server)
                join(back)

    def _connected(self) -> socket.socket | None:
        with self._lock:
            self._turn += 1
            first = self._turn
        for number in range(len(self._ports)):
            port = self._ports[(first + number) % len(self._ports)]
            with suppress(OSError):
                server = socket.create_connection((HOST, port), timeout=5)
                server.settimeout(None)
                self.carried[port] += 1
                return server
        return None


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@dataclass
class Fleet:
    """The processes by role, and the proxy before the APIs."""

    database: str
    client: Client
    balancer: Balancer
    roles: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)

    def leader(self) -> subprocess.Popen[bytes]:
        """Find the leading scheduler by its heartbeat."""
        with connect(self.database, name="test") as conn:
            query = "select holder from heartbeat where role = 'scheduler'"
            row = conn.execute(query).fetchone()
        assert row is not None
        pid = int(row[0].rpartition(":")[2])
        (found,) = [one for one in self.roles["scheduler"] if one.pid == pid]
        return found


def started(
    module: str, folder: Path, **settings: Any
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return child(
        [sys.executable, "-m", module],
        log=folder / f"{module}.log",
        env=environment(**settings) | {"PYTHONPATH": str(ROOT)},
        cwd=folder,
    )


@contextmanager
def fleet_on(database: str, simulator: Simulator, folder: Path) -> Iterator[Fleet]:
    ports = [free_port(HOST), free_port(HOST)]
    balancer = Balancer(ports)
    settings = beside(simulator) | {
        "DATABASE_URL": database,
        "PUBLIC_URL": f"http://{HOST}:{balancer.port}",
        "RECONCILE_SECONDS": 1,
        "VAPI_TIMEOUT_SECONDS": 2,
        "SETTINGS_TICK_SECONDS": 1,
        "SETTINGS_DIALS_PER_SECOND": 10,
    }
    Thread(target=balancer.serve, daemon=True).start()
    with ExitStack() as running:
        running.callback(balancer.close)
        roles: dict[str, list[Any]] = {"api": [], "projector": [], "scheduler": []}
        for port in ports:
            with_port = settings | {"PORT": port}
            for role, module in (
                ("projector", "projections"),
                ("scheduler", "scheduler"),
                ("api", "interfaces.asgi"),
            ):
                process = running.enter_context(started(module, folder, **with_port))
                roles[role].append(process)
        client = Client(f"http://{HOST}:{balancer.port}", token_of_an_admin(database))
        running.callback(client.close)
        eventually(client.ready, within=60, what="a fit API")
        yield Fleet(database, client, balancer, roles)


def asked(fleet: Fleet, operation: str, **variables: Any) -> Any:
    """Repeat a request until it succeeds: a killed process breaks its connections."""
    answers: list[Any] = []

    def ask() -> bool:
        with suppress(httpx2.TransportError):
            answers.append(fleet.client.ask(operation, **variables))
        return bool(answers)

    eventually(ask, within=30, what="an answer")
    return answers[0]


def campaign_of(fleet: Fleet, file: Path) -> str:
    imported = asked(
        fleet,
        "mutation ($id: String!) { importAssistant(providerAssistantId: $id)"
        " { ... on Assistant { id } } }",
        id=DEFAULT_ASSISTANT_ID,
    )
    wanted = {
        "name": "Two dozen people",
        "uploadId": fleet.client.upload(file)["id"],
        "assistantId": imported["id"],
        "phoneNumberId": DEFAULT_PHONE_NUMBER_ID,
        "cap": CAP,
    }
    made = asked(
        fleet,
        "mutation ($input: CreateCampaignInput!) { createCampaign(input: $input)"
        " { ... on ImportedCampaign { campaign { id } } } }",
        input=wanted,
    )
    return str(made["campaign"]["id"])


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_campaign_survives_the_loss_of_one_process_of_each_role(
    database: str, tmp_path: Path
) -> None:
    phones = write_sample(tmp_path / "people.csv", CONTACTS)
    with (
        running_simulator(speed=60, outcomes=ENDINGS) as simulator,
        fleet_on(database, simulator, tmp_path) as fleet,
    ):
        id_ = campaign_of(fleet, tmp_path / "people.csv")
        start = "mutation ($id: ID!) { startCampaign(id: $id) { __typename } }"
        asked(fleet, start, id=id_)

        def called(least: int) -> bool:
            return len(simulator.ledger()["calls"]) >= least

        eventually(lambda: called(4), within=60, what="the first calls")
        kill(fleet.leader())
        eventually(lambda: called(9), within=60, what="calls of the second leader")
        kill(fleet.roles["projector"][0])
        kill(fleet.roles["api"][0])

        def progress() -> Any:
            return asked(fleet, PROGRESS, id=id_)

        def over() -> bool:
            shown = progress()
            awaited = shown["progress"]["awaitingReports"]
            return shown["state"] == "COMPLETED" and not awaited

        eventually(over, within=120, what="the end of the campaign")
        ledger, shown = simulator.ledger(calls=CONTACTS, timeout=30), progress()
        calls = Counter(call["number"] for call in ledger["calls"])
        assert calls == Counter(phones)
        assert ledger["highWater"]["campaigns"][id_] <= CAP
        parts = dict(shown["progress"])
        assert parts.pop("contacts") == CONTACTS
        assert (parts["pending"], parts["active"]) == (0, 0)
        ended = ("ended", "failed", "canceled", "timedOut")
        assert sum(parts[name] for name in ended) == CONTACTS
        assert len(fleet.balancer.carried) == 2
