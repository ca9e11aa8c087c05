"""Queries on a campaign of a million contacts, and 500 subscribers to it."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import batched
from time import monotonic
from typing import Any

import httpx2
import orjson
from psycopg.rows import dict_row
from websockets import Subprotocol
from websockets.asyncio.client import connect as open_socket

from bench.support.event_history import CAMPAIGN, LIST, contact_id, opening, store
from bench.support.figures import Figure, medians, percentile
from bench.support.installation import Installation, Server, wait_for
from bench.support.process_usage import cpu_seconds
from domain.values import ContactStatus
from projections.contacts import contact_log
from projections.contacts.contact_row import ContactRow
from storage.database import Conn, connect

CONTACTS = 1_000_000
TIMES = 10
WATCHERS, SECONDS = 500, 20
LONGEST_SECONDS = 10.0
GRAPHQL_WS = Subprotocol("graphql-transport-ws")
NAMES = ("Ada", "Bob", "Cleo", "Dana", "Eve", "Finn", "Gus", "Hana")
FIELDS = "id name businessName phone status"
PAGE = """query($id: ID!, $statuses: [ContactStatus!], $search: String) {
  campaign(id: $id) { contacts(first: 50, statuses: $statuses, search: $search) {
    totalCount nodes { %s } pageInfo { hasNextPage endCursor } } } }"""
PROGRESS = "query($id: ID!) { campaign(id: $id) { progress { contacts pending } } }"
WATCH = """subscription($id: ID!) { campaignProgress(campaignId: $id) {
  state contacts pending active ended position } }"""
BARE_PROGRESS = "select contacts, pending from campaign_board where id = %s"
ROW = "insert into contact_vault (contact_id, list_id, campaign_id, name,"
ROW += " business_name, phone, leaf) select * from unnest(%s::uuid[], %s::uuid[],"
ROW += " %s::uuid[], %s::text[], %s::text[], %s::text[], %s::bytea[])"


def measure(server: Server) -> Iterator[Figure]:
    """Measure queries and frames in ms, and the CPU time that subscribers need."""
    with server.installation() as installed:
        _fill(installed)
        with connect(installed.database, name="bench bare") as bare:
            bare.execute("set search_path to read, public")
            yield from _pages(installed, bare)
        yield from asyncio.run(_watched(installed))


def _fill(installed: Installation) -> None:
    """Store a campaign of a million contacts with names."""
    store(installed.pool, iter(opening(CONTACTS)))
    with connect(installed.database, name="bench fill") as connection:
        for numbers in batched(range(CONTACTS), 10_000):
            connection.execute(ROW, _vault_rows(numbers))
        wait_for(installed.has_caught_up, "the projector", 600)
        connection.execute("vacuum analyze")


def _vault_rows(numbers: tuple[int, ...]) -> list[list[Any]]:
    count = len(numbers)
    return [
        [contact_id(number) for number in numbers],
        [LIST] * count,
        [CAMPAIGN] * count,
        [f"{NAMES[number % 8]} L{number % 9973}" for number in numbers],
        [f"Engines {number % 997} Ltd" for number in numbers],
        [f"+1202{number:07}" for number in numbers],
        [b"leaf"] * count,
    ]


@dataclass(frozen=True)
class Reading:
    """A query of the campaign's contacts, with its filters."""

    name: str
    statuses: list[str] | None = None
    search: str | None = None


READINGS = (
    Reading("page of 50"),
    Reading("page of 50, one status", statuses=["PENDING"]),
    Reading("page of 50, rare word", search="L9972"),
    Reading("page of 50, common word", search="ada"),
    Reading("page of 50, number", search="+120201234"),
)


def _pages(installed: Installation, bare: Conn) -> Iterator[Figure]:
    with httpx2.Client(headers=installed.headers, timeout=60) as client:
        for reading in READINGS:
            asked = {"statuses": reading.statuses, "search": reading.search}
            over_http = _asking(client, installed, PAGE % FIELDS, **asked)
            alone = _alone(bare, reading)
            yield _figure(reading.name, over_http, alone)
        progress = _asking(client, installed, PROGRESS)
        yield _figure("progress query", progress, lambda: _bare_progress(bare), 5.0)


def _figure(
    name: str,
    ours: Callable[[], float],
    alone: Callable[[], float],
    target: float | None = None,
) -> Figure:
    value, baseline = medians(_typical(ours), _typical(alone))
    return Figure(
        name=name,
        value=value,
        unit="ms",
        baseline=baseline,
        target=target,
        smaller_is_better=True,
        details=f"{CONTACTS:,} contacts; the same SQL and JSON in bare psycopg",
    )


def _typical(work: Callable[[], float]) -> Callable[[], float]:
    return lambda: percentile([work() for _ in range(TIMES)], 0.5)


