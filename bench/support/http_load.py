"""HTTP load over plain sockets, so that the client uses little CPU time."""

import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from threading import Event, Thread
from time import perf_counter
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Sent:
    """Requests per second, and the seconds that each request took."""

    rate: float
    seconds: Sequence[float]


def post(url: str, headers: dict[str, str], body: bytes) -> bytes:
    """Return the bytes of a POST request."""
    parts = urlsplit(url)
    given = {"Host": parts.netloc, "Content-Length": str(len(body)), **headers}
    lines = [f"POST {parts.path} HTTP/1.1", *(f"{k}: {v}" for k, v in given.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def send(
    url: str, requests: Sequence[bytes], connections: int, status: bytes = b"200"
) -> Sent:
    """Send requests over several connections, on each the next after the response.

    Raises AssertionError if a response has another status.
    """
    turns = count()

    def one(_: int) -> list[float]:
        with _Connection(url) as connection:
            return list(connection.send_all(_taken(requests, turns), status))

    start = perf_counter()
    with ThreadPoolExecutor(connections) as threads:
        found = [one for some in threads.map(one, range(connections)) for one in some]
    return Sent(len(found) / (perf_counter() - start), found)


@contextmanager
def sending(url: str, requests: Iterable[bytes], pause: float) -> Iterator[list[float]]:
    """Send requests one by one during the block; yield the list of their seconds.

    `pause` is in seconds between two requests.
    """
    waits: list[float] = []
    over = Event()

    def work() -> None:
        for request in requests:
            if over.wait(pause):
                return
            waits.extend(send(url, [request], 1).seconds)

    thread = Thread(target=work)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


def _taken(requests: Sequence[bytes], turns: "count[int]") -> Iterator[bytes]:
    while (turn := next(turns)) < len(requests):
        yield requests[turn]


class _Connection:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.receive: Callable[[int], bytes] = self._socket.recv

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send_all(self, requests: Iterator[bytes], status: bytes) -> Iterator[float]:
        for request in requests:
            start = perf_counter()
            self._socket.sendall(request)
            answer = self._answer()
            assert answer[9:12] == status, answer[:500]
            yield perf_counter() - start

    def _answer(self) -> bytes:
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._received()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = _length(head)
        while len(body) < length:
            body += self._received()
        return answer

    def _received(self) -> bytes:
        found = self.receive(1 << 16)
        assert found, "the server closed the connection"
        return found


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
