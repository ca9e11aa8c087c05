"""Builds VapiProviders that talk to a function or to a raw server."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import orjson

from application.process.monotonic_clock import monotonic_now
from provider.vapi.client import VapiProvider
from provider.vapi.settings import VapiSettings
from tests.fakes import an_order

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
LINE = "c2d4e6f8-1a3b-4c5d-8e7f-901a2b3c4d5e"
KEY = "private-key"

type Answer = Callable[[httpx2.Request], httpx2.Response]


def soon() -> float:
    return monotonic_now() + 60


def provider(answer: Answer, **settings: Any) -> VapiProvider:
    return VapiProvider(
        VapiSettings(api_key=KEY, **settings),
        transport=httpx2.MockTransport(answer),
        now=lambda: NOW,
        wait=lambda _: None,
    )


def at(url: str, timeout_seconds: float = 60) -> VapiProvider:
    """Return a client of a real server.

    The time limit includes the connection, which takes seconds on a busy machine.
    """
    settings = VapiSettings(url, KEY, timeout_seconds)
    return VapiProvider(settings, now=lambda: NOW, wait=lambda _: None)


def request_of(**settings: Any) -> tuple[httpx2.Request, dict[str, Any]]:
    """Return the request that is sent for an order."""
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(201, json={"id": "call-1"})

    order = an_order(name="N" * 50, variables={"plan": "gold"})
    provider(answer, **settings).create_call(order, send_before=soon())
    return sent[0], orjson.loads(sent[0].content)


def fails_with(error: Exception) -> Answer:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise error

    return answer
