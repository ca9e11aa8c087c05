from pathlib import Path

import pytest

from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from tests.interfaces.cli.conftest import CommandLine
from tests.simulator import Simulator


def test_importing_an_assistant_again_changes_nothing(
    autolynx: CommandLine, simulator: Simulator
) -> None:
    first = autolynx.done("assistants", "import", DEFAULT_ASSISTANT_ID)
    again = autolynx.done("assistants", "import", DEFAULT_ASSISTANT_ID)
    assert first.out == again.out
    (shown,) = autolynx.done("assistants", "list", "--json").json
    assert shown["id"] == first.out.strip()
    assert shown["providerAssistantId"] == DEFAULT_ASSISTANT_ID


def test_an_assistant_unknown_to_the_provider_is_refused(
    autolynx: CommandLine, simulator: Simulator
) -> None:
    id_ = "6f1c5a52-0c7e-4d0b-9d4e-5a1f3d8c2b70"
    assert id_ in autolynx.refusal("assistants", "import", id_)


def test_an_assistant_is_created_changed_and_archived(
    autolynx: CommandLine, simulator: Simulator, tmp_path: Path
) -> None:
    file = tmp_path / "assistant.json"
    file.write_text('{"firstMessage": "Hi", "hooks": []}')
    made = autolynx.done(
        *("assistants", "create", "Ann", "--config", str(file), "--prompt", "Be brief.")
    )
    id_ = made.out.strip()
    autolynx.done("assistants", "change", id_, "--longest-call", "90", "--name", "Bea")
    autolynx.done("assistants", "change", id_, "--model", "openai/gpt-4o")
    autolynx.done("assistants", "add-tools", id_)
    shown = autolynx.done("assistants", "show", id_, "--json").json
    assert shown["name"] == "Bea"
    assert shown["fields"]["prompt"] == "Be brief."
    assert shown["fields"]["firstMessage"] == "Hi"
    assert shown["fields"]["longestCallSeconds"] == 90
    assert shown["config"]["hooks"] == []
    assert shown["tools"] == ["record_opt_out", "schedule_callback"]
    assert "Be brief." in autolynx.done("assistants", "show", id_).out
    listed = autolynx.done("assistants", "list", "--at-provider", "--json").json
    assert id_ in {one["id"] for one in listed}
    assert DEFAULT_ASSISTANT_ID in {one["providerAssistantId"] for one in listed}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--longest-call", "1"), "10 to 43,200"),
        (("--model", "gpt-4o"), "PROVIDER/NAME"),
    ],
)
def test_a_field_that_the_provider_does_not_accept_is_refused(
    autolynx: CommandLine,
    simulator: Simulator,
    arguments: tuple[str, ...],
    expected: str,
) -> None:
    assert expected in autolynx.refusal("assistants", "create", "Ann", *arguments)
    listed = autolynx.done("assistants", "list", "--at-provider", "--json").json
    assert "Ann" not in {one["name"] for one in listed}


def test_a_configuration_that_is_not_json_is_wrong_usage(
    autolynx: CommandLine, simulator: Simulator, tmp_path: Path
) -> None:
    file = tmp_path / "assistant.json"
    file.write_text("{")
    refusal = autolynx.refusal(
        *("assistants", "create", "Ann", "--config", str(file)), code=2
    )
    assert "is not JSON" in refusal


def test_alerts_are_listed_and_requests_allowed_again(autolynx: CommandLine) -> None:
    assert autolynx.done("alerts", "--json").json == []
    assert autolynx.done("alerts").lines == ["raisedAt\tkind\tmessage"]
    assert autolynx.done("allow-requests").out.strip() == "Calls are allowed."


def test_lines_are_listed_with_their_activity(
    autolynx: CommandLine, simulator: Simulator
) -> None:
    (line,) = autolynx.done("lines", "--json").json
    assert line["id"] == DEFAULT_PHONE_NUMBER_ID
    assert line["activeCalls"] == 0


def test_the_provider_is_not_queried_without_a_key(
    autolynx: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUTOLYNX_VAPI_API_KEY", raising=False)
    assert "AUTOLYNX_VAPI_API_KEY" in autolynx.refusal("lines")


def test_settings_are_changed_in_camel_case_and_in_snake_case(
    autolynx: CommandLine,
) -> None:
    changed = autolynx.done("settings", "globalCap=20", "daily-budget=12.50", "--json")
    assert changed.json["globalCap"] == 20
    assert changed.json["dailyBudget"] == "12.50"
    autolynx.done("settings", "dailyBudget=", "refill_immediately=false")
    shown = autolynx.done("settings").out
    assert "dailyBudget            -" in shown
    assert "refillImmediately      no" in shown
    assert "globalCap              20" in shown


def test_a_setting_out_of_bounds_is_refused_with_its_bounds(
    autolynx: CommandLine,
) -> None:
    refusal = autolynx.refusal("settings", "tickSeconds=4000", "globalCap=0")
    assert refusal == (
        "globalCap must be from 1 to 10,000; tickSeconds must be from 1 to 3,600."
    )
    assert autolynx.done("settings", "--json").json["tickSeconds"] == 60


@pytest.mark.parametrize("change", ["globalCap", "noSuch=1", "globalCap=many"])
def test_an_invalid_change_of_settings_is_wrong_usage(
    autolynx: CommandLine, change: str
) -> None:
    assert change in autolynx.refusal("settings", change, code=2)
