"""A proxy before the database that can lose a request, lose an answer, or freeze."""

import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from threading import Lock, Thread

from psycopg.conninfo import conninfo_to_dict, make_conninfo

CHUNK = 1 << 16


class Fault(Enum):
    """What the proxy does to one request."""

    REQUEST_LOST = "the connection breaks before the server receives the request"
    ANSWER_LOST = "the connection breaks after the request, before its answer arrives"
    SILENT = "no more bytes pass in either direction, but the connection stays open"


class Proxy:
    """Forwards bytes; `arm` applies a fault to the next request with given bytes.

    Several faults may be armed; each is applied once.
    """

    def __init__(self, url: str) -> None:
        self._target = conninfo_to_dict(url)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._armed: list[tuple[Fault, bytes]] = []
        self._lock = Lock()
        self._open: list[socket.socket] = []
        self.faults = 0
        self.url = make_conninfo(
            url, host="127.0.0.1", port=str(self._server.getsockname()[1])
        )

    def arm(self, fault: Fault, request: bytes = b"") -> None:
        with self._lock:
            self._armed.append((fault, request))

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                Thread(target=self._carry, args=(client,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for one in self._open:
            one.close()

    def _carry(self, client: socket.socket) -> None:
        server = self._connect()
        self._open += [client, server]
        with suppress(OSError), selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while self._pass_on(ready, client, server):
                pass
        client.close()
        server.close()

    def _pass_on(
        self,
        ready: selectors.BaseSelector,
        client: socket.socket,
        server: socket.socket,
    ) -> bool:
        for key, _ in ready.select():
            source, target = key.fileobj, key.data
            assert isinstance(source, socket.socket)
            data = source.recv(CHUNK)
            fault = self._fault(data) if source is client else None
            if fault is Fault.SILENT:
                ready.unregister(client)
                ready.unregister(server)
                continue
            if not data or fault is Fault.REQUEST_LOST:
                return False
            target.sendall(data)
            if fault is Fault.ANSWER_LOST:
                server.recv(CHUNK)
                return False
        return True

    def _fault(self, data: bytes) -> Fault | None:
        with self._lock:
            found = [one for one in self._armed if data and one[1] in data]
            if not found:
                return None
            self._armed.remove(found[0])
            self.faults += 1
            return found[0][0]

    def _connect(self) -> socket.socket:
        host, port = str(self._target["host"]), self._target.get("port") or 5432
        if not host.startswith("/"):
            return socket.create_connection((host, int(port)))
        way = socket.socket(socket.AF_UNIX)
        way.connect(str(Path(host) / f".s.PGSQL.{port}"))
        return way


@contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    proxy = Proxy(url)
    Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
