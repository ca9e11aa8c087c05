"""Tool calls of an assistant: https://docs.vapi.ai/tools/custom-tools.

The message `tool-calls` has them under several keys, which repeat each other; the
arguments are an object, or its JSON as a text.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from application.ports import ToolCall

TOOL_CALLS = "tool-calls"
LISTS = ("toolCallList", "toolCalls", "toolWithToolCallList")
MOST_TOOL_CALLS = 20
"""Tool calls that are read of one message; an assistant makes one or two at a time."""

E164 = re.compile(r"\+[1-9]\d{6,14}")


def read_tool_calls(message: dict[str, Any]) -> tuple[ToolCall, ...]:
    """Return the tool calls of a message, each id once; nothing raises."""
    found: dict[str, ToolCall] = {}
    for name in LISTS:
        entries = message.get(name)
        for entry in entries if isinstance(entries, list) else ():
            call = _tool_call(entry)
            if call is not None and len(found) < MOST_TOOL_CALLS:
                found.setdefault(call.id, call)
    return tuple(found.values())


def _tool_call(entry: Any) -> ToolCall | None:
    document = _object(entry)
    document = _object(document.get("toolCall")) or document
    function = _object(document.get("function"))
    id_, name = document.get("id"), function.get("name") or document.get("name")
    if not isinstance(id_, str) or not isinstance(name, str) or not (id_ and name):
        return None
    given = function.get("arguments", document.get("arguments"))
    return ToolCall(id=id_, name=name, arguments=_arguments(given))


def _arguments(given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            return {}
    return _object(given)


def tool_response(results: Mapping[str, str]) -> dict[str, Any]:
    """Return the body of the response to a message: the results by tool call id."""
    if not results:
        return {}
    pairs = [{"toolCallId": id_, "result": text} for id_, text in results.items()]
    return {"results": pairs}


def read_phone(message: dict[str, Any], call: dict[str, Any]) -> str | None:
    """Return the other side's number, if the message names it as E.164."""
    for place in (message, call):
        number = _object(place.get("customer")).get("number")
        if isinstance(number, str) and E164.fullmatch(number):
            return number
    return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
