"""Baseline for webhooks, a bare FastAPI route with one INSERT.

Run `python -m bench.support.bare_webhook PORT URL`.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import orjson
import uvicorn
from fastapi import FastAPI, Request
from psycopg_pool import AsyncConnectionPool

INSERT = b"insert into bare_webhook (id, body) values (%s, %s)"


def bare(url: str) -> FastAPI:
    """Build the application that stores each JSON body with one INSERT."""
    pool = AsyncConnectionPool(url, min_size=16, max_size=16, open=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with pool:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/webhook")
    async def webhook(request: Request) -> dict[str, str]:
        body = await request.body()
        orjson.loads(body)
        async with pool.connection() as connection:
            await connection.execute(INSERT, (uuid4(), body.decode()), prepare=True)
        return {}

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {}

    return app


if __name__ == "__main__":
    uvicorn.run(bare(sys.argv[2]), port=int(sys.argv[1]), log_level="warning")
