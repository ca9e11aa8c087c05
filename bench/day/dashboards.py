"""Open dashboards: subscriptions over WebSockets, all in one process.

Run `python -m bench.day.dashboards SETTINGS` with a JSON object of `apis` (URLs),
`token`, `campaigns` (ids), `dashboards` (their number) and `file`. Each dashboard shows
one campaign, except every `LIST_EVERY`-th, which shows the list of all. The empty file
is created when all are open; after SIGTERM it contains the frames that arrived: see
`Frames`.
"""

import asyncio
import signal
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket

LIST_EVERY = 20
GRAPHQL_WS = Subprotocol("graphql-transport-ws")
FIELDS = """campaignId state contacts pending active queued ringing inProgress ended
  failed canceled timedOut awaitingReports spend position"""
LIST = f"subscription {{ campaignsProgress {{ {FIELDS} }} }}"
ONE = f"""subscription($id: ID!) {{ campaignProgress(campaignId: $id) {{ {FIELDS} }} }}
"""
CONTACTS = """subscription($id: ID!) { contactUpdates(campaignId: $id) {
  id name businessName phone extension erasedAt status outcome disposition withheld
  nextAttemptAt call { id attempt status queuedAt placedAt startedAt endedAt lastEventAt
  durationSeconds endedReason cost } } }"""
PROGRESS = ("campaignProgress", "campaignsProgress")


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of all dashboards.

    `shown` has, for each dashboard and campaign, times of arrival (monotonic clock,
    seconds) with the position of the log that the frame includes. `lost` is the number
    of sockets that were closed before the end.
    """

    shown: list[tuple[str, list[tuple[float, int]]]]
    lost: int


def read_frames(file: Path) -> Frames:
    """Read what the dashboards wrote at their end."""
    found = orjson.loads(file.read_bytes())
    shown = [
        (campaign, [(at, position) for at, position in frames])
        for campaign, frames in found["shown"]
    ]
    return Frames(shown, found["lost"])


class Dashboards:
    """Subscribes, and records each frame with the progress of a campaign."""

    def __init__(self, token: str, campaigns: list[str]) -> None:
        self._token, self._campaigns = token, campaigns
        self.shown: dict[tuple[int, str], list[tuple[float, int]]] = defaultdict(list)
        self.lost = 0
        self.ready = asyncio.Semaphore(0)

    async def watch(self, number: int, api: str) -> None:
        """Keep a dashboard open until the task is canceled."""
        address = f"ws{api.removeprefix('http')}/graphql"
        async with open_socket(address, subprotocols=[GRAPHQL_WS]) as socket:
            await self._subscribe(number, socket)
            self.ready.release()
            try:
                async for frame in socket:
                    self._record(number, orjson.loads(frame))
            except ConnectionClosed:
                pass
            self.lost += 1

    async def _subscribe(self, number: int, socket: ClientConnection) -> None:
        greeting = {"authorization": f"Bearer {self._token}"}
        await socket.send(_text({"type": "connection_init", "payload": greeting}))
        await socket.recv()
        ids = count(1)
        for payload in self._queries(number):
            asked = {"id": str(next(ids)), "type": "subscribe", "payload": payload}
            await socket.send(_text(asked))

    def _queries(self, number: int) -> Iterator[dict[str, Any]]:
        if number % LIST_EVERY == 0:
            yield {"query": LIST}
            return
        variables = {"id": self._campaigns[number % len(self._campaigns)]}
        for query in (ONE, CONTACTS):
            yield {"query": query, "variables": variables}

    def _record(self, number: int, frame: dict[str, Any]) -> None:
        if frame["type"] != "next":
            return
        at, data = monotonic(), frame["payload"]["data"]
        for name in PROGRESS:
            if name in data:
                shown = data[name]
                key = number, shown["campaignId"]
                self.shown[key].append((at, int(shown["position"])))


def _text(value: dict[str, Any]) -> str:
    return orjson.dumps(value).decode()


async def run(settings: dict[str, Any]) -> None:
    """Watch until SIGTERM, then write the file."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    dashboards = Dashboards(settings["token"], settings["campaigns"])
    apis = settings["apis"]
    watching = [
        asyncio.create_task(dashboards.watch(number, apis[number % len(apis)]))
        for number in range(settings["dashboards"])
    ]
    for _ in watching:
        await dashboards.ready.acquire()
    file = Path(settings["file"])
    await asyncio.to_thread(file.touch)
    await over.wait()
    lost = dashboards.lost
    for one in watching:
        one.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    shown = [(campaign, one) for (_, campaign), one in dashboards.shown.items()]
    written = orjson.dumps({"shown": shown, "lost": lost})
    await asyncio.to_thread(file.write_bytes, written)


if __name__ == "__main__":
    asyncio.run(run(orjson.loads(sys.argv[1])))
