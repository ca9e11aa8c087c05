"""uvicorn, configured for the API."""

import signal
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from application.configuration import Configuration
from application.process.gc_tuning import freeze
from interfaces.http.connections import TimedProtocol
from interfaces.http.websockets import PING_SECONDS, PONG_SECONDS, WebSocketProtocol

LARGEST_FRAME = 1 << 20
"""Bytes of one WebSocket message."""

SHUTDOWN_SECONDS = 3


class Server(uvicorn.Server):
    """uvicorn's server, which exits with 0 after a signal, as the other roles do."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the library's signature
        """Stop gracefully; at a second SIGINT, at once."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then freeze the objects that live as long as the process."""
        await super().startup(sockets)
        freeze()  # The GraphQL schema and the routes were built during start-up.


def serving(configuration: Configuration, app: FastAPI) -> uvicorn.Config:
    """Return the configuration with which uvicorn serves the application."""
    return uvicorn.Config(
        app,
        http=TimedProtocol,
        host=configuration.host,
        port=configuration.port,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws=WebSocketProtocol,
        ws_max_size=LARGEST_FRAME,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PONG_SECONDS,
        server_header=False,
        access_log=False,
        log_config=None,  # uvicorn's log records go to our handlers.
    )
