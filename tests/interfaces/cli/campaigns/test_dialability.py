"""How many contacts of a campaign may be called, on the command line."""

from pathlib import Path

import pytest

from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from tests.interfaces.cli.conftest import CommandLine

UNKNOWN = "6f1c5a52-0c7e-5d0b-9d4e-5a1f3d8c2b70"


@pytest.mark.usefixtures("simulator")
def test_a_campaign_shows_how_many_contacts_may_be_called(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_text("name,phone\nAda,+12025550111\nBob,+12025550112\n")
    (campaign_id,) = autolynx.done(
        *("campaigns", "create", "--file", str(path), "--name", "Spring"),
        *("--assistant", DEFAULT_ASSISTANT_ID),
        *("--phone-number", DEFAULT_PHONE_NUMBER_ID),
        *("--starts-at", "2199-12-01T12:00:00-05:00"),
    ).lines
    autolynx.done("suppressions", "add", "+12025550112")
    command = ("campaigns", "dialability", campaign_id)
    found = autolynx.done(*command, "--json").json
    assert (found["contacts"], found["now"]) == (2, 0)
    assert [(one["code"], one["contacts"]) for one in found["later"]] == [
        ("SCHEDULED", 1)
    ]
    assert found["never"] == [{"reason": "SUPPRESSED", "contacts": 1}]
    assert [hour["contacts"] for hour in found["hours"]] == [0] * 72
    lines = autolynx.done(*command).lines
    assert lines[:2] == ["contacts   2", "now        0"]
    assert lines[2].startswith("later      SCHEDULED: 1")
    assert lines[3] == "never      SUPPRESSED: 1"


def test_an_unknown_campaign_has_no_counts(autolynx: CommandLine) -> None:
    assert UNKNOWN in autolynx.refusal("campaigns", "dialability", UNKNOWN)
