"""Streamed responses close their generator, however they end."""

from collections.abc import Generator
from contextlib import ExitStack
from threading import Event

import pytest
from fastapi import APIRouter, FastAPI, HTTPException
from starlette.types import ASGIApp

from interfaces.files.streaming import Piece, Streamed
from interfaces.http.connections import TimedProtocol
from tests.interfaces.listening import HOST, connected, served, until_closed

GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


class Source:
    """Yields pieces of 64 KiB; `closed` is set when the generator is closed."""

    def __init__(self, pieces: int) -> None:
        self._pieces, self.closed = pieces, Event()

    def __iter__(self) -> Generator[Piece]:
        try:
            for _ in range(self._pieces):
                yield b"x" * 65_536
        finally:
            self.closed.set()


def streaming(source: Source) -> ASGIApp:
    app, router = FastAPI(), APIRouter()

    @router.get("/")
    def stream() -> Streamed:
        return Streamed(iter(source), media_type="text/csv", filename="filename=x")

    app.include_router(router)
    return app


@pytest.mark.parametrize("pieces", [0, 1, 100])
def test_a_stream_that_is_read_to_its_end_is_whole_and_closed(pieces: int) -> None:
    source = Source(pieces)
    with served(streaming(source)) as port, connected(port) as client:
        client.sendall(GET)
        assert until_closed(client).count(b"x" * 65_536) == pieces
        assert source.closed.wait(10)


def test_a_client_that_leaves_closes_the_stream() -> None:
    source = Source(100_000)
    with served(streaming(source)) as port:
        with connected(port) as client:
            client.sendall(GET)
            client.recv(1)
        assert source.closed.wait(10)


def test_a_client_that_stops_reading_closes_the_stream() -> None:
    source = Source(100_000)
    protocol = type("Limited", (TimedProtocol,), {"unread_seconds": 0.2})
    with served(streaming(source), http=protocol) as port, connected(port) as client:
        client.sendall(GET)
        assert source.closed.wait(10)


def test_a_shutdown_closes_the_stream_of_a_client_that_does_not_read() -> None:
    source = Source(100_000)
    with ExitStack() as until_the_end:
        app = streaming(source)
        limits = {"http": TimedProtocol, "timeout_graceful_shutdown": 2}
        with served(app, **limits) as port:
            client = until_the_end.enter_context(connected(port))
            client.sendall(GET)
            client.recv(1)
            assert not source.closed.is_set()
        assert source.closed.is_set()


def test_an_error_before_the_first_piece_is_answered_as_any_other() -> None:
    class Busy(Source):
        def __iter__(self) -> Generator[Piece]:
            yield from self._refuse()

        def _refuse(self) -> Generator[Piece]:
            raise HTTPException(503, "busy", {"Retry-After": "7"})

    with served(streaming(Busy(0))) as port, connected(port) as client:
        client.sendall(GET)
        answer = until_closed(client)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nretry-after: 7\r\n" in answer
