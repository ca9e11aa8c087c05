"""The forecast of a campaign on the command line."""

from pathlib import Path

import pytest

from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from tests.interfaces.cli.conftest import CommandLine

UNKNOWN = "6f1c5a52-0c7e-5d0b-9d4e-5a1f3d8c2b70"


@pytest.fixture
def campaign_id(autolynx: CommandLine, tmp_path: Path, simulator: object) -> str:
    """Return a campaign with a contact that may be called and a suppressed one."""
    path = tmp_path / "people.csv"
    path.write_text("name,phone\nAda,+12025550111\nBob,+12025550112\n")
    (found,) = autolynx.done(
        *("campaigns", "create", "--file", str(path), "--name", "Spring"),
        *("--assistant", DEFAULT_ASSISTANT_ID),
        *("--phone-number", DEFAULT_PHONE_NUMBER_ID),
    ).lines
    return found


def test_a_campaign_is_forecast_as_text(
    autolynx: CommandLine, campaign_id: str
) -> None:
    lines = autolynx.done("campaigns", "forecast", campaign_id).lines
    names = [line.split()[0] for line in lines[:6]]
    assert names == ["finished", "calls", "answered", "human", "goals", "spend"]
    assert lines[1] == "calls      2 (80 %: 2 to 2)"
    assert any(line.startswith("5 more slots: ") for line in lines)
    assert lines[-1] == (
        "Based on 0 finished calls; not calibrated yet: fewer than 20 finished"
        " campaigns."
    )


def test_a_campaign_is_forecast_as_json(
    autolynx: CommandLine, campaign_id: str
) -> None:
    found = autolynx.done("campaigns", "forecast", campaign_id, "--json").json
    assert found["calls"] == {"p10": 2.0, "p50": 2.0, "p90": 2.0}
    assert found["madeAt"] < found["finishesAt"]["p10"] <= found["finishesAt"]["p90"]
    assert (found["attemptsSeen"], found["coverage"]) == (0, None)
    assert found["advice"][0].startswith("5 more slots: ")


def test_a_finished_campaign_is_not_forecast(
    autolynx: CommandLine, campaign_id: str
) -> None:
    autolynx.done("campaigns", "cancel", campaign_id)
    assert autolynx.refusal("campaigns", "forecast", campaign_id) == (
        "The campaign is over: there is nothing to forecast."
    )


def test_an_unknown_campaign_is_not_forecast(autolynx: CommandLine) -> None:
    assert UNKNOWN in autolynx.refusal("campaigns", "forecast", UNKNOWN)
