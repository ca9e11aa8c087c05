"""A client of the upload routes, and queries of what it stored."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx2
from fastapi import FastAPI, HTTPException, Request

from storage.database import Pool

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "name,business_name,phone,plan\n"
ANN = "Ann,Acme,(415) 555-2671,gold\n"
CSV = {"Content-Type": "text/csv"}
LIMIT = 1 << 19


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


class Client:
    """Sends requests to the application in this process, one at a time."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def post(
        self, url: str, content: Any = "", headers: dict[str, str] = CSV
    ) -> httpx2.Response:
        return self._send("POST", url, content=content, headers=headers)

    def get(self, url: str, **headers: str) -> httpx2.Response:
        return self._send("GET", url, headers=headers)

    def _send(self, method: str, url: str, **rest: Any) -> httpx2.Response:
        return asyncio.run(self._sent(method, url, **rest))

    async def _sent(self, method: str, url: str, **rest: Any) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=self._app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://test"
        ) as client:
            return await client.request(method, url, **rest)


def error_of(response: httpx2.Response) -> str:
    """Return a refusal's code; check that it has the form of the contract."""
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"]
    return str(error["code"])


def operator(request: Request) -> str:
    if request.headers.get("authorization") == "none":
        raise HTTPException(401)
    return request.headers.get("authorization", "ann@example.com")


def uploads(pool: Pool) -> int:
    with pool.connection() as connection:
        found = connection.execute(
            "select (select count(*) from upload) + (select count(*) from upload_row)"
        ).fetchone()
    assert found is not None
    return int(found[0])