def _asking(
    client: httpx2.Client, installed: Installation, query: str, **asked: Any
) -> Callable[[], float]:
    body = {"query": query, "variables": {"id": str(CAMPAIGN), **asked}}

    def ask() -> float:
        began = monotonic()
        answer = client.post(f"{installed.url}/graphql", json=body)
        took = (monotonic() - began) * 1000
        assert "errors" not in answer.json(), answer.text
        return took

    return ask


def _alone(bare: Conn, reading: Reading) -> Callable[[], float]:
    """Return the baseline: the same SQL on a bare connection, encoded as JSON."""
    wanted = None if reading.statuses is None else map(ContactStatus, reading.statuses)
    statuses = None if wanted is None else list(wanted)

    def ask() -> float:
        began = monotonic()
        page = contact_log.page(
            bare, CAMPAIGN, first=50, statuses=statuses, search=reading.search
        )
        orjson.dumps([_as_json(row) for row in page.nodes])
        return (monotonic() - began) * 1000

    return ask


def _as_json(row: ContactRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "businessName": row.business_name,
        "phone": row.phone,
        "status": row.status,
    }


def _bare_progress(bare: Conn) -> float:
    began = monotonic()
    with bare.cursor(row_factory=dict_row) as cursor:
        orjson.dumps(cursor.execute(BARE_PROGRESS, (CAMPAIGN,)).fetchone())
    return (monotonic() - began) * 1000


async def _watched(installed: Installation) -> list[Figure]:
    """Measure many subscribers to one campaign that changes once a second."""
    frames: list[tuple[str, float]] = []
    ready = asyncio.Semaphore(0)
    watchers = [
        asyncio.create_task(_watch(installed, frames, ready)) for _ in range(WATCHERS)
    ]
    for _ in watchers:
        await ready.acquire()
    frames.clear()
    began, used = monotonic(), cpu_seconds(installed.api.pid)
    latencies = await _change(installed, frames)
    share = (cpu_seconds(installed.api.pid) - used) / (monotonic() - began) * 100
    for watcher in watchers:
        watcher.cancel()
    await asyncio.gather(*watchers, return_exceptions=True)
    details = f"{WATCHERS} sockets, one update a second; {len(latencies):,} frames"
    return [
        Figure(
            name="subscribers, CPU", value=share, unit="% of a core", details=details
        ),
        Figure(
            name="subscribers, p99 of a frame",
            value=percentile(latencies, 0.99) * 1000,
            unit="ms",
            details=f"from the change's request to the frame; {details}",
        ),
    ]


async def _watch(
    installed: Installation, frames: list[tuple[str, float]], ready: asyncio.Semaphore
) -> None:
    url = f"ws{installed.url.removeprefix('http')}/graphql"
    init = {"type": "connection_init", "payload": {"authorization": _bearer(installed)}}
    payload = {"query": WATCH, "variables": {"id": str(CAMPAIGN)}}
    async with open_socket(url, subprotocols=[GRAPHQL_WS]) as socket:
        await socket.send(json.dumps(init))
        await socket.recv()
        subscribe = {"id": "1", "type": "subscribe", "payload": payload}
        await socket.send(json.dumps(subscribe))
        async for message in socket:
            frame = json.loads(message)
            if frame["type"] == "next":
                shown = frame["payload"]["data"]["campaignProgress"]
                frames.append((shown["state"], monotonic()))
                ready.release()


def _bearer(installed: Installation) -> str:
    return installed.headers["Authorization"]


async def _change(
    installed: Installation, frames: list[tuple[str, float]]
) -> list[float]:
    """Pause and resume once a second; return the seconds until each frame arrived."""
    latencies = list[float]()
    for turn in range(SECONDS):
        name, state = (("pause", "PAUSED"), ("resume", "QUEUED"))[turn % 2]
        frames.clear()
        began = monotonic()
        query = f"mutation($id: ID!) {{ {name}Campaign(id: $id) {{ __typename }} }}"
        await asyncio.to_thread(installed.ask, query, id=str(CAMPAIGN))
        arrived = await _arrived(frames, state, began + LONGEST_SECONDS)
        latencies += [at - began for at in arrived]
        await asyncio.sleep(max(began + 1 - monotonic(), 0))
    return latencies


async def _arrived(
    frames: list[tuple[str, float]], state: str, until: float
) -> list[float]:
    """Wait until every subscriber has the frame; return the times of arrival."""
    arrived = list[float]()
    while len(arrived) < WATCHERS:
        assert monotonic() < until, f"{len(arrived)} of {WATCHERS} frames arrived"
        await asyncio.sleep(0.02)
        arrived = [at for shown, at in frames if shown == state]
    return arrived
