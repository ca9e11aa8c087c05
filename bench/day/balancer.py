"""The customer's load balancer for webhooks, and the receiver of outgoing webhooks.

Run `python -m bench.day.balancer SETTINGS` with a JSON object of `port` and
`receiver_port` (on which it listens), `targets` (ports of the APIs) and `file`. After
SIGUSR1 it writes the file with what was measured (see `Forwarded` and `Traffic`), and
serves on until SIGTERM.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from time import monotonic
from typing import Any

import orjson

HOST = "127.0.0.1"
LONGEST_IDLE_SECONDS = 2.0
"""An idle connection to an API is not used after this time: the API may close it."""

LARGEST_HEAD = 1 << 20
UNREACHABLE = 502
OUTGOING_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"

type Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Forwarded:
    """One webhook of the provider.

    `at` is when it arrived, in seconds of the monotonic clock that all processes of a
    machine share; `seconds` is the time until the response, `size` its bytes. `label`
    is the status or the type of the message.
    """

    at: float
    seconds: float
    status: int
    size: int
    call_id: str
    campaign_id: str
    label: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """All webhooks of the provider, and the number of webhooks received from us."""

    forwarded: list[Forwarded]
    received: int


def read_traffic(file: Path) -> Traffic:
    """Read what a balancer wrote."""
    found = orjson.loads(file.read_bytes())
    forwarded = [Forwarded(**one) for one in found["forwarded"]]
    return Traffic(forwarded, found["received"])


@dataclass
class Balancer:
    """Forwards each request to the next API, over connections that are kept open."""

    targets: list[int]
    forwarded: list[Forwarded] = field(default_factory=list)
    received: int = 0
    _idle: dict[int, list[tuple[float, Stream]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._turns = cycle(self.targets)

    async def forward(self, head: bytes, body: bytes) -> bytes:
        """Send a request to an API; return the response, 502 without one."""
        start = monotonic()
        try:
            answer = await self._ask(next(self._turns), head + body)
            status = int(answer[9:12])
        except (OSError, asyncio.IncompleteReadError):
            answer, status = _empty(UNREACHABLE), UNREACHABLE
        seconds = monotonic() - start
        message = orjson.loads(body)["message"]
        self.forwarded.append(_forwarded(message, start, seconds, status, len(body)))
        return answer

    async def receive(self, _head: bytes, _body: bytes) -> bytes:
        """Count an outgoing webhook of ours."""
        self.received += 1
        return OUTGOING_ANSWER

    def close(self) -> None:
        """Close the connections that are not in use."""
        for kept in self._idle.values():
            for _, (_, writer) in kept:
                writer.close()
            kept.clear()

    async def _ask(self, port: int, request: bytes) -> bytes:
        reader, writer = await self._connection(port)
        writer.write(request)
        await writer.drain()
        head, body = await _read(reader)
        kept = self._idle.setdefault(port, [])
        kept.append((monotonic(), (reader, writer)))
        return head + body

    async def _connection(self, port: int) -> Stream:
        kept = self._idle.setdefault(port, [])
        while kept:
            since, (reader, writer) = kept.pop()
            if monotonic() - since < LONGEST_IDLE_SECONDS and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(HOST, port)


def _forwarded(
    message: dict[str, Any], at: float, seconds: float, status: int, size: int
) -> Forwarded:
    metadata = message["call"].get("assistantOverrides", {}).get("metadata", {})
    return Forwarded(
        at=at,
        seconds=seconds,
        status=status,
        size=size,
        call_id=str(message["call"].get("name")),
        campaign_id=str(metadata.get("autolynx_campaign_id")),
        label=str(message.get("status", message["type"])),
    )


def _empty(status: int) -> bytes:
    return f"HTTP/1.1 {status} -\r\nContent-Length: 0\r\n\r\n".encode()


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return head and body of a request or a response."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head, await reader.readexactly(int(line.partition(b":")[2]))
    return head, b""


def serving(
    answer: Callable[[bytes, bytes], Awaitable[bytes]],
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """Return a handler of connections that answers one request after the other."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = asyncio.IncompleteReadError, asyncio.CancelledError, OSError
        with suppress(*ends):
            while True:
                writer.write(await answer(*await _read(reader)))
                await writer.drain()
        writer.close()

    return serve


async def run(settings: dict[str, Any]) -> None:
    """Serve until SIGTERM; write the file after SIGUSR1."""
    balancer, over = Balancer(settings["targets"]), asyncio.Event()
    file = Path(settings["file"])
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    loop.add_signal_handler(signal.SIGUSR1, lambda: write_traffic(file, balancer))
    for port, answer in (
        (settings["port"], balancer.forward),
        (settings["receiver_port"], balancer.receive),
    ):
        await asyncio.start_server(serving(answer), HOST, port, limit=LARGEST_HEAD)
    await over.wait()
    balancer.close()


def write_traffic(file: Path, balancer: Balancer) -> None:
    """Write what was measured so far; the file appears when it is complete."""
    forwarded = [asdict(one) for one in balancer.forwarded]
    part = file.with_suffix(".part")
    part.write_bytes(
        orjson.dumps({"forwarded": forwarded, "received": balancer.received})
    )
    part.rename(file)


if __name__ == "__main__":
    asyncio.run(run(orjson.loads(sys.argv[1])))
