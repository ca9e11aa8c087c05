"""VapiProvider changes assistants and finds recordings."""

from typing import Any

import httpx2
import orjson
import pytest

from application.ports import (
    AssistantChanges,
    ProviderRefused,
    ProviderUnavailable,
)
from tests.provider.vapi_client import provider


def changing(
    now: dict[str, Any],
    config: dict[str, Any],
    name: str | None = None,
    fields: AssistantChanges | None = None,
) -> dict[str, Any] | None:
    """Return the request that changes an assistant with this configuration."""
    sent: list[dict[str, Any]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "PATCH":
            sent.append(orjson.loads(request.content))
        return httpx2.Response(200, json=now)

    provider(answer).update_assistant("a-1", name, config, fields)
    return sent[0] if sent else None


SECRETIVE = {
    "id": "a-1",
    "orgId": "org",
    "name": "Ann",
    "firstMessage": "Hi",
    "server": {"url": "https://theirs.example", "headers": {"X-Key": "s"}},
}


def test_sending_back_the_shown_configuration_removes_no_secret() -> None:
    shown = {**SECRETIVE, "server": {"url": "https://theirs.example"}}
    assert changing(SECRETIVE, shown) is None
    assert changing(SECRETIVE, {**shown, "firstMessage": "Hey"}) == {
        "firstMessage": "Hey"
    }


def test_a_change_that_would_remove_a_secret_is_refused() -> None:
    with pytest.raises(ProviderRefused, match="server contains secrets"):
        changing(SECRETIVE, {"server": {"url": "https://other.example"}})
    given = {"url": "https://other.example", "headers": {"X-Key": "new"}}
    assert changing(SECRETIVE, {"server": given}) == {"server": given}


def test_changed_fields_keep_the_secrets_beside_them() -> None:
    tool = {"type": "function", "server": {"url": "u", "secret": "s"}}
    model = {"provider": "openai", "model": "gpt-4o", "tools": [tool]}
    shown = {"model": {**model, "tools": [{"type": "function"}]}}
    with pytest.raises(ProviderRefused, match="model contains secrets"):
        changing({"id": "a-1", "model": model}, shown)
    sent = changing({"id": "a-1", "model": model}, {}, fields={"model": "openai/o3"})
    assert sent == {"model": {**model, "model": "o3"}}


def test_fields_with_the_values_that_they_have_send_nothing() -> None:
    assert changing(SECRETIVE, {}, fields={"first_message": "Hi"}) is None


def test_keys_that_only_the_provider_sets_are_not_sent() -> None:
    sent: list[Any] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(orjson.loads(request.content))
        return httpx2.Response(201, json={"id": "a-2", "name": "Bea"})

    provider(answer).create_assistant("Bea", {**SECRETIVE, "voice": {}})
    (document,) = sent
    assert document == {
        "firstMessage": "Hi",
        "name": "Bea",
        "server": SECRETIVE["server"],
        "voice": {},
    }


@pytest.mark.parametrize(
    ("location", "link"),
    [
        ("https://storage.example/x.wav?X=1", "https://storage.example/x.wav?X=1"),
        ("/storage/x.wav", "https://api.vapi.ai/storage/x.wav"),
    ],
)
def test_the_redirect_to_a_recording_is_returned_and_not_followed(
    location: str, link: str
) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path == "/call/call-1/mono-recording"
        return httpx2.Response(302, headers={"location": location})

    assert provider(answer).recording_link("call-1") == link


@pytest.mark.parametrize(
    "location",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://storage.example/x.wav",
        "https://user@storage.example/x.wav",
        "https://169.254.169.254/latest/meta-data/",
        "https://[64:ff9b::a9fe:a9fe]/x.wav",
        "https://localhost/x.wav",
        "https://[::1",
        "https://storage.example:x/",
    ],
)
def test_a_redirect_to_a_hostile_url_is_not_a_recording_link(location: str) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(302, headers={b"location": location.encode()})

    assert provider(answer).recording_link("call-1") is None


def test_an_answer_without_a_link_gives_no_recording() -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=b"RIFF")

    with pytest.raises(ProviderUnavailable, match="no link"):
        provider(answer).recording_link("call-1")
