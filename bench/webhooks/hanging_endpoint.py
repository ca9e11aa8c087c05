"""Time from a report to the last of 49 endpoints, while a fiftieth never answers."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from time import perf_counter, sleep
from typing import Any

from bench.support.figures import Figure
from bench.support.http_load import post, send
from bench.support.installation import Installation, Server, process, wait_for
from bench.support.webhook_messages import HEADERS, placed_calls, report

ENDPOINTS, CALLS, GAP_SECONDS, TARGET_SECONDS = 50, 10, 1.0, 2.0
HANGS = "/0"
"""Path of the endpoint that accepts connections and never answers."""

ADD = """mutation($url: String!) {
  addWebhookEndpoint(url: $url, types: ["call.finished"]) {
    ... on NewWebhookEndpoint { secret } ... on UserError { message } } }"""


def measure(server: Server) -> Iterator[Figure]:
    """Report calls, one a second, and wait until each endpoint got each of them."""
    with ExitStack() as opened:
        url, arrivals = opened.enter_context(_receiver())
        installation = opened.enter_context(server.installation())
        opened.enter_context(process("scheduler", installation.environment))
        for number in range(ENDPOINTS):
            added = installation.ask(ADD, url=f"{url}/{number}")["addWebhookEndpoint"]
            assert "secret" in added
        wait_for(installation.has_caught_up, "the projector")
        longest = _longest(installation, arrivals)
    yield Figure(
        name="report to the last of 49 endpoints, one more hangs",
        value=longest,
        unit="s",
        target=TARGET_SECONDS,
        details=f"longest of {CALLS} calls, one every {GAP_SECONDS:g} s",
    )


def _longest(
    installation: Installation, arrivals: dict[str, dict[str, float]]
) -> float:
    """Return the longest time from an accepted report to its last arrival, in s."""
    calls = placed_calls(installation.app, CALLS)
    wait_for(installation.has_caught_up, "the projector")
    accepted: dict[str, float] = {}
    for call in calls:
        body = post(f"{installation.url}/webhooks/vapi", HEADERS, report(call))
        send(installation.url, [body], 1)
        accepted[str(call.id)] = perf_counter()
        sleep(GAP_SECONDS)
    others = ENDPOINTS - 1

    def all_arrived() -> bool:
        return all(len(arrivals.get(id_, {})) >= others for id_ in accepted)

    wait_for(all_arrived, "the deliveries")
    return max(max(arrivals[id_].values()) - at for id_, at in accepted.items())


@contextmanager
def _receiver() -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    """Run the endpoints; yield their URL and the first arrivals by call and path."""
    arrivals: dict[str, dict[str, float]] = {}
    lock, over = Lock(), Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == HANGS:
                over.wait()
                return
            call_id = json.loads(body)["data"]["call"]["id"]
            with lock:
                arrivals.setdefault(call_id, {}).setdefault(self.path, perf_counter())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    class Listener(ThreadingHTTPServer):
        request_queue_size = 4 * ENDPOINTS  # All endpoints are sent to at once.

    with Listener(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", arrivals
        finally:
            over.set()
            server.shutdown()
