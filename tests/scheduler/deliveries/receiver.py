"""A receiver of webhooks that verifies each request on its own, without our code.

It follows the text of the Standard Webhooks specification: the signature is the base64
of HMAC-SHA256 over id, timestamp and body, joined with dots, by the decoded secret.
"""

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from time import time
from typing import Any

from tests.child_process import join


@dataclass
class Received:
    """The deliveries that arrived, in order, with the answer to each."""

    secrets: list[str]
    answer: Callable[[dict[str, Any]], int] = lambda _body: 200
    ids: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    signatures: list[int] = field(default_factory=list)
    """Number of signatures of each delivery."""
    faults: list[str] = field(default_factory=list)
    url: str = ""
    hanging: Event | None = None
    """While set, nothing is answered until this event."""
    _lock: Lock = field(default_factory=Lock)

    @property
    def types(self) -> list[str]:
        return [body["type"] for body in self.bodies]

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """Bodies that were answered with success, each id once, in order."""
        seen: dict[str, dict[str, Any]] = {}
        for id_, body, status in zip(self.ids, self.bodies, self.statuses, strict=True):
            if status == 200:
                seen.setdefault(id_, body)
        return list(seen.values())

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        fault = self._fault(headers, body)
        parsed = json.loads(body)
        with self._lock:
            if fault is not None:
                self.faults.append(fault)
                return 401
            status = self.answer(parsed)
            self.ids.append(headers["webhook-id"])
            self.bodies.append(parsed)
            self.statuses.append(status)
            self.signatures.append(len(headers["webhook-signature"].split()))
        return status

    def _fault(self, headers: dict[str, str], body: bytes) -> str | None:
        at = headers.get("webhook-timestamp", "")
        if not at.isdigit() or abs(time() - int(at)) > 300:
            return f"the timestamp is {at!r}"
        if headers.get("content-type") != "application/json":
            return f"the type is {headers.get('content-type')}"
        signed = f"{headers['webhook-id']}.{at}.".encode() + body
        sent = {one.partition(",")[2] for one in headers["webhook-signature"].split()}
        for secret in self.secrets:
            key = b64decode(secret.removeprefix("whsec_"))
            made = b64encode(hmac.new(key, signed, sha256).digest()).decode()
            if made in sent:
                return None
        return "no signature matches"


@contextmanager
def receiving(
    *secrets: str, port: int = 0, into: Received | None = None
) -> Iterator[Received]:
    """Run a receiver with these secrets; `into` continues what another one recorded."""
    received = into or Received(list(secrets))
    stopped = Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if received.hanging is not None:
                received.hanging.wait(60)
            if stopped.is_set():
                self.close_connection = True
                return  # Killed: it answers nothing on open connections either.
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(received.receive(headers, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, *_: Any) -> None:
            """Expect clients that do not wait for the answer."""

    with Server(("127.0.0.1", port), Handler) as server:
        server.block_on_close = False
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        received.url = f"http://127.0.0.1:{server.server_port}/hook"
        try:
            yield received
        finally:
            stopped.set()
            server.shutdown()
            join(thread)
