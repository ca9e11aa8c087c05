"""Campaigns that compare assistants, on the command line."""

from pathlib import Path
from typing import Any

import pytest

from interfaces.cli.demo.sample import write_sample
from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from provider.vapi.client import VapiProvider
from provider.vapi.settings import VapiSettings
from tests.interfaces.cli.conftest import CommandLine
from tests.simulator import Simulator
from tests.wiring import BY, open_services

CONTACTS = 600
CONFIG = {"maxDurationSeconds": 60}


@pytest.fixture
def other(database: str, simulator: Simulator) -> str:
    """Return our id of a second assistant."""
    with open_services(database, provider=client_of(simulator)) as services:
        made, _ = services.assistants.create("Quinn", CONFIG, by=BY)
        return str(made)


def create(autolynx: CommandLine, folder: Path, *arms: str) -> Any:
    file = folder / "people.csv"
    write_sample(file, CONTACTS)
    options = [part for arm in arms for part in ("--arm", arm)]
    return autolynx(
        *("campaigns", "create", "--csv", str(file), "--name", "Spring"),
        *("--assistant", DEFAULT_ASSISTANT_ID),
        *("--phone-number", DEFAULT_PHONE_NUMBER_ID, *options),
    )


def client_of(simulator: Simulator) -> VapiProvider:
    settings = VapiSettings(simulator.url, simulator.api_key)
    return VapiProvider(settings)


def test_a_comparison_is_created_with_what_the_list_can_show(
    autolynx: CommandLine, tmp_path: Path, other: str
) -> None:
    made = create(autolynx, tmp_path, f"{other}=40")
    assert made.code == 0, made.err
    assert "Quinn: this list can show a rise of the goal rate by" in made.err
    [id_] = made.lines
    shown = autolynx.done("campaigns", "show", id_, "--json").json
    assert [arm["share"] for arm in shown["arms"]] == [60, 40]
    assert shown["arms"][1]["assistantId"] == other
    assert shown["arms"][1]["pValue"] is None
    text = autolynx.done("campaigns", "show", id_).out
    assert "Quinn: 0 goals of 0 finished contacts (40 %)." in text


def test_a_redial_compares_the_same_assistants_unless_another_is_named(
    autolynx: CommandLine, tmp_path: Path, other: str
) -> None:
    [id_] = create(autolynx, tmp_path, f"{other}=40").lines
    autolynx.done("campaigns", "cancel", id_)
    again = autolynx.done("campaigns", "redial", id_, "--json").json["id"]
    shown = autolynx.done("campaigns", "show", again, "--json").json
    assert [arm["share"] for arm in shown["arms"]] == [60, 40]
    alone = ("--assistant", other, "--name", "Alone")
    one = autolynx.done("campaigns", "redial", id_, *alone, "--json").json["id"]
    assert autolynx.done("campaigns", "show", one, "--json").json["arms"] == []


@pytest.mark.parametrize("arm", ["Quinn", "=50", "asst=half"])
def test_an_arm_of_another_form_is_refused_with_what_to_write(
    autolynx: CommandLine, tmp_path: Path, simulator: Simulator, arm: str
) -> None:
    made = create(autolynx, tmp_path, arm)
    assert made.code == 2
    assert f"--arm {arm}: write ASSISTANT=PERCENT" in made.err


def test_shares_that_leave_nothing_for_the_first_assistant_are_refused(
    autolynx: CommandLine, tmp_path: Path, other: str
) -> None:
    made = create(autolynx, tmp_path, f"{other}=100")
    assert made.code == 1
    assert "must leave at least 1 percent for the first assistant" in made.err
