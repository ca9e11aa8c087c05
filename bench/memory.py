"""Resident memory of every role under mixed load: `python -m bench.memory`.

Each turn uploads a file, creates and starts a campaign whose calls the simulator makes
and reports by webhook, reads recent events over a new socket, and exports the campaign
of the turn before. Other sockets stay subscribed for the whole time. Once a minute a
row of the table is printed, in MiB; at the end the growth since the tenth minute.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import httpx2
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket

from bench.support.contact_files import write_people
from bench.support.installation import (
    CREATE,
    SECRET,
    Installation,
    Server,
    answers,
    free_port,
    process,
    start_server,
    wait_for,
)
from bench.support.process_usage import resident_mebibytes
from provider.simulator.settings import DEFAULT_API_KEY

WARM_UP_MINUTES, WANTED_GROWTH = 10, 0.2
TURN_SECONDS, PEOPLE, RECENT, WATCHERS = 15.0, 20, 2_000, 4
SPEED, CAP = 20.0, 10
LEDGER_KEEPER = "simulator"
"""It stores every call in memory for tests, so it grows with the number of calls."""

GRAPHQL_WS = Subprotocol("graphql-transport-ws")
APPENDED = "subscription($after: BigInt!) { eventAppended(after: $after) { position } }"
PROGRESS = "subscription { campaignsProgress { state contacts pending } }"
START = "mutation($id: ID!) { startCampaign(id: $id) { __typename } }"
IMPORT = """mutation($id: String!) { importAssistant(providerAssistantId: $id) {
  ... on Assistant { id } ... on UserError { code message } } }"""


@dataclass(frozen=True)
class LoadTarget:
    """All running roles, and the ids and the file that the load uses."""

    installed: Installation
    pids: dict[str, int]
    assistant: str
    line: str
    file: Path


def main() -> int:
    """Print the table; 1 if one of our roles grew by over 20 % after ten minutes."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory")
    parser.add_argument("--minutes", type=int, default=60)
    minutes = parser.parse_args().minutes
    with (
        tempfile.TemporaryDirectory() as folder,
        start_server(Path(folder)) as server,
        _load_target(server) as target,
    ):
        rows = asyncio.run(_measured(target, minutes))
    growth = _growth(rows)
    print(f"growth since minute {min(WARM_UP_MINUTES, len(rows) - 1)}: {growth}")
    ours = (share for role, share in growth.items() if role != LEDGER_KEEPER)
    return int(any(share > WANTED_GROWTH for share in ours))


@contextmanager
def _load_target(server: Server) -> Iterator[LoadTarget]:
    """Run a simulator, and all roles of an installation that calls through it."""
    port, api_port = free_port(), free_port()
    simulated = {
        "port": port,
        "speed": SPEED,
        "webhook_url": f"http://127.0.0.1:{api_port}/webhooks/vapi",
        "webhook_secret": SECRET,
        "concurrency_limit": 100,
    }
    environment = {
        "AUTOLYNX_PORT": str(api_port),
        "AUTOLYNX_VAPI_BASE_URL": f"http://127.0.0.1:{port}",
        "AUTOLYNX_VAPI_API_KEY": DEFAULT_API_KEY,
        # The measurement runs at any time of day.
        "AUTOLYNX_SETTINGS_CALLING_RULES": "OFF",
        "AUTOLYNX_SETTINGS_FREQUENCY_CAPS": "",
    }
    with ExitStack() as opened:
        arguments = ("--settings", json.dumps(simulated))
        running = process("provider.simulator", {}, arguments)
        simulator = opened.enter_context(running)
        wait_for(
            lambda: answers(f"http://127.0.0.1:{port}/simulator/faults"),
            "the simulator",
        )
        installed = opened.enter_context(server.installation(environment))
        running = process("scheduler", installed.environment)
        scheduler = opened.enter_context(running)
        pids = {
            "api": installed.api.pid,
            "projector": installed.projector.pid,
            "scheduler": scheduler.pid,
            "simulator": simulator.pid,
        }
        assistant, line = _provided(port)
        made = installed.ask(IMPORT, id=assistant)["importAssistant"]
        file = write_people(server.folder / "people.csv", PEOPLE)
        yield LoadTarget(installed, pids, made["id"], line, file)


