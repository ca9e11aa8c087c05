"""A client of the API, as a script would use it: HTTP and WebSocket with a token."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import httpx2
import orjson
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from application.errors import Failure

TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.2
PROTOCOL = Subprotocol("graphql-transport-ws")


class Refused(Failure):
    """The API refused a request; the text is its error message."""


class Client:
    """Sends requests to one API with one token."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self._authorization = url, f"Bearer {token}"
        self._http = httpx2.Client(
            base_url=url,
            headers={"Authorization": self._authorization},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the HTTP connections."""
        self._http.close()

    def ready(self) -> bool:
        """Return whether the API is ready (`/readyz` answers 200)."""
        with suppress(httpx2.HTTPError):
            return self._http.get("/readyz").is_success
        return False

    def upload(self, file: Path) -> dict[str, Any]:
        """Upload a CSV file; return the JSON of the answer. Raises Refused."""
        answer = self._http.post(
            "/uploads",
            params={"filename": file.name, "defaultRegion": "US"},
            headers={"Content-Type": "text/csv"},
            content=file.read_bytes(),
        )
        return _body(answer)

    def ask(self, operation: str, **variables: Any) -> Any:
        """Return the only field of an operation's data.

        Raises Refused for errors, and if the result is a UserError.
        """
        asked = {"query": operation, "variables": variables}
        body = _body(self._http.post("/graphql", json=asked))
        return _only(body)

    def download(self, url: str, file: Path) -> None:
        """Stream the content of a URL of the API to a file."""
        with self._http.stream("GET", url) as answer, file.open("wb") as out:
            if not answer.is_success:
                answer.read()
                raise Refused(answer.text)
            for chunk in answer.iter_bytes():
                out.write(chunk)

    def follow(self, *operations: str, **variables: Any) -> Iterator[Any]:
        """Yield the data of each subscription event, and None while there is none.

        None is yielded several times a second. A lost connection is reopened; each
        subscription then starts again.
        """
        while True:
            with suppress(OSError, WebSocketException), self._socket() as socket:
                self._authenticate(socket)
                _subscribe(socket, operations, variables)
                yield from _events(socket)
            yield None

    def _socket(self) -> AbstractContextManager[ClientConnection]:
        url = self.url.replace("http", "ws", 1) + "/graphql"
        return connect(url, subprotocols=[PROTOCOL], proxy=None, open_timeout=5)

    def _authenticate(self, socket: ClientConnection) -> None:
        credentials = {"authorization": self._authorization}
        _send(socket, type="connection_init", payload=credentials)
        message = orjson.loads(socket.recv(TIMEOUT_SECONDS))
        if message["type"] != "connection_ack":
            raise Refused(f"The socket was not acknowledged: {message}")


def _body(answer: httpx2.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise Refused(f"HTTP {answer.status_code}: {answer.text[:500]}")
    body: dict[str, Any] = answer.json()
    return body


def _only(body: dict[str, Any]) -> Any:
    if body.get("errors"):
        raise Refused("; ".join(error["message"] for error in body["errors"]))
    (result,) = body["data"].values()
    if isinstance(result, dict) and result.get("__typename") == "UserError":
        raise Refused(result["message"])
    return result


def _send(socket: ClientConnection, **message: Any) -> None:
    socket.send(orjson.dumps(message).decode())


def _subscribe(
    socket: ClientConnection, operations: tuple[str, ...], variables: dict[str, Any]
) -> None:
    for number, operation in enumerate(operations):
        payload = {"query": operation, "variables": variables}
        _send(socket, id=str(number), type="subscribe", payload=payload)


def _events(socket: ClientConnection) -> Iterator[Any]:
    while True:
        try:
            message = orjson.loads(socket.recv(POLL_SECONDS))
        except TimeoutError:
            yield None
            continue
        match message["type"]:
            case "next":
                yield message["payload"]["data"]
            case "ping":
                _send(socket, type="pong")
            case "error" | "complete":
                raise Refused(f"The subscription ended: {message.get('payload')}")
