"""HTTP transports that check the addresses of a host before they connect."""

import asyncio
import socket
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2

from domain.web_address import is_forbidden


class OutsideTransport(httpx2.HTTPTransport):
    """Refuses hosts that resolve to a forbidden address (`domain.web_address`)."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(), network_backend=_Outside()
        )


class _Outside(httpcore2.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the checked address: the name could resolve to another one now."""
        address = _address(host, port)
        return super().connect_tcp(
            address, port, timeout, local_address, socket_options
        )


class AsyncOutsideTransport(httpx2.AsyncHTTPTransport):
    """Like `OutsideTransport`, for asyncio.

    `any_address` allows forbidden addresses. Idle connections are closed after
    `keepalive_expiry` seconds.
    """

    def __init__(self, *, any_address: bool, keepalive_expiry: float) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=None,
            keepalive_expiry=keepalive_expiry,
            network_backend=None if any_address else _AsyncOutside(),
        )


class _AsyncOutside(httpcore2.AnyIOBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the checked address: the name could resolve to another one now."""
        address = await asyncio.to_thread(_address, host, port)
        return await super().connect_tcp(
            address, port, timeout, local_address, socket_options
        )


def _address(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError(str(error)) from error
    addresses = [str(address[0]) for *_, address in found]
    if any(is_forbidden(address) for address in addresses):
        raise httpcore2.ConnectError(f"{host} is a link-local or metadata address")
    return addresses[0]
