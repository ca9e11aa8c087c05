"""Interprets an assistant's configuration: https://docs.vapi.ai/api-reference."""

from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256
from typing import Any

import orjson

from application.ports import (
    ListedAssistant,
    ProviderAssistant,
    ProviderRefused,
    ProviderUnavailable,
)
from provider.vapi.assistants.tools import answered_name, answered_tools
from provider.vapi.redaction import redact

LONGEST_CALL_SECONDS = 600
"""Vapi's default of `maxDurationSeconds`."""

LONGEST_NAME = 40
"""Characters of an assistant's name that Vapi accepts."""

THEIRS = frozenset({"id", "orgId", "createdAt", "updatedAt", "latestVersion", "name"})
"""Keys that only the provider sets, and the name, which is set separately."""


def longest_call_seconds(config: dict[str, Any]) -> int:
    """Return the duration in seconds after which the provider ends a call."""
    return int(config.get("maxDurationSeconds") or LONGEST_CALL_SECONDS)


OWN_SERVER = (
    "It has its own server: calls placed from here name AutoLynx as their server"
    " instead, so its own server gets no messages about them."
)
TOOLS_WITHOUT_SERVER = (
    "These tools have no server of their own: {names}. In calls placed from here they"
    " send their requests to AutoLynx, which does not answer them. Give each tool its"
    " own server at the provider."
)
SAVED_TOOLS = (
    "It uses tools that are saved at the provider. In calls placed from here, one that"
    " has no server of its own sends its requests to AutoLynx, which answers only"
    " record_opt_out and schedule_callback."
)


def warnings_of(config: dict[str, Any]) -> list[str]:
    """Return texts about what does not work in our calls with this configuration.

    Each call names AutoLynx as its server, which replaces the assistant's own server.
    """
    model = config.get("model")
    model = model if isinstance(model, dict) else {}
    warnings = []
    if config.get("server") or config.get("serverUrl"):
        warnings.append(OWN_SERVER)
    if names := list(_asking_us(model)):
        warnings.append(TOOLS_WITHOUT_SERVER.format(names=", ".join(names)))
    if model.get("toolIds"):
        warnings.append(SAVED_TOOLS)
    return warnings


def _asking_us(model: dict[str, Any]) -> Iterator[str]:
    for tool in [*_documents(model.get("tools")), *_documents(model.get("functions"))]:
        function = tool.get("function")
        server = tool.get("server")
        asks = tool.get("type", "function") == "function"
        if answered_name(tool) is None and asks and not _has_url(server):
            named = function if isinstance(function, dict) else tool
            yield str(named.get("name") or "a function without a name")


def _has_url(server: Any) -> bool:
    return isinstance(server, dict) and bool(server.get("url"))


def _documents(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [one for one in value if isinstance(one, dict)]


def read_assistant(
    document: Any, saved_tools: Collection[dict[str, Any]] = ()
) -> ProviderAssistant:
    """Read an assistant without its secrets; `saved_tools` are those of the account.

    Raises ProviderUnavailable if the document is not an assistant.
    """
    id_ = document.get("id") if isinstance(document, dict) else None
    if not isinstance(id_, str) or not id_:
        raise ProviderUnavailable("no assistant in the answer")
    config = redact(document)
    tools = answered_tools(model_of(document), saved_tools)
    version = document.get("latestVersion")
    return ProviderAssistant(
        id=id_,
        name=str(config.get("name") or id_),
        config=config,
        tools=tools,
        version=version if isinstance(version, str) and version else None,
        digest=digest_of(config, tools),
    )


def digest_of(config: dict[str, Any], tools: tuple[str, ...]) -> str:
    """Return a digest that changes with what an assistant does, not with its name."""
    content = [settable_config(config), tools]
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def read_listed(documents: Iterable[dict[str, Any]]) -> list[ListedAssistant]:
    """Read the ids and names of listed assistants; documents without id are skipped."""
    return [
        ListedAssistant(id=one["id"], name=str(one.get("name") or "") or None)
        for one in documents
        if isinstance(one.get("id"), str) and one["id"]
    ]


def model_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return the model of an assistant, which contains its tools; {} without one."""
    model = document.get("model")
    return model if isinstance(model, dict) else {}


def settable_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration without the keys that only the provider sets."""
    return {key: value for key, value in config.items() if key not in THEIRS}


def changed_config(now: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the keys whose value would change, with the new values.

    Raises ProviderRefused if a changed key contains secrets that the new value lacks.
    Secrets are never shown here, so that sending the new value would delete them.
    """
    change = {
        key: value
        for key, value in wanted.items()
        if value not in (now.get(key), redact(now).get(key))
    }
    for key, value in change.items():
        held = now.get(key)
        if redact({key: held}) != {key: held} and redact({key: value}) == {key: value}:
            fault = f"{key} contains secrets that a change from here would remove"
            raise ProviderRefused(
                f"{fault}: leave it out, or change it at the provider"
            )
    return change
