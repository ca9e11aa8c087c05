"""How much memory a real API process takes while many large bodies arrive."""

import hmac
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from interfaces.webhooks.body import RETRY_AFTER_SECONDS
from tests.end_to_end.processes import SECRET, running_up
from tests.support import eventually

MIB = 1 << 20
RUBBISH = b"x" * (15 * MIB)
SIGNED = {"x-signature": hmac.digest(b"another", b"", "sha256").hex()}


class Process:
    """An API process; sizes are in MiB."""

    def __init__(self, url: str, pid: int) -> None:
        self.netloc, self._proc = urlsplit(url).netloc, Path(f"/proc/{pid}")

    def size(self, name: str = "VmRSS") -> float:
        status = (self._proc / "status").read_text()
        (line,) = [one for one in status.splitlines() if one.startswith(f"{name}:")]
        return int(line.split()[1]) / 1024

    def forget_peak(self) -> None:
        (self._proc / "clear_refs").write_text("5")

    def peak(self) -> float:
        return self.size("VmHWM")

    def post(
        self, body: bytes | list[bytes], headers: dict[str, str]
    ) -> tuple[int, str | None]:
        """Send everything, then read; return the status and Retry-After."""
        with closing(HTTPConnection(self.netloc, timeout=120)) as connection:
            connection.request("POST", "/webhooks/vapi", body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers["Retry-After"]

    def report(self, message: list[bytes]) -> tuple[int, str | None]:
        size = sum(len(part) for part in message)
        headers = {"X-Vapi-Secret": SECRET, "Content-Length": str(size)}
        return self.post(message, headers)


@contextmanager
def api_process(database: str, folder: Path, **settings: Any) -> Iterator[Process]:
    given = {"DATABASE_URL": database, "WEBHOOK_SECRET": SECRET, **settings}
    with running_up(folder, "api", **given) as up:
        process = Process(up.url, up.child("interfaces.asgi"))
        assert process.post(b"", {})[0] == 401
        yield process


def refusal(process: Process, headers: dict[str, str]) -> int | None:
    """Post rubbish; return the status, None if the API cut off a slow client."""
    try:
        return process.post(RUBBISH, headers)[0]
    except ConnectionError:
        return None


def test_a_hundred_large_bodies_without_a_true_signature_take_no_memory(
    database: str, tmp_path: Path
) -> None:
    """A signature is checked over the body; the other proofs need no body at all."""
    headers = {**SIGNED, "x-timestamp": str(int(time.time()))}
    with api_process(database, tmp_path, WEBHOOK_AUTH="hmac") as process:
        before = process.size()
        process.forget_peak()
        with ThreadPoolExecutor(100) as clients:
            answers = [clients.submit(refusal, process, headers) for _ in range(100)]
            statuses = {answer.result() for answer in answers}
        assert {401} <= statuses <= {401, 503, None}
        assert process.peak() < before + 100


TEXT = b"word " * MIB


def message() -> list[bytes]:
    """Build a report of 5 MiB on a call of its own, in parts that are not copied."""
    call = f'"call": {{"id": "{uuid4()}"}}'
    report = f'{{"message": {{"type": "end-of-call-report", {call}, "transcript": "'
    return [report.encode(), TEXT, b'"}}']


def stored(database: str) -> int:
    query = """
        select count(distinct originator_id) from autolynx_events
        where topic like 'unmatched_message.%'
    """
    with psycopg.connect(database) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_two_hundred_large_messages_are_stored_or_refused_within_bounded_memory(
    database: str, tmp_path: Path
) -> None:
    with api_process(database, tmp_path) as process:
        before = process.size()
        process.forget_peak()
        with ThreadPoolExecutor(200) as clients:
            futures = [clients.submit(process.report, message()) for _ in range(200)]
            answers = Counter(one.result() for one in futures)
        taken, refused = (200, None), (503, str(RETRY_AFTER_SECONDS))
        assert set(answers) <= {taken, refused}
        assert answers[taken] >= 1
        assert stored(database) >= answers[taken]
        assert process.peak() < before + 250
        eventually(lambda: process.size() < before + 100, what="released memory")
        assert process.report(message()) == taken
