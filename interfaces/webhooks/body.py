"""The bodies of webhooks: read, verified and inflated within bounded memory.

Anybody can send requests to a public address. Therefore no body is read if the headers
suffice to refuse it, and all bodies count against a limit of the whole process.
"""

import asyncio
import gzip
import zlib
from asyncio import timeout
from dataclasses import dataclass, field
from io import BytesIO
from time import perf_counter
from typing import Self

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from application.process.heap import trim
from interfaces.http.request_body import SMALL_BODY, EarlyRefusal
from interfaces.webhooks.authentication import Authenticate

LARGEST_BODY = 16 << 20
"""Bytes, as sent and inflated."""

RECEIVE_SECONDS = 10.0
RETRY_AFTER_SECONDS = 5

ENCODINGS = ("gzip", "deflate")
"""Values of Content-Encoding that are accepted; so is `identity`."""

_GZIP = {"gzip", "x-gzip"}
_PLAIN = {"", "identity"}


class Refused(Exception):
    """The webhook is refused with this status, code and message."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code = status, code
        self.content = {"error": {"code": code, "message": message}}
        self.headers = headers

    def response(self, *, early: bool) -> Response:
        """Build the response; `early` if the request body was not read to its end.

        After a timeout (408) the rest of the body is not awaited again.
        """
        if not early:
            return JSONResponse(self.content, self.status, self.headers)
        if self.status == 408:  # noqa: PLR2004 - request timeout
            headers = {**(self.headers or {}), "Connection": "close"}
            return JSONResponse(self.content, self.status, headers)
        return EarlyRefusal(self.content, self.status, self.headers)


def unavailable(message: str) -> Refused:
    """Build the refusal of a message that the provider should send again."""
    wait = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Refused(503, "UNAVAILABLE", message, wait)


@dataclass
class Memory:
    """Limits the memory of all webhooks of this process.

    Most bodies have up to SMALL_BODY bytes and share `small_bytes`. A larger one needs
    one of `large` slots and waits for it up to `wait_seconds`, so that a few large
    bodies (or an attacker's) never block the small ones.
    """

    small_bytes: int = 32 << 20
    large: int = 2
    wait_seconds: float = 2.0
    _held: int = 0
    _slots_in_use: int = 0
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.large)

    def share(self) -> "Share":
        """Account for one body; to be used as a context manager."""
        return Share(self)

    def hold(self, size: int) -> None:
        """Account for `size` bytes of small bodies. Raises Refused (503) if full."""
        if self._held + size > self.small_bytes:
            raise unavailable(
                "Too many messages are being received: send the message again."
            )
        self._held += size

    async def take_slot(self) -> None:
        """Wait for a slot for a large body. Raises Refused (503)."""
        try:
            async with timeout(self.wait_seconds):
                await self._slots.acquire()
        except TimeoutError as error:
            message = "Too many large messages are being received: send it later."
            raise unavailable(message) from error
        self._slots_in_use += 1

    def free_slot(self) -> None:
        """Release a slot; return freed memory to the system after the last one."""
        self._slots.release()
        self._slots_in_use -= 1
        if not self._slots_in_use:
            asyncio.get_running_loop().run_in_executor(None, trim)


@dataclass(eq=False, slots=True)
class Share:
    """One body's share of the memory for webhooks, in bytes; released at its exit.

    `waited` is how many seconds the body waited for a slot.
    """

    memory: Memory
    held: int = 0
    is_large: bool = False
    waited: float = 0.0

    async def grow(self, size: int) -> None:
        """Account for a body that has, or will have, this size in bytes.

        Raises:
            Refused: 503, if the memory is exhausted.
        """
        if self.is_large:
            return
        if size > SMALL_BODY:
            began = perf_counter()
            await self.memory.take_slot()
            self.waited = perf_counter() - began
            self.is_large = True
            self.memory.hold(-self.held)
            self.held = 0
        elif size > self.held:
            self.memory.hold(size - self.held)
            self.held = size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.memory.hold(-self.held)
        if self.is_large:
            self.memory.free_slot()


@dataclass(eq=False, slots=True)
class Body:
    """The body of one request, read within the limits."""

    request: Request
    share: Share
    largest: int = LARGEST_BODY

    async def authentic(self, authenticate: Authenticate) -> bytes:
        """Return the inflated body of an authentic message.

        Raises:
            Refused: 401, 413 or 415; 408 if it did not arrive completely; 400 if it
                cannot be inflated; 503 if the memory is exhausted.
        """
        headers = self.request.headers
        if not authenticate.admits(headers):
            raise _unauthenticated()
        encoding = _encoding(self.request)
        raw = await self._read()
        if self.share.is_large:
            passes = await asyncio.to_thread(authenticate, headers, raw)
        else:
            passes = authenticate(headers, raw)
        if not passes:
            raise _unauthenticated()
        return raw if encoding in _PLAIN else await self._inflated(raw, encoding)

    async def _read(self) -> bytes:
        declared = self.request.headers.get("content-length", "0")
        size = int(declared) if declared.isdecimal() else 0
        if size > self.largest:
            raise self._too_large()
        if size > SMALL_BODY:
            await self.share.grow(size)
        try:
            async with timeout(RECEIVE_SECONDS):
                return await self._received(size)
        except (TimeoutError, ClientDisconnect) as error:
            message = "The message did not arrive completely in time."
            raise Refused(408, "TIMEOUT", message) from error

    async def _received(self, declared: int) -> bytes:
        # A large body gets one block, because growing a bytearray copies it.
        body, size = bytearray(declared if self.share.is_large else 0), 0
        async for chunk in self.request.stream():
            start, size = size, size + len(chunk)
            if size > self.largest:
                raise self._too_large()
            await self.share.grow(size)
            body[start:size] = chunk
        return bytes(body[:size]) if size < len(body) else bytes(body)

    async def _inflated(self, raw: bytes, encoding: str) -> bytes:
        """Inflate a small message at once, a large one in a thread and with a slot."""
        try:
            small = inflate(raw, encoding, SMALL_BODY)
            if small is not None:
                await self.share.grow(len(small))
                return small
            await self.share.grow(self.largest)
            large = await asyncio.to_thread(inflate, raw, encoding, self.largest)
        except (zlib.error, OSError, EOFError) as error:
            message = (
                f"The body is not valid {encoding}, which Content-Encoding announces."
            )
            raise Refused(400, "INVALID", message) from error
        if large is None:
            raise self._too_large()
        return large

    def _too_large(self) -> Refused:
        message = (
            f"A message may have at most {self.largest} bytes, also when inflated."
        )
        return Refused(413, "TOO_LARGE", message)


def inflate(raw: bytes, encoding: str, most: int) -> bytes | None:
    """Inflate up to `most` bytes; return None if there are more.

    `deflate` is zlib's format (RFC 9110), or deflate without a header, which some
    clients send under that name.

    Raises:
        zlib.error, OSError, EOFError: if it is damaged or incomplete.
    """
    if encoding in _GZIP:
        with gzip.GzipFile(fileobj=BytesIO(raw)) as file:
            inflated = file.read(most + 1)
    else:
        window = zlib.MAX_WBITS if _has_header(raw) else -zlib.MAX_WBITS
        stream = zlib.decompressobj(window)
        inflated = stream.decompress(raw, most + 1)
        if len(inflated) <= most and not stream.eof:
            raise EOFError
    return inflated if len(inflated) <= most else None


def _has_header(raw: bytes) -> bool:
    """Recognise a zlib header (RFC 1950): method 8, two bytes divisible by 31."""
    return raw[:1].hex().endswith("8") and int.from_bytes(raw[:2]) % 31 == 0


def _encoding(request: Request) -> str:
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in {*ENCODINGS, *_GZIP, *_PLAIN}:
        accepted = ", ".join(ENCODINGS)
        message = f"Accepted values of Content-Encoding: {accepted}."
        headers = {"Accept-Encoding": accepted}
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", message, headers)
    return encoding


def _unauthenticated() -> Refused:
    return Refused(401, "UNAUTHENTICATED", "The webhook is not authenticated.")
