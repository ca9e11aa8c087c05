"""Requests to a simulator, without the SDK (it takes seconds to import)."""

from collections.abc import Callable
from typing import Any

import httpx2

from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from tests import support
from tests.simulator import Simulator

DANA = "+12025550143"


def body(number: str = DANA, **changes: Any) -> dict[str, Any]:
    return {
        "name": "our-call-id",
        "assistantId": DEFAULT_ASSISTANT_ID,
        "phoneNumberId": DEFAULT_PHONE_NUMBER_ID,
        "customer": {"number": number, "name": "Dana"},
        **changes,
    }


def post(
    simulator: Simulator,
    content: object,
    *,
    timeout: float | httpx2.Timeout = 10,
) -> httpx2.Response:
    return simulator.client.post("/call", json=content, timeout=timeout)


def get(simulator: Simulator, path: str, **query: Any) -> httpx2.Response:
    return simulator.client.get(path, params=query)


def numbers(count: int) -> list[str]:
    return [f"+120255501{index:02d}" for index in range(count)]


def eventually[Fact](look: Callable[[], Fact | None]) -> Fact:
    """Repeat until the result is true; raises AssertionError after some seconds."""
    found: list[Fact] = []

    def looked() -> bool:
        fact = look()
        if fact:
            found.append(fact)
        return bool(found)

    support.eventually(looked)
    return found[0]
