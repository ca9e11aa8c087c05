"""Refuse a request before its body has arrived, so that the client can read why.

A server that answers and closes while the client still sends makes the kernel reset
the connection, and the client loses the answer. RFC 9112 (section 9.6) asks the server
to go on reading for a while. This does so without storing anything.
"""

import asyncio
from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

SMALL_BODY = 64 << 10
"""Bytes. The server discards a body of up to this size; the connection is reused."""

DRAINED_BYTES = 32 << 20
DRAINED_SECONDS = 10.0


class EarlyRefusal(JSONResponse):
    """A complete answer to a request whose body is not needed.

    After the answer, the rest of the body is read and discarded until it ends,
    `drained_bytes` have arrived, or `drained_seconds` are over. Then the connection is
    closed. A request that declares a body of at most SMALL_BODY bytes is not drained
    here: the server skips its body and the connection stays open.
    """

    def __init__(
        self,
        content: Any,
        status_code: int,
        headers: dict[str, str] | None = None,
        *,
        drained_bytes: int = DRAINED_BYTES,
        drained_seconds: float = DRAINED_SECONDS,
    ) -> None:
        super().__init__(content, status_code, headers)
        self._drained_bytes = drained_bytes
        self._drained_seconds = drained_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response; then read and discard the rest of the body."""
        if _declares_a_small_body(scope):
            await super().__call__(scope, receive, send)
            return
        self.headers["Connection"] = "close"
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        # Content-Length ends the answer for the client; the request stays open here.
        body = {"type": "http.response.body", "body": bytes(self.body)}
        await send({**body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(self._drained_seconds):
                await discard_body(receive, self._drained_bytes)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class WatchedReceive:
    """An ASGI `receive` that knows whether the request's body has ended.

    Use EarlyRefusal only while `ended` is false: after the end of the body, `receive`
    waits until the client disconnects.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive, self.ended = receive, False

    async def __call__(self) -> Message:
        """Return the next message of the server."""
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self.ended = True
        return message


async def discard_body(receive: Receive, most: int) -> None:
    """Read and discard a request body until it ends or `most` bytes have arrived."""
    discarded = 0
    while discarded < most:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
        discarded += len(message.get("body", b""))


def _declares_a_small_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    if "transfer-encoding" in headers:
        return False
    declared = headers.get("content-length", "0")
    return declared.isdecimal() and int(declared) <= SMALL_BODY
