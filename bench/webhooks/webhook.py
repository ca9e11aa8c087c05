"""Webhooks over HTTP; baseline: a bare route with one INSERT."""

from collections.abc import Callable, Iterator, Sequence

import psycopg

from bench.support.bare_webhook import TABLE, bare
from bench.support.figures import Figure, medians
from bench.support.http_load import post, send
from bench.support.installation import (
    Installation,
    Server,
    answers,
    free_port,
    process,
    wait_for,
)
from bench.support.webhook_messages import HEADERS, placed_calls, report, status_update
from domain.calls.call import Call

CONNECTIONS, CALLS, ROUNDS = 16, 500, 3


def measure(server: Server) -> Iterator[Figure]:
    """Measure requests per second over CONNECTIONS connections."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with server.installation() as installation, server.empty_database() as database:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(TABLE)
        with process(bare.__module__, {}, [str(port), database]):
            wait_for(lambda: answers(f"{url}/healthz"), "the bare route")
            own, bodies = _requests(installation)
            theirs = [post(f"{url}/webhook", {}, body) for body in bodies]
            value, baseline = medians(
                _sender(installation.url, own), _sender(url, theirs), rounds=ROUNDS
            )
    yield Figure(
        name="webhook",
        value=value,
        unit="requests/s",
        baseline=baseline,
        target=0.8,
        details=f"{CALLS * 3:,} messages of 1 to 9 KB, {CONNECTIONS} connections;"
        " a bare FastAPI route with one INSERT",
    )


def _requests(installation: Installation) -> tuple[list[bytes], list[bytes]]:
    calls = placed_calls(installation.app, CALLS * ROUNDS)
    wait_for(installation.has_caught_up, "the projector")
    bodies = [
        body
        for at in range(0, len(calls), CALLS)
        for body in _bodies(calls[at : at + CALLS])
    ]
    path = f"{installation.url}/webhooks/vapi"
    return [post(path, HEADERS, body) for body in bodies], bodies


def _bodies(calls: Sequence[Call]) -> Iterator[bytes]:
    for status in ("ringing", "in-progress"):
        yield from (status_update(call, status) for call in calls)
    yield from map(report, calls)


def _sender(url: str, requests: Sequence[bytes]) -> Callable[[], float]:
    """Return a function that sends the next part of the requests at each call."""
    size = len(requests) // ROUNDS
    parts = iter([requests[at : at + size] for at in range(0, len(requests), size)])
    return lambda: send(url, next(parts), CONNECTIONS).rate
