"""The body of an upload, read in pieces, with limits on its size and its rate."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from anyio import from_thread
from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from interfaces.http.errors import CODES
from interfaces.http.request_body import EarlyRefusal

SLOWEST_BYTES_PER_SECOND = 16 << 10
WINDOW_SECONDS = 30.0
"""An upload must reach SLOWEST_BYTES_PER_SECOND on average in each window.

Only the time spent waiting for the client counts, not that of the database.
"""

DRAINED_BYTES = 1 << 30
DRAINED_SECONDS = 30.0
"""How much of a refused file is still read, so that its sender can read the refusal."""

_PIECE = 256 << 10  # Bytes that are parsed at a time.


class Refused(Exception):
    """The upload is refused with this status, code and message.

    `details` are further members of the error in the response.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.details = details or {}


@dataclass(slots=True)
class Pace:
    """Measures one sender in windows of waiting time.

    `slowest` is in bytes per second, `window` in seconds.
    """

    slowest: float = SLOWEST_BYTES_PER_SECOND
    window: float = WINDOW_SECONDS
    _waited: float = 0.0
    _received: int = 0

    @property
    def patience(self) -> float:
        """Seconds within which the next bytes must arrive; 0 or less if too slow."""
        left = self.window - self._waited
        if self._received >= self.slowest * self.window:
            return left + self.window
        return left

    def received(self, size: int, seconds: float) -> None:
        """Count bytes that arrived after so many seconds of waiting."""
        self._waited += seconds
        self._received += size
        if self._waited >= self.window:
            self._waited %= self.window
            self._received = size


class Body:
    """A request's body in pieces, asked for from a worker thread.

    Iterating raises Refused when the file is larger than the limit, arrives too slowly
    or is incomplete.
    """

    def __init__(self, request: Request, pace: Pace) -> None:
        self._chunks, self._pace = request.stream(), pace
        self._declared = int(request.headers.get("content-length", "0"))
        self._largest, self._total = sys.maxsize, 0
        self.ended = False
        """Whether the client has sent everything, or has disconnected."""

    def limit(self, largest: int) -> None:
        """Set the largest size in bytes; refuse a file that is declared larger."""
        self._largest = largest
        self._check(self._declared)

    def __iter__(self) -> Iterator[bytes]:
        while piece := from_thread.run(self._piece):
            yield piece

    async def _piece(self) -> bytes:
        """Return up to 256 KiB; nothing at the end."""
        piece = bytearray()
        while len(piece) < _PIECE and not self.ended:
            piece += await self._chunk()
        self._total += len(piece)
        self._check(self._total)
        return bytes(piece)

    async def _chunk(self) -> bytes:
        since = monotonic()
        try:
            async with asyncio.timeout(self._pace.patience):
                chunk = await anext(self._chunks, None)
        except TimeoutError as error:
            raise Refused(400, "INVALID", self._too_slow()) from error
        except ClientDisconnect as error:
            self.ended = True
            raise Refused(
                400,
                "INVALID",
                "The connection was closed before the file was complete.",
            ) from error
        if chunk is None:
            self.ended = True
            return b""
        self._pace.received(len(chunk), monotonic() - since)
        return chunk

    def _too_slow(self) -> str:
        return (
            f"The file arrived at less than {self._pace.slowest:,.0f} bytes per second"
            f" for {self._pace.window:,.0f} seconds: send it again over a better"
            " connection, or in smaller files."
        )

    def _check(self, size: int) -> None:
        if size > self._largest:
            message = f"The file is larger than {self._largest:,} bytes: split it."
            raise Refused(413, "TOO_LARGE", message)


class RefusingRoute(APIRoute):
    """Answers an HTTPException so that a client can read it while still sending."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler of the route."""
        handle = super().get_route_handler()

        async def handle_or_refuse(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                code = CODES.get(error.status_code, "INTERNAL")
                refused = Refused(error.status_code, code, str(error.detail))
                return refusal_of(refused, dict(error.headers or {}))

        return handle_or_refuse


def refusal_of(
    refused: Refused, headers: dict[str, str] | None = None, *, drain: bool = True
) -> Response:
    """Answer with a refusal; `drain` the rest of a body that has not been read."""
    error = {"code": refused.code, "message": refused.message, **refused.details}
    content = {"error": error}
    if not drain:
        return JSONResponse(content, refused.status, headers)
    return EarlyRefusal(
        content,
        refused.status,
        headers,
        drained_bytes=DRAINED_BYTES,
        drained_seconds=DRAINED_SECONDS,
    )
