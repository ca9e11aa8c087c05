"""Warnings and limits derived from an assistant's configuration."""

from typing import Any

import pytest

from provider.vapi.assistants.assistants import (
    LONGEST_CALL_SECONDS,
    longest_call_seconds,
    read_assistant,
    warnings_of,
)


@pytest.mark.parametrize(
    ("config", "seconds"),
    [
        ({"maxDurationSeconds": 300}, 300),
        ({}, LONGEST_CALL_SECONDS),
        ({"maxDurationSeconds": None}, LONGEST_CALL_SECONDS),
    ],
)
def test_the_longest_call_is_the_configured_or_the_default_one(
    config: dict[str, Any], seconds: int
) -> None:
    assert longest_call_seconds(config) == seconds


def test_the_newest_version_is_read_if_the_provider_has_versions() -> None:
    plain = {"id": "a", "name": "Ann", "firstMessage": "Hi"}
    assert read_assistant(plain).version is None
    assert read_assistant(plain | {"latestVersion": "v3"}).version == "v3"
    assert read_assistant(plain | {"latestVersion": 3}).version is None


def test_the_digest_changes_with_the_configuration_and_not_with_the_name() -> None:
    plain = {"id": "a", "name": "Ann", "firstMessage": "Hi", "updatedAt": "1"}
    digest = read_assistant(plain).digest
    for same in ({"name": "Bea"}, {"updatedAt": "2"}, {"latestVersion": "v2"}):
        assert read_assistant(plain | same).digest == digest
    assert read_assistant(plain | {"firstMessage": "Hello"}).digest != digest


def test_a_plain_assistant_gives_no_warning() -> None:
    assert warnings_of({"model": {"provider": "openai", "tools": None}}) == []
    tool = {"type": "function", "function": {"name": "book"}, "server": {"url": "u"}}
    assert warnings_of({"model": {"tools": [tool, {"type": "endCall"}]}}) == []


def test_an_assistant_with_its_own_server_gives_a_warning() -> None:
    (warning,) = warnings_of({"server": {"url": "https://theirs.example"}})
    assert "gets no messages" in warning
    assert warnings_of({"serverUrl": "https://theirs.example"}) == [warning]


def test_tools_without_a_server_give_a_warning() -> None:
    tools = [
        {"type": "function", "function": {"name": "book"}},
        {"type": "function"},
        {"type": "apiRequest", "name": "weather"},
        "nonsense",
    ]
    model = {"tools": tools, "functions": [{"name": "old"}], "toolIds": ["t-1"]}
    asking, saved = warnings_of({"model": model})
    assert "book, a function without a name, old" in asking
    assert "AutoLynx" in saved


@pytest.mark.parametrize("model", [None, "gpt", [], {"tools": {}}, {"tools": [None]}])
def test_an_invalid_model_gives_no_warning(model: object) -> None:
    assert warnings_of({"model": model}) == []
