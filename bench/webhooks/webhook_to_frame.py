"""Time from an accepted webhook to the subscription frame that shows it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from threading import Thread
from time import perf_counter, sleep

import httpx2
import psycopg
from websockets import ConnectionClosed, Subprotocol
from websockets.sync.client import ClientConnection, connect

from bench.support.bare_webhook import TABLE
from bench.support.bare_webhook import bare as bare_app
from bench.support.figures import Figure, percentile
from bench.support.http_load import post, send
from bench.support.installation import (
    Installation,
    Server,
    answers,
    free_port,
    process,
    wait_for,
)
from bench.support.webhook_messages import HEADERS, placed_calls, status_update
from domain.calls.call import Call

CAMPAIGNS, CALLS, RATE = 50, 20, 100
SUBSCRIBE = "subscription($id: ID!) { campaignProgress(campaignId: $id) { ringing } }"


def measure(server: Server) -> Iterator[Figure]:
    """Send `ringing` for calls of many campaigns in turn, 100 a second."""
    with server.installation() as installation:
        calls = [placed_calls(installation.app, CALLS) for _ in range(CAMPAIGNS)]
        wait_for(installation.has_caught_up, "the projector")
        seconds = frame_seconds(installation, calls)
        body = status_update(calls[0][0], "ringing")
    bare = bare_frame_seconds(server, body)
    for name, part, target in (("p50", 0.5, None), ("p99", 0.99, 300.0)):
        value = percentile(seconds, part) * 1000
        details = f"{len(seconds):,} messages, {RATE}/s, {CAMPAIGNS} campaigns"
        yield Figure(
            name=f"webhook to frame, {name}",
            value=value,
            unit="ms",
            target=target,
            details=details,
        )
        yield Figure(
            name=f"webhook to frame, {name}, of the limit",
            value=value,
            unit="ms",
            baseline=percentile(bare, part) * 1000,
            smaller_is_better=True,
            details=f"{details}; a bare FastAPI route, NOTIFY and WebSocket",
        )


def bare_frame_seconds(server: Server, body: bytes) -> list[float]:
    """Return the same seconds of a bare route that stores and sends only ids."""
    port, shown = free_port(), dict[str, float]()
    url = f"http://127.0.0.1:{port}"
    with server.empty_database() as database:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(TABLE)
        with process(bare_app.__module__, {}, [str(port), database]):
            wait_for(lambda: answers(f"{url}/healthz"), "the bare route")
            watcher = Thread(target=_watch_ids, args=(f"ws://127.0.0.1:{port}", shown))
            watcher.start()
            accepted = _sent_ids(url, body, shown)
        watcher.join(10)
    return [max(shown[id_] - at, 0) for id_, at in accepted.items() if id_ in shown]


def _sent_ids(url: str, body: bytes, shown: dict[str, float]) -> dict[str, float]:
    """Send at RATE until all frames arrived; return when each id was accepted."""
    accepted, start = dict[str, float](), perf_counter()
    with httpx2.Client() as client:
        for turn in range(CALLS * CAMPAIGNS):
            sleep(max(start + turn / RATE - perf_counter(), 0))
            answer = client.post(f"{url}/notified", content=body)
            accepted[answer.json()["id"]] = perf_counter()
    wait_for(lambda: len(shown) >= len(accepted) - 1, "the last bare frames")
    return accepted


def _watch_ids(address: str, shown: dict[str, float]) -> None:
    with suppress(ConnectionClosed), connect(f"{address}/watch") as socket:
        for frame in socket:
            shown.setdefault(str(frame), perf_counter())


def frame_seconds(
    installation: Installation, calls: Sequence[Sequence[Call]]
) -> list[float]:
    """Return the seconds from each accepted message to its frame."""
    watchers = [_Watcher(installation, one[0]) for one in calls]
    path, accepted = f"{installation.url}/webhooks/vapi", []
    start = perf_counter()
    for turn in range(CALLS):
        for number, (watcher, own) in enumerate(zip(watchers, calls, strict=True)):
            due = start + (turn * CAMPAIGNS + number) / RATE
            sleep(max(due - perf_counter(), 0))
            body = status_update(own[turn], "ringing")
            send(installation.url, [post(path, HEADERS, body)], 1)
            accepted.append((watcher, turn + 1, perf_counter()))
    wait_for(lambda: all(CALLS in one.shown for one in watchers), "the last frames")
    for watcher in watchers:
        watcher.close()
    return [max(w.time_of(ringing) - at, 0) for w, ringing, at in accepted]


class _Watcher:
    """Records when a campaign was first shown with each number of ringing calls."""

    def __init__(self, installation: Installation, call: Call) -> None:
        self.shown: dict[int, float] = {}
        self._socket = _subscribed(installation, str(call.campaign_id))
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()
        wait_for(lambda: 0 in self.shown, "the first frame")

    def time_of(self, ringing: int) -> float:
        return min(at for shown, at in self.shown.items() if shown >= ringing)

    def close(self) -> None:
        self._socket.close()
        self._thread.join(10)

    def _watch(self) -> None:
        for frame in self._socket:
            message = json.loads(frame)
            if message["type"] == "next":
                ringing = message["payload"]["data"]["campaignProgress"]["ringing"]
                self.shown.setdefault(ringing, perf_counter())


def _subscribed(installation: Installation, campaign_id: str) -> ClientConnection:
    url = f"ws{installation.url.removeprefix('http')}/graphql"
    opened = connect(url, subprotocols=[Subprotocol("graphql-transport-ws")])
    payload = {"authorization": f"Bearer {installation.token}"}
    opened.send(json.dumps({"type": "connection_init", "payload": payload}))
    assert json.loads(opened.recv())["type"] == "connection_ack"
    asked = {"query": SUBSCRIBE, "variables": {"id": campaign_id}}
    opened.send(json.dumps({"type": "subscribe", "id": "1", "payload": asked}))
    return opened
