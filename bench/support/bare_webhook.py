"""Baselines for webhooks: a bare FastAPI route with one INSERT, and its frames.

The path /webhook stores a body, /notified also notifies the listener, which sends the
id to all sockets of /watch. Run `python -m bench.support.bare_webhook PORT URL`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import orjson
import uvicorn
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

TABLE = b"create table bare_webhook (id uuid primary key, body json not null)"
INSERT = b"insert into bare_webhook (id, body) values (%s, %s)"
INSERT_AND_NOTIFY = b"""
with stored as (insert into bare_webhook (id, body) values (%s, %s))
select pg_notify('bare', %s)
"""


def bare(url: str) -> FastAPI:
    """Build the application that stores each JSON body with one INSERT."""
    pool = AsyncConnectionPool(url, min_size=16, max_size=16, open=False)
    watchers = set[WebSocket]()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with pool:
            listening = asyncio.create_task(_listen(url, watchers))
            yield
            listening.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.post("/webhook")
    async def webhook(request: Request) -> dict[str, str]:
        body = await request.body()
        orjson.loads(body)
        async with pool.connection() as connection:
            await connection.execute(INSERT, (uuid4(), body.decode()), prepare=True)
        return {}

    @app.post("/notified")
    async def notified(request: Request) -> dict[str, str]:
        body, id_ = await request.body(), uuid4()
        orjson.loads(body)
        values = (id_, body.decode(), str(id_))
        async with pool.connection() as connection:
            await connection.execute(INSERT_AND_NOTIFY, values, prepare=True)
        return {"id": str(id_)}

    @app.websocket("/watch")
    async def watch(socket: WebSocket) -> None:
        await socket.accept()
        watchers.add(socket)
        with suppress(WebSocketDisconnect):
            await socket.receive_text()
        watchers.discard(socket)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {}

    return app


async def _listen(url: str, watchers: set[WebSocket]) -> None:
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("listen bare")
        async for notify in connection.notifies():
            for socket in list(watchers):
                await socket.send_text(notify.payload)


if __name__ == "__main__":
    uvicorn.run(bare(sys.argv[2]), port=int(sys.argv[1]), log_level="warning")
