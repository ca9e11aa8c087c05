"""Time limits on connections that uvicorn 0.54 does not have.

uvicorn limits how long an idle connection is kept after a response, and nothing else:
a client that never sends a whole request, or never reads a response, occupies its
connection (and whatever the response holds) for ever.
"""

import asyncio
from asyncio import TimerHandle
from typing import Any, ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10.0
"""From a connection's start until the first request's headers are complete.

From the end of a response until the next request's headers are complete it is this
plus uvicorn's keep-alive time. The end of the last request's body counts as part of
the next request's headers, so a refused upload cannot go on for ever either.
"""

UNREAD_SECONDS = 30.0
"""How long a client may leave a full send buffer (64 KiB) unread."""

CLEANUP_SECONDS = 0.5
"""Part of the grace period at shutdown, at most half: see TimedProtocol.shutdown."""

_TIMED_OUT = "The request's headers did not arrive in time: send the request again."


class TimedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol, which also closes connections that stall.

    - No complete request headers within `header_seconds`: 408 if a request has begun,
      then the connection is closed.
    - No progress in reading a response for `unread_seconds`: the connection is
      aborted. The application sees `http.disconnect`.
    - A response still in progress when the server has to stop: aborted as well.
    """

    header_seconds: ClassVar[float] = HEADER_SECONDS
    unread_seconds: ClassVar[float] = UNREAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._header_timer: TimerHandle | None = None
        self._unread_timer: TimerHandle | None = None
        self._shutdown_timer: TimerHandle | None = None
        self._in_headers = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Start to wait for the first request's headers."""
        super().connection_made(transport)
        self._await_headers(self.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        self._stop_timers()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Note that the headers of a request are arriving."""
        self._in_headers = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop to wait for headers."""
        self._in_headers = False
        self._cancel_header_timer()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request on this connection."""
        super().on_response_complete()
        if self.cycle.response_complete:  # Else a pipelined request has begun.
            self._await_headers(self.timeout_keep_alive + self.header_seconds)

    def handle_websocket_upgrade(self) -> None:
        """Stop all timers; the WebSocket protocol has its own."""
        self._stop_timers()
        super().handle_websocket_upgrade()

    def shutdown(self) -> None:
        """Finish the response, or abort it shortly before the grace period is over.

        The application then sees `http.disconnect` and still has time to clean up.
        uvicorn cancels it only when the period is over, and leaves the connection of a
        client that does not read open, which keeps the event loop from closing.
        """
        super().shutdown()
        grace = self.config.timeout_graceful_shutdown
        if grace is not None:
            left = max(grace - CLEANUP_SECONDS, grace / 2)
            self._shutdown_timer = self.loop.call_later(left, self.transport.abort)

    def pause_writing(self) -> None:
        """Start the time-out of a client that does not read."""
        super().pause_writing()
        self._cancel_unread_timer()
        self._unread_timer = self.loop.call_later(
            self.unread_seconds, self.transport.abort
        )

    def resume_writing(self) -> None:
        """Stop the time-out: the client has read."""
        self._cancel_unread_timer()
        super().resume_writing()

    def _await_headers(self, seconds: float) -> None:
        self._cancel_header_timer()
        self._header_timer = self.loop.call_later(seconds, self._on_header_timeout)

    def _on_header_timeout(self) -> None:
        if self.transport.is_closing():
            self.transport.abort()  # The client does not read what is left to send.
            return
        if self._in_headers:
            self.transport.write(_timed_out())
        self.transport.close()
        self._await_headers(self.unread_seconds)

    def _stop_timers(self) -> None:
        self._cancel_header_timer()
        self._cancel_unread_timer()
        if self._shutdown_timer is not None:
            self._shutdown_timer.cancel()
            self._shutdown_timer = None

    def _cancel_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _cancel_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None


def _timed_out() -> bytes:
    body = orjson.dumps({"error": {"code": "TIMEOUT", "message": _TIMED_OUT}})
    head = (
        "HTTP/1.1 408 Request Timeout\r\n"
        "content-type: application/json\r\n"
        f"content-length: {len(body)}\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + body
