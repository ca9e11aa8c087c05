"""Tool calls in the forms in which the provider sends them."""

from copy import deepcopy
from typing import Any

import pytest

from application.ports import ToolCall
from provider.vapi.messages.reading import read_message
from provider.vapi.messages.tool_calls import MOST_TOOL_CALLS

ARGUMENTS = {"quote": "stop calling me"}
CALL = {"id": "call_1", "type": "function"}
FUNCTION = {"name": "record_opt_out", "arguments": ARGUMENTS}
READ = ToolCall("call_1", "record_opt_out", ARGUMENTS)


def body(**fields: Any) -> dict[str, Any]:
    call = {"id": "p-1", "customer": {"number": "+12025550106"}}
    return {"message": {"type": "tool-calls", "call": call, **fields}}


FORMS: dict[str, dict[str, Any]] = {
    "toolCallList": {"toolCallList": [{**CALL, "function": FUNCTION}]},
    "toolCalls": {"toolCalls": [{**CALL, "function": FUNCTION}]},
    "with their tools": {
        "toolWithToolCallList": [
            {
                "type": "function",
                "function": {"name": "record_opt_out", "parameters": {}},
                "toolCall": {**CALL, "function": FUNCTION},
            }
        ]
    },
    "arguments as text": {
        "toolCallList": [
            {
                **CALL,
                "function": {**FUNCTION, "arguments": '{"quote":"stop calling me"}'},
            }
        ]
    },
    "name and arguments without a function": {
        "toolCallList": [{"id": "call_1", **FUNCTION}]
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_tool_calls_are_read_in_every_form(form: str) -> None:
    message = read_message(body(**FORMS[form]))
    assert message.tool_calls == (READ,)
    assert message.phone == "+12025550106"


def test_lists_that_repeat_a_tool_call_contain_it_once() -> None:
    fields = FORMS["toolCallList"] | FORMS["toolCalls"] | FORMS["with their tools"]
    assert read_message(body(**fields)).tool_calls == (READ,)


@pytest.mark.parametrize(
    "listed",
    [
        None,
        "call_1",
        [],
        [None, 1, "x", {}],
        [{"id": "call_1"}],
        [{"id": "", "function": FUNCTION}],
        [{"id": 7, "function": FUNCTION}],
        [{"id": "call_1", "function": {"name": ["x"]}}],
    ],
)
def test_entries_that_are_no_tool_calls_are_ignored(listed: Any) -> None:
    assert read_message(body(toolCallList=listed)).tool_calls == ()


@pytest.mark.parametrize("arguments", [None, "{", "[1]", 5, ["quote"]])
def test_arguments_that_are_no_object_are_empty(arguments: Any) -> None:
    function = {"name": "record_opt_out", "arguments": arguments}
    [call] = read_message(
        body(toolCallList=[{**CALL, "function": function}])
    ).tool_calls
    assert call.arguments == {}


def test_a_message_contains_a_limited_number_of_tool_calls() -> None:
    many = [{"id": f"call_{n}", "function": FUNCTION} for n in range(100)]
    assert len(read_message(body(toolCallList=many)).tool_calls) == MOST_TOOL_CALLS


def test_other_messages_have_no_tool_calls() -> None:
    sent = body(**FORMS["toolCallList"])
    sent["message"]["type"] = "conversation-update"
    message = read_message(sent)
    assert (message.tool_calls, message.phone) == ((), None)


@pytest.mark.parametrize("number", [None, "", "12025550106", "sip:a@b", 12025550106])
def test_a_number_that_is_not_e164_is_not_read(number: Any) -> None:
    sent = body(**FORMS["toolCallList"])
    sent["message"]["call"]["customer"]["number"] = number
    assert read_message(sent).phone is None


def test_the_number_of_the_message_precedes_that_of_the_call() -> None:
    sent = body(**FORMS["toolCallList"], customer={"number": "+12025550107"})
    assert read_message(sent).phone == "+12025550107"


def test_a_message_sent_again_has_the_same_key() -> None:
    first = body(**FORMS["toolCallList"], timestamp=1)
    again = deepcopy(first)
    again["message"] |= {"timestamp": 2, "artifact": {"messages": [{"role": "bot"}]}}
    assert read_message(again).key == read_message(first).key


@pytest.mark.parametrize(
    "change", [{"id": "call_2"}, {"function": {**FUNCTION, "arguments": {}}}]
)
def test_another_tool_call_has_another_key(change: dict[str, Any]) -> None:
    first = body(toolCallList=[{**CALL, "function": FUNCTION}])
    other = body(toolCallList=[{**CALL, "function": FUNCTION, **change}])
    assert read_message(other).key != read_message(first).key
