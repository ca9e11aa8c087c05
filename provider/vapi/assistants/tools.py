"""The tools that AutoLynx answers during a call: https://docs.vapi.ai/tools/custom-tools.

They have no server of their own: a call names AutoLynx as its server, with the secret,
and a tool without a server uses that of the call.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from application.ports import ProviderRefused, ProviderUnavailable

type Document = dict[str, Any]

RECORD_OPT_OUT, SCHEDULE_CALLBACK = "record_opt_out", "schedule_callback"

TOOLS: Mapping[str, Document] = {
    RECORD_OPT_OUT: {
        "type": "function",
        "function": {
            "name": RECORD_OPT_OUT,
            "description": (
                "Call this at once when the person asks not to be called again, in"
                " whatever words. The result says what to tell the person."
            ),
            "parameters": {
                "type": "object",
                "properties": {
                    "quote": {
                        "type": "string",
                        "description": "The person's own words.",
                    }
                },
            },
        },
    },
    SCHEDULE_CALLBACK: {
        "type": "function",
        "function": {
            "name": SCHEDULE_CALLBACK,
            "description": (
                "Call this when the person wants to be called at another time. The"
                " result is the confirmed local time, or says why it is not possible"
                " and which times are. Agree only on a confirmed time."
            ),
            "parameters": {
                "type": "object",
                "properties": {
                    "local_datetime": {
                        "type": "string",
                        "description": (
                            "Date and time on the person's clock, ISO 8601 without an"
                            " offset, for example 2026-03-31T15:00. Now it is {{now}}"
                            " UTC."
                        ),
                    },
                    "time_zone": {
                        "type": "string",
                        "description": (
                            "IANA name, for example America/Chicago; only if the person"
                            " confirmed the time zone."
                        ),
                    },
                    "when_text": {
                        "type": "string",
                        "description": "The time in the person's own words.",
                    },
                },
                "required": ["local_datetime"],
            },
        },
    },
}
"""Their definitions, by name."""


def answered_tools(model: Document, saved: Collection[Document]) -> tuple[str, ...]:
    """Return the names of an assistant's tools that AutoLynx answers, sorted.

    `model` is the assistant's, `saved` are the tools of the account; a model contains
    tools, or names saved ones by id.
    """
    ids = tool_ids(model)
    used = [*_documents(model.get("tools")), *(t for t in saved if t.get("id") in ids)]
    return tuple(sorted({name for tool in used if (name := answered_name(tool))}))


def tool_ids(model: Document) -> list[str]:
    """Return the ids of the saved tools that a model names."""
    ids = model.get("toolIds")
    return [id_ for id_ in ids if isinstance(id_, str)] if isinstance(ids, list) else []


def answered_name(tool: Document) -> str | None:
    """Return the name of a tool that AutoLynx answers, None for any other tool."""
    function, server = tool.get("function"), tool.get("server")
    name = function.get("name") if isinstance(function, dict) else None
    has_server = isinstance(server, dict) and bool(server.get("url"))
    return str(name) if name in TOOLS and not has_server else None


def saved_id(name: str, saved: Collection[Document]) -> str | None:
    """Return the id of a saved tool of that name that AutoLynx answers, if any."""
    ids = (tool.get("id") for tool in saved if answered_name(tool) == name)
    return next((id_ for id_ in ids if isinstance(id_, str) and id_), None)


def read_tool_id(document: Any) -> str:
    """Read the id of a created tool. Raises ProviderUnavailable without one."""
    id_ = document.get("id") if isinstance(document, dict) else None
    if not isinstance(id_, str) or not id_:
        raise ProviderUnavailable("no tool in the answer")
    return id_


def with_tools(model: Document, ids: Collection[str]) -> Document:
    """Return the change of an assistant whose model uses these saved tools too.

    Raises ProviderRefused if it has no model.
    """
    if not model:
        raise ProviderRefused("the assistant has no model that could use tools")
    return {"model": {**model, "toolIds": [*tool_ids(model), *ids]}}


def _documents(value: Any) -> Iterator[Document]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict):
            yield one
