"""The tools that AutoLynx answers: found in a configuration, and added to one."""

from collections.abc import Iterator
from typing import Any

import pytest

from application.calls.tool_calls import TOOL_NAMES
from application.ports import ProviderRefused
from provider.vapi.assistants.assistants import warnings_of
from provider.vapi.assistants.tools import TOOLS, answered_tools
from provider.vapi.client import VapiProvider
from provider.vapi.settings import VapiSettings
from tests.simulator import Simulator, running_simulator

BOTH = ("record_opt_out", "schedule_callback")
MODEL = {"provider": "openai", "model": "m", "messages": [{"role": "system"}]}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def provider(simulator: Simulator) -> VapiProvider:
    simulator.reset()
    return VapiProvider(VapiSettings(simulator.url, simulator.api_key))


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}, **more}


def test_the_tools_set_up_are_those_that_are_answered() -> None:
    assert TOOLS.keys() == TOOL_NAMES
    assert all(name == tool["function"]["name"] for name, tool in TOOLS.items())


def test_tools_are_found_in_the_model_and_by_id() -> None:
    saved = [{"id": "t-1", **TOOLS["schedule_callback"]}, {"id": "t-2", **tool("x")}]
    model = {"tools": [tool("record_opt_out")], "toolIds": ["t-1", "t-2", "t-3"]}
    assert answered_tools(model, saved) == BOTH
    assert answered_tools({"toolIds": []}, saved) == ()


def test_a_tool_with_a_server_of_its_own_is_not_answered_here() -> None:
    elsewhere = tool("record_opt_out", server={"url": "https://other.example"})
    assert answered_tools({"tools": [elsewhere]}, []) == ()


@pytest.mark.parametrize("tools", [None, "x", [None, 1, {}], [{"function": "x"}]])
def test_entries_that_are_no_tools_are_ignored(tools: Any) -> None:
    assert answered_tools({"tools": tools, "toolIds": tools}, [{"id": 1}]) == ()


def test_no_warning_is_given_about_tools_that_are_answered() -> None:
    config = {"model": {"tools": [tool("record_opt_out"), tool("getWeather")]}}
    [warning] = warnings_of(config)
    assert "getWeather" in warning
    assert "record_opt_out" not in warning


def test_adding_keeps_the_rest_of_the_model(provider: VapiProvider) -> None:
    model = {**MODEL, "toolIds": ["kept"], "tools": [tool("getWeather")]}
    made = provider.create_assistant("Reminder", {"model": model})
    added = provider.add_tools(made.id)
    assert added is not None
    changed = added.config["model"]
    assert {name: changed[name] for name in (*MODEL, "tools")} == {
        **MODEL,
        "tools": [tool("getWeather")],
    }
    assert changed["toolIds"][0] == "kept"
    assert len(changed["toolIds"]) == 3


def test_assistants_share_the_saved_tools(provider: VapiProvider) -> None:
    first = provider.create_assistant("First", {"model": MODEL})
    second = provider.create_assistant("Second", {"model": MODEL})
    one, other = provider.add_tools(first.id), provider.add_tools(second.id)
    assert one is not None
    assert other is not None
    assert one.config["model"]["toolIds"] == other.config["model"]["toolIds"]


def test_a_tool_in_the_model_is_not_added_again(provider: VapiProvider) -> None:
    model = {**MODEL, "tools": [tool("record_opt_out")]}
    made = provider.create_assistant("Reminder", {"model": model})
    assert made.tools == ("record_opt_out",)
    added = provider.add_tools(made.id)
    assert added is not None
    assert added.tools == BOTH
    assert len(added.config["model"]["toolIds"]) == 1


def test_an_assistant_without_a_model_is_refused(provider: VapiProvider) -> None:
    made = provider.create_assistant("Reminder", {"firstMessage": "Hi"})
    with pytest.raises(ProviderRefused, match="no model"):
        provider.add_tools(made.id)
