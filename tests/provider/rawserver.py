"""A server that gives answers which no web server would give."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.child_process import STOP_SECONDS, join

type Behave = Callable[[socket.socket, threading.Event], None]

ACCEPTED = b'{"id": "call-1", "createdAt": "2026-11-22T11:59:58.000Z"}'


@dataclass
class RawServer:
    port: int
    connections: int = 0
    received: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(behave: Behave, *, read_first: bool = True) -> Iterator[RawServer]:
    """Serve each connection by `behave(connection, over)`.

    `over` is set when the test is done; `read_first` takes the whole request before.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(listener.getsockname()[1])

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    server.connections += 1
                    handle(connection)

        def handle(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                if read_first:
                    server.received.append(whole_request(connection))
                behave(connection, server.over)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            listener.shutdown(socket.SHUT_RDWR)
            join(thread)


def whole_request(connection: socket.socket) -> bytes:
    """Read a request; raise ConnectionError if the client closes before its end."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
    while len(body) < length:
        body += some(connection)
    return head + b"\r\n\r\n" + body


def some(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise ConnectionError
    return received


def reset_unread(connection: socket.socket, over: threading.Event) -> None:
    """Reset the connection after the first bytes of the request."""
    connection.recv(1, socket.MSG_PEEK)
    reset(connection, over)


def reset(connection: socket.socket, _over: threading.Event) -> None:
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def close(_connection: socket.socket, _over: threading.Event) -> None:
    """Close the connection regularly, without an answer."""


def hang(_connection: socket.socket, over: threading.Event) -> None:
    over.wait(STOP_SECONDS)


def trickle(connection: socket.socket, over: threading.Event) -> None:
    """Send an endless header byte by byte, each before the read times out."""
    connection.sendall(b"HTTP/1.1 201 Created\r\nX-Slow: ")
    while not over.wait(0.05):
        connection.sendall(b"a")


def trickle_the_body(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n{")
    while not over.wait(0.05):
        connection.sendall(b" ")


def cut_the_body(connection: socket.socket, _over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{")


def nonsense(connection: socket.socket, _over: threading.Event) -> None:
    connection.sendall(b"\x16\x03\x01 what?\r\n\r\n")


def accept(connection: socket.socket, _over: threading.Event) -> None:
    connection.sendall(
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(ACCEPTED), ACCEPTED)
    )
