"""Answers of the simulator: JSON, silence, or a closed connection."""

import socket
import struct
from http import HTTPStatus
from typing import cast

import orjson
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from provider.simulator.validation import ApiError

LINE = "simulator.line"


class Line(HttpToolsProtocol):
    """An HTTP connection that a handler may reset, or leave without an answer."""

    silent = False

    def on_message_begin(self) -> None:
        """Make the connection available to the handler of the request."""
        super().on_message_begin()
        cast("dict[str, object]", self.scope)[LINE] = self

    def cut(self) -> None:
        """Close the connection with a TCP reset."""
        linger = struct.pack("ii", 1, 0)
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()

    def shutdown(self) -> None:
        """Close the connection when the server stops; reset a silent one."""
        if self.silent:
            self.cut()
        else:
            super().shutdown()


class NoAnswer(Response):
    """Sends nothing until the client closes the connection."""

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue


def line_of(request: Request) -> Line:
    """Return the connection of a request."""
    line: Line = request.scope[LINE]
    return line


def reset(request: Request) -> Response:
    """Reset the connection of a request without an answer."""
    line_of(request).cut()
    return NoAnswer()


def as_json(content: object, status: int = HTTPStatus.OK) -> Response:
    """Return a JSON answer."""
    body = orjson.dumps(content)
    return Response(body, status, media_type="application/json")


def refusal(error: ApiError) -> Response:
    """Return the answer for an error of the API."""
    response = as_json(error.body(), error.status)
    response.headers.update(error.headers)
    return response
