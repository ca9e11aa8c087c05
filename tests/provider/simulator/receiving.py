"""A small real HTTP server that takes server messages."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

SECONDS = 10


@dataclass(frozen=True)
class Received:
    headers: Message
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.body)["message"]
        return message

    @property
    def label(self) -> str:
        return str(self.message.get("status", self.message["type"]))


@dataclass
class Receiver:
    """Takes messages in order of arrival.

    `answer` returns the status for each, and `body` the content of the response.
    """

    url: str = ""
    queue: Queue[Received] = field(default_factory=Queue)
    answer: Callable[[Received], int] = lambda _: 200
    body: Callable[[Received], bytes] = lambda _: b""

    def take(self, count: int) -> list[Received]:
        """Wait for this number of messages; raises queue.Empty at the time-out."""
        return [self.queue.get(timeout=SECONDS) for _ in range(count)]

    def labels(self, count: int) -> list[str]:
        return [received.label for received in self.take(count)]


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            received = Received(self.headers, self.rfile.read(length))
            receiver.queue.put(received)
            self.send_response(receiver.answer(received))
            content = receiver.body(received)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_: object) -> None:
            """Ignore connections that a killed simulator has closed."""

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield receiver
        server.shutdown()
