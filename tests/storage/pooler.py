"""A connection pooler with PgBouncer's session and transaction modes, for tests."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Thread

from psycopg.conninfo import conninfo_to_dict, make_conninfo

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80_877_103, 80_877_104, 80_877_102
IDLE = b"I"


class Pooler:
    """Serves clients with server sessions; the last one released is used first.

    With `per_transaction`, a client's server session is released after each
    transaction, otherwise when it disconnects. With `round_robin`, the session that was
    released first is used first.
    """

    def __init__(
        self, url: str, *, per_transaction: bool, round_robin: bool = False
    ) -> None:
        self._target = conninfo_to_dict(url)
        self._per_transaction, self._round_robin = per_transaction, round_robin
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = Lock()
        self._idle: list[socket.socket] = []
        self._open: list[socket.socket] = []
        self.url = make_conninfo(
            url,
            host="127.0.0.1",
            port=str(self._listener.getsockname()[1]),
            sslmode="disable",
            gssencmode="disable",
        )

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._client, args=(client,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            one.close()

    def _client(self, client: socket.socket) -> None:
        self._open.append(client)
        server: socket.socket | None = None
        with suppress(OSError), client:
            (length,) = struct.unpack("!I", _exactly(client, 4))
            code = struct.unpack("!I", _exactly(client, length - 4)[:4])[0]
            if code in {SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST}:
                return
            server, greeting = self._acquire()
            client.sendall(greeting)
            if self._per_transaction:
                self._release(server)
                server = None
            while (message := _message(client))[:1] != b"X":
                if server is None:
                    server, _ = self._acquire()
                server.sendall(message)
                if message[:1] in b"QS" and self._answered(server, client):
                    server = None
        if server is not None:
            self._release(server)

    def _answered(self, server: socket.socket, client: socket.socket) -> bool:
        """Pass on the answer; return whether the server session was released."""
        while True:
            message = _message(server)
            is_ready = message[:1] == b"Z"
            is_over = is_ready and self._per_transaction and message[5:] == IDLE
            if is_over:
                self._release(server)
            client.sendall(message)
            if is_ready:
                return is_over

    def _acquire(self) -> tuple[socket.socket, bytes]:
        with self._lock:
            if self._idle:
                server = self._idle.pop(0 if self._round_robin else -1)
                return server, GREETING
        return self._connect(), GREETING

    def _release(self, server: socket.socket) -> None:
        with self._lock:
            self._idle.append(server)

    def _connect(self) -> socket.socket:
        host, port = str(self._target["host"]), self._target.get("port") or 5432
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(Path(host) / f".s.PGSQL.{port}"))
        self._open.append(server)
        names = {"user": self._target["user"], "database": self._target["dbname"]}
        parameters = b"".join(
            name.encode() + b"\0" + str(value).encode() + b"\0"
            for name, value in names.items()
        )
        body = struct.pack("!I", 196_608) + parameters + b"\0"
        server.sendall(struct.pack("!I", len(body) + 4) + body)
        while _message(server)[:1] != b"Z":
            pass
        return server


def _framed(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


GREETING = b"".join(
    [
        _framed(b"R", struct.pack("!I", 0)),
        _framed(b"S", b"server_version\x0017.0\0"),
        _framed(b"S", b"server_encoding\0UTF8\0"),
        _framed(b"S", b"client_encoding\0UTF8\0"),
        _framed(b"S", b"standard_conforming_strings\0on\0"),
        _framed(b"S", b"TimeZone\0UTC\0"),
        _framed(b"K", struct.pack("!II", 1, 1)),
        _framed(b"Z", IDLE),
    ]
)
"""Messages for a client that has connected; the process id is the pooler's own."""


def _message(source: socket.socket) -> bytes:
    head = _exactly(source, 5)
    (length,) = struct.unpack("!I", head[1:])
    return head + _exactly(source, length - 4)


def _exactly(source: socket.socket, count: int) -> bytes:
    read = b""
    while len(read) < count:
        data = source.recv(count - len(read))
        if not data:
            raise ConnectionResetError
        read += data
    return read


@contextmanager
def pooler_before(
    url: str, *, per_transaction: bool, round_robin: bool = False
) -> Iterator[str]:
    """Yield the URL of a pooler for the database at `url`, over a Unix socket."""
    pooler = Pooler(url, per_transaction=per_transaction, round_robin=round_robin)
    Thread(target=pooler.serve, daemon=True).start()
    try:
        yield pooler.url
    finally:
        pooler.close()
