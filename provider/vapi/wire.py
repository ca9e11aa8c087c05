"""One connection for one request, with one deadline.

httpx's time-outs apply to each read, so an answer in small pieces could take for ever.
And only the code that writes to the socket can prove that a request was not sent.
"""

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore2
import httpx2

from application.process.monotonic_clock import monotonic_now


class TooLate(Exception):
    """It is too late to send the request; no byte of it was sent."""


BEFORE_SENDING = (
    TooLate,
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.LocalProtocolError,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
)
"""Errors after which the request was not sent, if the wire sent nothing."""


class Wire(httpcore2.NetworkBackend):
    """Opens the connection, and records whether anything was sent.

    `deadline` is the end of the whole exchange, `send_before` the latest time at which
    the first byte may be sent; both in seconds of the monotonic clock.
    """

    def __init__(self, deadline: float, send_before: float) -> None:
        self.deadline, self.send_before = deadline, send_before
        self.sent = False
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline says how long
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of the host that answers in time."""
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in _addresses(host, port):
            try:
                stream = self._backend.connect_tcp(
                    address, port, self.time_to_connect(), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(self, stream)
        raise failure

    def time_to_connect(self) -> float:
        """Return the seconds left for connecting; raises ConnectTimeout for none."""
        left = min(self.deadline, self.send_before) - monotonic_now()
        if left <= 0:
            raise httpcore2.ConnectTimeout("timed out")
        return left

    def time_to_write(self) -> float:
        """Return the seconds left for sending; raises TooLate if it may not begin."""
        if not self.sent and monotonic_now() >= self.send_before:
            raise TooLate
        self.sent = True
        return max(self.deadline - monotonic_now(), 0.001)

    def time_to_read(self) -> float:
        """Return the seconds left for reading; raises ReadTimeout for none."""
        left = self.deadline - monotonic_now()
        if left <= 0:
            raise httpcore2.ReadTimeout("timed out")
        return left


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError(str(error)) from error
    return [str(address[0]) for *_, address in found]


class _Stream(httpcore2.NetworkStream):
    def __init__(self, wire: Wire, stream: httpcore2.NetworkStream) -> None:
        self._wire, self._stream = wire, stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline says how long
        return self._stream.read(max_bytes, self._wire.time_to_read())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the deadline says how long
        if buffer:
            self._stream.write(buffer, self._wire.time_to_write())

    def close(self) -> None:
        with suppress(OSError):
            self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the deadline says how long
    ) -> httpcore2.NetworkStream:
        left = self._wire.time_to_connect()
        secured = self._stream.start_tls(ssl_context, server_hostname, left)
        return _Stream(self._wire, secured)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class WireTransport(httpx2.HTTPTransport):
    """httpx's transport over a Wire, for one request."""

    def __init__(self, wire: Wire, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context, max_connections=1, network_backend=wire
        )
