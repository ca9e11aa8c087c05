"""Slow, concurrent and refused uploads, over HTTP against a real database."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from socket import socket
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI, HTTPException, Request

from interfaces.files.upload_body import Pace
from interfaces.files.upload_slots import UploadSlots
from interfaces.files.uploads import upload_routes
from storage.database import Pool, open_pool
from storage.vault.uploads import UploadStore
from tests.interfaces.listening import HOST, connected, served, until_closed
from tests.support import eventually

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = b"name,business_name,phone\n"
ANN = b"Ann,,4155552671\n"
LARGEST = 1 << 20
LARGE = 24 << 20
"""Bytes: more than a socket's buffers hold."""


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    with open_pool(database, name="test") as pool:
        yield pool


def member(request: Request) -> str:
    name = request.headers.get("authorization", "")
    if not name:
        raise HTTPException(401, "Sign in.")
    return name


def made(pool: Pool, **limits: Any) -> FastAPI:
    app = FastAPI()
    routes = upload_routes(
        store=UploadStore(pool),
        authorize=member,
        now=lambda: NOW,
        new_id=uuid4,
        default_region=lambda: "US",
        **{"largest_file": LARGEST, **limits},
    )
    app.include_router(routes)
    return app


def uploads(pool: Pool) -> int:
    with pool.connection() as connection:
        row = connection.execute("select count(*) from upload").fetchone()
    assert row is not None
    return int(row[0])


def post(port: int, body: bytes, **headers: str) -> tuple[int, Any, Any]:
    """Send with urllib, which reads nothing before everything is sent."""
    sent = {"Content-Type": "text/csv", "Authorization": "ann", **headers}
    url = f"http://{HOST}:{port}/uploads"
    request = urllib.request.Request(url, body, sent)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused), refused.headers


def head(name: str, size: int) -> bytes:
    lines = (
        "POST /uploads HTTP/1.1",
        f"Host: {HOST}",
        "Content-Type: text/csv",
        f"Authorization: {name}",
        f"Content-Length: {size}",
        "Connection: close",
        *("", ""),
    )
    return "\r\n".join(lines).encode()


@contextmanager
def half_sent(port: int, pool: Pool, *names: str) -> Iterator[list[socket]]:
    """Begin one upload for each name, and wait until all are being received."""
    size = len(HEADER + ANN)
    with ExitStack() as opened:
        clients = [opened.enter_context(connected(port)) for _ in names]
        for client, name in zip(clients, names, strict=True):
            client.sendall(head(name, size) + HEADER)
        eventually(lambda: uploads(pool) == len(names), what="the uploads")
        yield clients


def finish(client: socket) -> bytes:
    client.sendall(ANN)
    return until_closed(client)


# --- Refusals that clients can read -----------------------------------------------


@pytest.mark.parametrize(
    ("status", "start", "headers"),
    [
        (413, HEADER, {}),
        (415, HEADER, {"Content-Type": "application/json"}),
        (401, HEADER, {"Authorization": ""}),
        (422, b"no,phone,column\n", {}),
    ],
)
def test_a_client_that_sends_everything_first_reads_why_it_was_refused(
    pool: Pool, status: int, start: bytes, headers: dict[str, str]
) -> None:
    largest = LARGEST if status == 413 else 2 * LARGE
    with served(made(pool, largest_file=largest)) as port:
        body = start + ANN * (LARGE // len(ANN))
        answer = post(port, body, **headers)
    assert answer[0] == status
    assert answer[1]["error"]["message"]
    assert uploads(pool) == 0


def test_a_file_of_rubbish_is_refused_before_it_was_sent_as_a_whole(
    pool: Pool,
) -> None:
    with served(made(pool, largest_file=2 * LARGE)) as port:
        status, answer, _ = post(port, HEADER + b"x\n" * (LARGE // 2))
    assert (status, answer["error"]["code"]) == (422, "UNREADABLE_FILE")
    assert uploads(pool) == 0


# --- Slow uploads -----------------------------------------------------------------


def test_a_file_that_arrives_too_slowly_is_refused_and_leaves_nothing(
    pool: Pool,
) -> None:
    app = made(pool, pace=lambda: Pace(slowest=1_000, window=0.3))
    with served(app) as port, connected(port) as client:
        # Less than the 64 KiB that the server would skip on its own.
        client.sendall(head("ann", 60_000) + HEADER)
        answer = until_closed(client)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"less than 1,000 bytes per second" in answer
    eventually(lambda: uploads(pool) == 0, what="the removal")


def test_a_pace_is_kept_by_enough_bytes_in_each_window() -> None:
    pace = Pace(slowest=10, window=30)
    for _ in range(100):
        pace.received(100, seconds=10)
        assert pace.patience > 0


def test_a_trickle_of_bytes_is_too_slow_at_the_end_of_the_window() -> None:
    pace = Pace(slowest=10, window=30)
    for second in range(29):
        assert pace.patience == 30 - second
        pace.received(9, seconds=1)
    assert pace.patience == 1


def test_a_fast_start_does_not_excuse_a_stall_for_longer_than_a_window() -> None:
    pace = Pace(slowest=10, window=30)
    pace.received(1_000_000, seconds=10)
    assert pace.patience == 50
    pace.received(1, seconds=45)
    assert pace.patience == 5


# --- Concurrent uploads -----------------------------------------------------------


def test_slow_uploads_of_one_member_do_not_block_another(pool: Pool) -> None:
    app = made(pool, slots=UploadSlots(waiting_seconds=0.2))
    with served(app) as port, half_sent(port, pool, "bob", "bob") as clients:
        status, answer, headers = post(port, HEADER + ANN, Authorization="bob")
        assert (status, answer["error"]["code"]) == (429, "TOO_MANY_REQUESTS")
        assert "2 of your files" in answer["error"]["message"]
        assert int(headers["Retry-After"]) > 0
        assert post(port, HEADER + ANN, Authorization="ann")[0] == 201
        for client in clients:
            assert finish(client).startswith(b"HTTP/1.1 201 ")
        assert post(port, HEADER + ANN, Authorization="bob")[0] == 201


def test_with_all_slots_occupied_a_client_is_asked_to_come_back(pool: Pool) -> None:
    app = made(pool, slots=UploadSlots(waiting_seconds=0.2, of_all=3))
    with served(app) as port, half_sent(port, pool, "a", "b", "c") as clients:
        status, answer, headers = post(port, HEADER + ANN)
        assert (status, answer["error"]["code"]) == (503, "UNAVAILABLE")
        assert int(headers["Retry-After"]) > 0
        for client in clients:
            assert finish(client).startswith(b"HTTP/1.1 201 ")
        assert post(port, HEADER + ANN)[0] == 201


def test_a_client_gets_a_slot_that_becomes_free_while_it_waits(pool: Pool) -> None:
    app = made(pool, slots=UploadSlots(waiting_seconds=60, of_all=1))
    answers: list[int] = []
    with served(app) as port, half_sent(port, pool, "bob") as (client,):
        waiting = threading.Thread(
            target=lambda: answers.append(post(port, HEADER + ANN)[0])
        )
        waiting.start()
        assert finish(client).startswith(b"HTTP/1.1 201 ")
        waiting.join(60)
    assert answers == [201]


def test_a_refused_upload_gives_its_slot_back(pool: Pool) -> None:
    app = made(pool, slots=UploadSlots(waiting_seconds=0.2, of_all=1, of_member=1))
    with served(app) as port:
        for _ in range(3):
            assert post(port, b"no,known,column\na,b,c\n")[0] == 422
        assert post(port, HEADER + ANN)[0] == 201
