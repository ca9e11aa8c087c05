"""An ASGI application served by uvicorn in a thread, and raw connections to it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from tests.support import eventually

HOST = "127.0.0.1"


@contextmanager
def served(app: ASGIApp, **settings: Any) -> Iterator[int]:
    """Serve `app`, by default without a lifespan; yield the port.

    `settings` are uvicorn's.
    """
    defaults: dict[str, Any] = {"lifespan": "off", "timeout_keep_alive": 1}
    config = uvicorn.Config(
        app, host=HOST, port=0, log_config=None, **(defaults | settings)
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started, what="the server")
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server did not stop"


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, port), timeout=30) as connection:
        yield connection


def until_closed(connection: socket.socket) -> bytes:
    """Read until the server closes the connection; return what it sent."""
    received = bytearray()
    while piece := connection.recv(1 << 16):
        received += piece
    return bytes(received)