def _provided(port: int) -> tuple[str, str]:
    """Return the ids of the simulator's first assistant and phone number."""
    headers = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
    address = f"http://127.0.0.1:{port}"
    with httpx2.Client(base_url=address, headers=headers) as client:
        assistants = client.get("/assistant").json()
        lines = client.get("/phone-number").json()
    return assistants[0]["id"], lines[0]["id"]


async def _measured(target: LoadTarget, minutes: int) -> list[dict[str, float]]:
    """Run the load; return each role's memory in MiB at the end of each minute."""
    rows: list[dict[str, float]] = [_resident(target.pids)]
    titles = ("minute", *(f"{role:>9}" for role in target.pids), "events stored")
    print("  ".join(titles))
    tasks = [asyncio.create_task(_watch(target)) for _ in range(WATCHERS)]
    tasks.append(asyncio.create_task(_work(target)))
    began = monotonic()
    _print(target, rows)
    for minute in range(1, minutes + 1):
        await asyncio.sleep(max(began + 60 * minute - monotonic(), 0))
        broken = [task for task in tasks if task.done()]
        for task in broken:
            task.result()
        rows.append(_resident(target.pids))
        _print(target, rows)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return rows


def _print(target: LoadTarget, rows: list[dict[str, float]]) -> None:
    shown = "  ".join(f"{value:9.1f}" for value in rows[-1].values())
    print(f"{len(rows) - 1:>6}  {shown}  {_last(target):>13,}", flush=True)


def _last(target: LoadTarget) -> int:
    return target.installed.app.recorder.max_notification_id() or 0


def _resident(pids: dict[str, int]) -> dict[str, float]:
    return {role: resident_mebibytes(pid) for role, pid in pids.items()}


def _growth(rows: list[dict[str, float]]) -> dict[str, float]:
    first, last = rows[min(WARM_UP_MINUTES, len(rows) - 1)], rows[-1]
    return {role: round(last[role] / first[role] - 1, 3) for role in last}


async def _work(target: LoadTarget) -> None:
    """Repeat turns until the task is canceled."""
    before: str | None = None
    while True:
        began = monotonic()
        campaign = await asyncio.to_thread(_turn, target, before)
        await _read_recent(target)
        before = campaign
        await asyncio.sleep(max(began + TURN_SECONDS - monotonic(), 0))


def _turn(target: LoadTarget, before: str | None) -> str:
    """Import and start a campaign; export the one before; return the new one's id."""
    installed = target.installed
    asked = {
        "name": "Bench",
        "uploadId": installed.upload(target.file)["id"],
        "assistantId": target.assistant,
        "phoneNumberId": target.line,
        "cap": CAP,
    }
    made = installed.ask(CREATE, input=asked)["createCampaign"]
    campaign = str(made["campaign"]["id"])
    installed.ask(START, id=campaign)
    if before is not None:
        url = f"{installed.url}/campaigns/{before}/export.csv"
        answer = httpx2.get(url, headers=installed.headers, timeout=60)
        answer.raise_for_status()
    return campaign


@asynccontextmanager
async def _subscribed(
    target: LoadTarget, query: str, **variables: Any
) -> AsyncIterator[ClientConnection]:
    installed = target.installed
    address = f"ws{installed.url.removeprefix('http')}/graphql"
    token = installed.headers["Authorization"]
    greeting = {"type": "connection_init", "payload": {"authorization": token}}
    payload = {"query": query, "variables": variables}
    async with open_socket(address, subprotocols=[GRAPHQL_WS]) as connection:
        await connection.send(json.dumps(greeting))
        await connection.recv()
        message = {"id": "1", "type": "subscribe", "payload": payload}
        await connection.send(json.dumps(message))
        yield connection


async def _watch(target: LoadTarget) -> None:
    async with _subscribed(target, PROGRESS) as connection:
        async for _ in connection:
            pass


async def _read_recent(target: LoadTarget) -> None:
    """Read the newest events of the log over a new socket."""
    last = _last(target)
    after = max(last - RECENT, 0)
    async with _subscribed(target, APPENDED, after=after) as connection:
        for _ in range(last - after):
            await connection.recv()


if __name__ == "__main__":
    sys.exit(main())
