"""The provider's webhooks while results are sent to an endpoint; baseline: without."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from threading import Thread
from typing import Any

from bench.support.figures import Figure
from bench.support.http_load import post, send
from bench.support.installation import Installation, Server, process, wait_for
from bench.support.process_usage import cpu_seconds
from bench.support.webhook_messages import HEADERS, placed_calls, report, status_update
from bench.webhooks.webhook_to_frame import CALLS as FRAMES
from bench.webhooks.webhook_to_frame import CAMPAIGNS, frame_seconds
from domain.calls.call import Call

CONNECTIONS, CALLS, ROUNDS = 16, 300, 3
ADD = """mutation($url: String!) { addWebhookEndpoint(url: $url) {
  ... on NewWebhookEndpoint { secret } ... on UserError { message } } }"""


def measure(server: Server) -> Iterator[Figure]:
    """Send the same messages to two installations, of which one has an endpoint."""
    with ExitStack() as opened:
        url = opened.enter_context(_receiver())
        sending, plain = (opened.enter_context(server.installation()) for _ in "12")
        for one in (sending, plain):
            opened.enter_context(process("scheduler", one.environment))
        assert "secret" in sending.ask(ADD, url=url)["addWebhookEndpoint"]
        rounds = [_Sender(one) for one in (sending, plain)]
        found = [[one.send_next() for one in rounds] for _ in range(ROUNDS)]
        yield _figure("webhook, with an endpoint", "requests/s", found, 0)
        yield _figure("webhook, with an endpoint, CPU", "requests/CPU s", found, 1)
        latencies = [_latency(one) for one in (sending, plain)]
    yield Figure(
        name="webhook to frame, with an endpoint, p50",
        value=1 / latencies[0],
        unit="1/s",
        baseline=1 / latencies[1],
        target=0.9,
        details="inverse of the median latency; baseline without an endpoint",
    )


def _figure(
    name: str, unit: str, found: Sequence[Sequence[tuple[float, float]]], place: int
) -> Figure:
    value, baseline = (
        median(results[who][place] for results in found) for who in range(2)
    )
    return Figure(
        name=name,
        value=value,
        unit=unit,
        baseline=baseline,
        target=0.9,
        details=f"{CALLS * 3:,} messages, {CONNECTIONS} connections; CPU of API and"
        " projector; baseline without an endpoint",
    )


class _Sender:
    """Sends the messages about calls of one installation, part by part."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        calls = placed_calls(installation.app, CALLS * ROUNDS)
        wait_for(installation.has_caught_up, "the projector")
        path = f"{installation.url}/webhooks/vapi"
        self._parts = iter(
            [
                [post(path, HEADERS, body) for body in _bodies(calls[at : at + CALLS])]
                for at in range(0, len(calls), CALLS)
            ]
        )

    def send_next(self) -> tuple[float, float]:
        """Return requests per second, and per second of CPU time."""
        installation, requests = self._installation, next(self._parts)
        pids = [*installation.server_pids(), installation.projector.pid]
        before = sum(map(cpu_seconds, pids))
        rate = send(installation.url, requests, CONNECTIONS).rate
        wait_for(installation.has_caught_up, "the projector")
        return rate, len(requests) / (sum(map(cpu_seconds, pids)) - before)


def _bodies(calls: Sequence[Call]) -> Iterator[bytes]:
    for status in ("ringing", "in-progress"):
        yield from (status_update(call, status) for call in calls)
    yield from map(report, calls)


def _latency(installation: Installation) -> float:
    calls = [placed_calls(installation.app, FRAMES) for _ in range(CAMPAIGNS)]
    wait_for(installation.has_caught_up, "the projector")
    return median(frame_seconds(installation, calls))


@contextmanager
def _receiver() -> Iterator[str]:
    """Run a receiver that accepts everything; yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
