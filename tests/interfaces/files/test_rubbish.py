"""A file of rubbish, sent to the upload route, takes little space in the database."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from application.contacts.files import rejects
from interfaces.files.uploads import upload_routes
from storage.database import Pool, open_pool
from storage.vault.uploads import UploadStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = b"name,business_name,phone\n"
SIZE = 20_000_000
MOST_STORED = 100_000_000
PIECE = 64 << 10
"""Bytes, as the server receives them."""


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    with open_pool(database, name="test") as pool:
        yield pool


def send(pool: Pool, method: str, path: str, **rest: Any) -> httpx2.Response:
    app = FastAPI()
    app.include_router(
        upload_routes(
            store=UploadStore(pool),
            authorize=lambda: "ann@example.com",
            now=lambda: NOW,
            new_id=uuid4,
            default_region=lambda: "US",
        )
    )

    async def sent() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://test", timeout=None
        ) as client:
            return await client.request(method, path, **rest)

    return asyncio.run(sent())


def upload(pool: Pool, content: bytes) -> httpx2.Response:
    async def pieces() -> AsyncIterator[bytes]:
        for begin in range(0, len(content), PIECE):
            yield content[begin : begin + PIECE]

    headers = {"Content-Type": "text/csv"}
    return send(pool, "POST", "/uploads", content=pieces(), headers=headers)


def number(pool: Pool, query: str) -> int:
    with pool.connection() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def database_size(pool: Pool) -> int:
    return number(pool, "select pg_database_size(current_database())")


def staged(pool: Pool) -> int:
    return number(
        pool,
        "select (select count(*) from upload) + (select count(*) from upload_row)"
        " + (select count(*) from upload_reject)",
    )


def repeated(row: bytes, size: int = SIZE) -> bytes:
    return HEADER + row * (size // len(row))


RUBBISH = {
    "one letter a line": repeated(b"x\n"),
    "random bytes": HEADER + Random(7).randbytes(SIZE),
    "rows without a number": repeated(b"a,,b\n"),
    "control characters": repeated(b"a," + b"\x01" * 190 + b",no\n"),
}


@pytest.mark.parametrize("kind", RUBBISH)
def test_a_file_of_rubbish_is_refused_and_leaves_nothing(pool: Pool, kind: str) -> None:
    before = database_size(pool)
    response = upload(pool, RUBBISH[kind])
    assert response.status_code == 422, response.text
    assert response.json()["error"]["code"] == "UNREADABLE_FILE"
    assert staged(pool) == 0
    assert database_size(pool) - before < MOST_STORED


def test_a_file_that_repeats_one_row_is_counted_and_fills_little(pool: Pool) -> None:
    before = database_size(pool)
    content = repeated(b"Ann,,4155552671\n", SIZE // 4)
    response = upload(pool, content)
    assert response.status_code == 201
    report = response.json()["report"]
    assert report["accepted"] == 1
    assert report["accepted"] + report["skippedCount"] == content.count(b"\n") - 1
    assert report["rejectsNotKept"] == report["skippedCount"] - 100_000
    assert database_size(pool) - before < MOST_STORED


def test_the_file_of_rejects_says_how_many_are_missing(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejects, "KEPT_REJECTS", 2)
    response = upload(pool, HEADER + b"Bob,,12\n" * 5)
    report = response.json()["report"]
    assert (report["skippedCount"], report["rejectsNotKept"]) == (5, 3)
    assert [row["row"] for row in report["skipped"]] == [2, 3]
    text = send(pool, "GET", report["rejectsUrl"]).text
    *rows, last = csv.reader(io.StringIO(text, newline=""))
    assert [row[0] for row in rows] == ["row", "2", "3"]
    message = "3 more rows were skipped; their text was not stored."
    assert last == ["", "", message, "", "", ""]
