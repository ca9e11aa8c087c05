"""Tools of assistants, and the message by which an assistant calls one in a call."""

from collections.abc import Iterator, Mapping
from typing import Any

from provider.simulator.people.scenes import ToolUse

TOOL_CALLS = "tool-calls"


def tools_by_name(
    assistant: Mapping[str, Any],
    overrides: Mapping[str, Any],
    tools: Mapping[str, Mapping[str, Any]],
) -> dict[str, Mapping[str, Any]]:
    """Return the function tools that an assistant has in a call.

    The keys are their names. They are defined in its model, named there by id (`tools`
    has them by id), or added by the overrides of the call.
    """
    given = assistant.get("model")
    model = given if isinstance(given, dict) else {}
    named = [tools[id_] for id_ in model.get("toolIds") or () if id_ in tools]
    inline = [*(model.get("tools") or ()), *(overrides.get("tools:append") or ())]
    return dict(_named([*named, *inline]))


def _named(tools: list[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for tool in tools:
        function = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(function, dict) and function.get("name"):
            yield str(function["name"]), tool


def tool_calls(use: ToolUse, tool_call_id: str) -> dict[str, Any]:
    """Return the message that asks the server for the result of a tool call."""
    call = {
        "id": tool_call_id,
        "type": "function",
        "function": {"name": use.name, "arguments": use.arguments},
    }
    return {"type": TOOL_CALLS, "toolCalls": [call], "toolCallList": [call]}


def result_of(answer: object, tool_call_id: str) -> str | None:
    """Return the result that the server's answer has for a tool call, if any."""
    results = answer.get("results") if isinstance(answer, dict) else None
    for entry in results if isinstance(results, list) else ():
        if isinstance(entry, dict) and entry.get("toolCallId") == tool_call_id:
            result = entry.get("result") or entry.get("error")
            return None if result is None else str(result)
    return None
