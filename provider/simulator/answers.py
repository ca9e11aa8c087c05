"""How the simulator answers: with JSON, with silence, or not at all."""

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
    """A connection that a handler may cut, or leave without an answer."""

    silent = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, object]", self.scope)[LINE] = self

    def cut(self) -> None:
        """Close with a TCP reset."""
        now_and_hard = struct.pack("ii", 1, 0)
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now_and_hard)
        self.transport.abort()

    def shutdown(self) -> None:
        if self.silent:
            self.cut()
        else:
            super().shutdown()


class NoAnswer(Response):
    """Keeps silent until the client has gone."""

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue


def line_of(request: Request) -> Line:
    line: Line = request.scope[LINE]
    return line


def reset(request: Request) -> Response:
    """Cut the connection; nothing is answered."""
    line_of(request).cut()
    return NoAnswer()


def as_json(content: object, status: int = HTTPStatus.OK) -> Response:
    body = orjson.dumps(content)
    return Response(body, status, media_type="application/json")


def refusal(error: ApiError) -> Response:
    response = as_json(error.body(), error.status)
    response.headers.update(error.headers)
    return response
