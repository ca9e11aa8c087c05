"""Refusals that are sent before the request's body has arrived."""

import asyncio
import json
import urllib.error
import urllib.request

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interfaces.http.request_body import SMALL_BODY, EarlyRefusal, WatchedReceive
from tests.interfaces.listening import HOST, connected, served, until_closed

REFUSAL = {"error": {"code": "TOO_LARGE", "message": "The file is too large."}}
ONE_HOUR = 3600.0


def refusing(
    drained_bytes: int = 64 << 20, drained_seconds: float = ONE_HOUR
) -> ASGIApp:
    """Build an application that refuses each request without reading its body."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answer = EarlyRefusal(
            REFUSAL,
            413,
            drained_bytes=drained_bytes,
            drained_seconds=drained_seconds,
        )
        await answer(scope, receive, send)

    return app


def head(*headers: str) -> bytes:
    lines = ("POST / HTTP/1.1", f"Host: {HOST}", *headers, "", "")
    return "\r\n".join(lines).encode()


def test_a_client_that_sends_everything_before_it_reads_gets_the_refusal() -> None:
    """urllib is such a client: without draining, it gets a connection reset."""
    with served(refusing()) as port:
        request = urllib.request.Request(f"http://{HOST}:{port}/", b"x" * (20 << 20))
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        with refused.value as error:
            assert error.code == 413
            assert json.load(error) == REFUSAL


def test_a_client_that_sends_without_end_is_cut_off_after_the_byte_limit() -> None:
    with served(refusing(drained_bytes=1 << 20)) as port, connected(port) as client:
        client.sendall(head("Transfer-Encoding: chunked"))
        chunk = b"10000\r\n" + b"x" * (1 << 16) + b"\r\n"
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            client.sendall(chunk * 1024)


def test_a_client_that_stops_sending_is_cut_off_after_the_time_limit() -> None:
    with served(refusing(drained_seconds=0.2)) as port, connected(port) as client:
        client.sendall(head("Content-Length: 9000000") + b"x")
        answer = until_closed(client)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nconnection: close\r\n" in answer.lower()
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == REFUSAL


@pytest.mark.parametrize("size", [0, 10, SMALL_BODY])
def test_a_small_refused_body_leaves_the_connection_usable(size: int) -> None:
    last = head("Connection: close", "Content-Length: 0")
    with served(refusing()) as port, connected(port) as client:
        client.sendall(head(f"Content-Length: {size}") + b"x" * size)
        client.sendall(last)
        assert until_closed(client).count(b"HTTP/1.1 413 ") == 2


def test_a_watched_body_has_ended_with_its_last_part_or_a_disconnect() -> None:
    parts: list[Message] = [
        {"type": "http.request", "body": b"x", "more_body": True},
        {"type": "http.request", "body": b"x"},
        {"type": "http.disconnect"},
    ]

    def ended_after(*messages: Message) -> bool:
        async def scenario() -> bool:
            left = iter(messages)

            async def receive() -> Message:
                return next(left)

            watched = WatchedReceive(receive)
            for message in messages:
                assert await watched() == message
            return watched.ended

        return asyncio.run(scenario())

    assert not ended_after(parts[0])
    assert ended_after(parts[0], parts[1])
    assert ended_after(parts[0], parts[2])
