"""Memory of the API while it streams events, and after clients that do not read."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets import Subprotocol
from websockets.asyncio.client import connect as open_socket
from websockets.sync.client import connect as open_sync_socket

from bench.support.event_history import history, store
from domain.values import Role
from interfaces.graphql.push.shared_frames import SharingExecutor
from tests.end_to_end.processes import running_up
from tests.interfaces.serving import ApiClient, serve_api
from tests.support import eventually

GRAPHQL_WS = Subprotocol("graphql-transport-ws")
APPENDED = "subscription { eventAppended(after: 0) { position type payload } }"
CONTACTS, CALLS = 100, 500
CLIENTS, ROUNDS, FIRST_ROUNDS = 2, 4, 2
MANY_CONTACTS, SUBSCRIPTIONS = 40_000, 15
"""On one socket: together they send more than the kernel buffers for a connection."""

ALLOWED_MEBIBYTES = 15
SECONDS = 120
"""Longest time in which a client reads all events."""


@pytest.fixture(scope="module")
def api(shared_database: str) -> Iterator[ApiClient]:
    with serve_api(shared_database) as api:
        store(api.pool, history(CONTACTS, CALLS))
        api.header(Role.AUDITOR)
        api.caught_up()
        yield api


def last(api: ApiClient) -> int:
    return api.app.recorder.max_notification_id() or 0


def subscribe(id_: str = "1") -> str:
    message = {"id": id_, "type": "subscribe", "payload": {"query": APPENDED}}
    return json.dumps(message)


def greet(api: ApiClient) -> str:
    """Return the first message of a connection, with the auditor's token."""
    token = api.header(Role.AUDITOR)["Authorization"]
    payload = {"authorization": token}
    return json.dumps({"type": "connection_init", "payload": payload})


def address(url: str) -> str:
    return f"ws{url.removeprefix('http')}/graphql"


async def read_all(url: str, greeting: str, events: int) -> None:
    async with (
        asyncio.timeout(SECONDS),
        open_socket(address(url), subprotocols=[GRAPHQL_WS]) as connection,
    ):
        await connection.send(greeting)
        await connection.recv()
        await connection.send(subscribe())
        for _ in range(events):
            await connection.recv()


def resident_mebibytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith("VmRSS"))
    return int(found) / 1024


def test_memory_does_not_grow_with_the_events_streamed(
    api: ApiClient, tmp_path: Path
) -> None:
    greeting, events = greet(api), last(api)

    async def stream(url: str) -> None:
        clients = (read_all(url, greeting, events) for _ in range(CLIENTS))
        await asyncio.gather(*clients)

    with running_up(tmp_path, "api", DATABASE_URL=api.database) as up:
        pid, used = up.child("interfaces.asgi"), list[float]()
        for _ in range(ROUNDS):
            asyncio.run(stream(up.url))
            used.append(resident_mebibytes(pid))
    assert used[-1] - used[FIRST_ROUNDS - 1] < ALLOWED_MEBIBYTES, used


def test_an_open_subscription_keeps_no_field_caches_of_sent_events(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All events of a subscription are executed by copies of one executor."""
    of_subscriptions: list[Any] = []
    build = SharingExecutor.build_per_event_executor

    def recorded(executor: SharingExecutor, payload: Any) -> Any:
        of_subscriptions.append(executor)
        return build(executor, payload)

    monkeypatch.setattr(SharingExecutor, "build_per_event_executor", recorded)
    events = last(api)
    with open_sync_socket(address(api.url), subprotocols=[GRAPHQL_WS]) as connection:
        connection.send(greet(api))
        connection.recv(10)
        connection.send(subscribe())
        for _ in range(events):
            connection.recv(30)
        executors = {id(one): one for one in of_subscriptions}.values()
        assert len(of_subscriptions) >= events
        assert sum(len(one._relevant_sub_fields) for one in executors) < events / 10


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the times after which an API that starts now closes a silent socket."""
    monkeypatch.setattr("interfaces.server.uvicorn_server.PING_SECONDS", 1.5)
    monkeypatch.setattr("interfaces.server.uvicorn_server.PONG_SECONDS", 0.3)
    monkeypatch.setattr("interfaces.http.websockets.PONG_SECONDS", 0.3)


@pytest.mark.usefixtures("impatient")
def test_clients_that_never_read_are_disconnected(database: str) -> None:
    with serve_api(database) as api, ExitStack() as opened:
        store(api.pool, history(MANY_CONTACTS, 0))
        greeting = greet(api)
        api.caught_up()
        opened.enter_context(subscribed_without_reading(api.url, greeting))
        eventually(lambda: listeners(api) > 0, what="the subscriptions")
        eventually(lambda: listeners(api) == 0, within=60, what="their end")


@pytest.mark.usefixtures("impatient")
def test_a_client_that_answers_pings_stays_connected(database: str) -> None:
    with serve_api(database) as api:
        connection = open_sync_socket(address(api.url), subprotocols=[GRAPHQL_WS])
        with connection:
            connection.send(greet(api))
            connection.recv(10)
            for _ in range(15):  # Longer than a ping and its timeout take.
                with pytest.raises(TimeoutError):
                    connection.recv(0.3)
            connection.send('{"type": "ping"}')
            assert json.loads(connection.recv(10)) == {"type": "pong"}


def listeners(api: ApiClient) -> int:
    metrics = api.get("/metrics", None).text
    (found,) = (
        line.split()[1]
        for line in metrics.splitlines()
        if line.startswith("autolynx_subscriptions ")
    )
    return int(float(found))


def subscribed_without_reading(url: str, greeting: str) -> socket.socket:
    """Subscribe, then neither read from the socket nor answer its pings."""
    parts = urlsplit(url)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect((parts.hostname, parts.port))
    head = (
        "GET /graphql HTTP/1.1",
        f"Host: {parts.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {GRAPHQL_WS}",
    )
    deaf.sendall("\r\n".join([*head, "", ""]).encode())
    assert b" 101 " in deaf.recv(1024)
    messages = [greeting, *map(subscribe, map(str, range(SUBSCRIPTIONS)))]
    deaf.sendall(b"".join(map(text_frame, messages)))
    return deaf


def text_frame(text: str) -> bytes:
    """Encode a message of up to 64 KiB, with a mask of zeros (RFC 6455)."""
    data = text.encode()
    small = len(data) < 126
    size = bytes([0x80 | len(data)]) if small else b"\xfe" + len(data).to_bytes(2)
    return b"\x81" + size + bytes(4) + data
