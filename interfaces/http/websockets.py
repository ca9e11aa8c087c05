"""WebSocket connections that end when the client no longer reads or answers."""

import socket
from asyncio import BaseTransport

from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)

PING_SECONDS = 8.0
"""From a client's answer to a ping until the next ping."""

PONG_SECONDS = 10.0
"""Time for the answer to a ping. PING_SECONDS + 2 * PONG_SECONDS stays under 30 s."""


SEND_BUFFER = 128 << 10
"""Bytes of the kernel's send buffer (Linux doubles it); by default up to 4 MiB."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's protocol; a client that does not read cannot keep it open.

    When a ping stays unanswered, uvicorn 0.54 closes the transport. That close waits
    until all buffered bytes are sent, which never happens if the client does not read.
    The connection, its tasks and its subscriptions would then live until the client
    closes it. This class aborts the transport, which discards the buffered bytes.

    `send` waits while more than the transport's high-water mark (64 KiB) is buffered,
    so a socket buffers at most that and one message for each of its subscriptions.
    """

    _wrote_since_ping = False

    def connection_made(self, transport: BaseTransport) -> None:
        """Limit what the kernel buffers for a client that does not read."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def resume_writing(self) -> None:
        """Note that the client has read: the buffer is below its low-water mark."""
        self._wrote_since_ping = True
        super().resume_writing()

    def send_keepalive_ping(self) -> None:
        """Send a ping; abort a connection that is still not closed by now."""
        if self.close_sent or self.transport.is_closing():
            self.transport.abort()
            return
        self._wrote_since_ping = False
        super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        """Abort the connection, unless the client has read since the last ping.

        A slow client may have much to read before it reaches the ping; then it gets
        another PONG_SECONDS as long as it goes on reading.
        """
        if self._wrote_since_ping and not self.close_sent:
            self._wrote_since_ping = False
            self.pong_timer = self.loop.call_later(PONG_SECONDS, self.keepalive_timeout)
            return
        super().keepalive_timeout()
        self.disconnected = True  # `send` raises ClientDisconnected from now on.
        self.transport.abort()
