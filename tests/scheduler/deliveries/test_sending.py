"""One attempt: which addresses are allowed, and what counts as refused."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from projections.deliveries.queue import Attempt, Outgoing
from scheduler.deliveries.sending import Sender
from tests.scheduler.deliveries.receiver import receiving
from tests.wiring import real_time

KEY = bytes(range(32))
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def attempt(url: str, **options: Any) -> Attempt:
    """Send one delivery."""

    async def send() -> Attempt:
        sender = Sender(now=real_time, timeout=2.0, **options)
        try:
            body = '{"type": "call.finished", "data": {"name": "Zoë"}}'
            outgoing = Outgoing(UUID(int=1), UUID(int=2), url, body, (KEY,))
            return await sender.send(outgoing)
        finally:
            await sender.close()

    return asyncio.run(send())


def test_the_signature_is_that_of_the_specification() -> None:
    with receiving(SECRET) as received:
        assert attempt(received.url).answer == "200 OK"
    assert (received.faults, received.bodies[0]["data"]) == ([], {"name": "Zoë"})


@pytest.mark.parametrize(
    ("status", "refused"),
    [(400, True), (422, True), (401, False), (404, False), (429, False), (503, False)],
)
def test_only_an_answer_about_the_message_counts_as_refused(
    status: int, refused: bool
) -> None:
    with receiving(SECRET) as received:
        received.answer = lambda _body: status
        made = attempt(received.url)
    assert (made.is_delivered, made.refused) == (False, refused)
    assert made.answer.startswith(str(status))


def test_a_redirect_is_not_followed() -> None:
    with receiving(SECRET) as received:
        received.answer = lambda _body: 307
        made = attempt(received.url)
    assert (made.is_delivered, made.answer) == (False, "307 Temporary Redirect")
    assert len(received.ids) == 1


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let each host name resolve to this address."""

    def set_address(address: str) -> None:
        def getaddrinfo(_host: str, port: int, **_: Any) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr("scheduler.checked_http.socket.getaddrinfo", getaddrinfo)

    return set_address


def test_a_name_that_resolves_to_a_metadata_address_is_not_connected_to(
    resolves: Callable[[str], None],
) -> None:
    resolves("169.254.169.254")
    made = attempt("http://crm.example.com/hook")
    assert not made.is_delivered
    assert "link-local or metadata address" in made.answer


def test_the_connection_goes_to_the_address_that_was_checked(
    resolves: Callable[[str], None],
) -> None:
    resolves("127.0.0.1")
    with receiving(SECRET) as received:
        url = received.url.replace("127.0.0.1", "crm.example.com")
        assert attempt(url).is_delivered
