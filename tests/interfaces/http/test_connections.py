"""Connections that stall are closed; all others are left alone."""

import json
from threading import Event

import pytest
from starlette.types import Message, Receive, Scope, Send

from interfaces.http.connections import TimedProtocol
from interfaces.server.uvicorn_server import serving
from tests.interfaces.listening import HOST, connected, served, until_closed
from tests.interfaces.serving import configured

ONE_HOUR = 3600.0
GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
POST = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 9\r\n\r\n".encode()
LAST_GET = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


def limits(
    header_seconds: float = ONE_HOUR, unread_seconds: float = ONE_HOUR
) -> type[TimedProtocol]:
    """Build the protocol with these time limits; the default is never."""
    given = {"header_seconds": header_seconds, "unread_seconds": unread_seconds}
    return type("Limited", (TimedProtocol,), given)


async def greeting(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


class Endless:
    """Sends for ever; `left` is set when the server reports a disconnect."""

    def __init__(self) -> None:
        self.left = Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        piece: Message = {
            "type": "http.response.body",
            "body": b"x" * 65_536,
            "more_body": True,
        }
        for _ in range(10_000):
            await send(piece)
        await receive()
        message = await receive()
        assert message["type"] == "http.disconnect"
        self.left.set()


def test_the_api_is_served_with_these_limits() -> None:
    from_the_root = serving(configured("postgresql://unused"), greeting)  # type: ignore[arg-type] # any ASGI application
    assert from_the_root.http is TimedProtocol


def test_half_sent_headers_are_answered_408_and_the_connection_is_closed() -> None:
    protocol = limits(header_seconds=0.2)
    with served(greeting, http=protocol) as port, connected(port) as client:
        client.sendall(GET[:-2])
        head, _, body = until_closed(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["error"]["code"] == "TIMEOUT"


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
def test_a_connection_that_never_begins_a_request_is_closed(sent: bytes) -> None:
    protocol = limits(header_seconds=0.2)
    with served(greeting, http=protocol) as port, connected(port) as client:
        client.sendall(sent)
        assert until_closed(client) == b""


@pytest.mark.parametrize("sent", [GET[:-2], b"\r\n"])
def test_the_limit_holds_for_each_request_of_a_connection(sent: bytes) -> None:
    """uvicorn's own keep-alive time ends with the first byte after a response."""
    protocol = limits(header_seconds=0.2)
    with served(greeting, http=protocol) as port, connected(port) as client:
        client.sendall(GET)
        answer = b""
        while b"hello" not in answer:
            answer += client.recv(1 << 16)
        client.sendall(sent)
        assert (b" 408 " in until_closed(client)) == (sent != b"\r\n")


def test_a_refused_body_that_never_ends_does_not_hold_the_connection() -> None:
    protocol = limits(header_seconds=0.2)
    with served(greeting, http=protocol) as port, connected(port) as client:
        client.sendall(POST)
        answer = b""
        while b"hello" not in answer:
            answer += client.recv(1 << 16)
        client.sendall(b"x")
        assert until_closed(client) == b""


def test_pipelined_requests_are_all_answered() -> None:
    with served(greeting, http=limits()) as port, connected(port) as client:
        client.sendall(GET * 3 + LAST_GET)
        assert until_closed(client).count(b"hello") == 4


def test_the_limit_for_headers_does_not_limit_the_body() -> None:
    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await greeting(scope, receive, send)

    protocol = limits(header_seconds=0.2)
    with served(reading, http=protocol) as port, connected(port) as client:
        client.sendall(POST)
        with connected(port) as later:
            assert until_closed(later) == b""  # The limit has passed for both.
        client.sendall(b"x" * 9 + LAST_GET)
        assert until_closed(client).count(b"hello") == 2


def test_a_client_that_stops_reading_is_disconnected() -> None:
    app = Endless()
    protocol = limits(unread_seconds=0.2)
    with served(app, http=protocol) as port, connected(port) as client:
        client.sendall(GET)
        assert app.left.wait(30)


def test_a_client_that_reads_gets_the_whole_response() -> None:
    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * (32 << 20)})

    with (
        served(large, http=limits(unread_seconds=10)) as port,
        connected(port) as client,
    ):
        client.sendall(LAST_GET)
        assert len(until_closed(client)) > 32 << 20
