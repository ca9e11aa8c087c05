"""The terms of a campaign on the command line: created, shown and changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from interfaces.cli.demo.sample import write_sample
from provider.simulator.settings import DEFAULT_ASSISTANT_ID, DEFAULT_PHONE_NUMBER_ID
from tests.interfaces.cli.conftest import CommandLine, Ended

pytestmark = pytest.mark.usefixtures("simulator")

POLICY: dict[str, Any] = {
    "attempts": 3,
    "perDay": 1,
    "minGapMinutes": 90,
    "expiresAfterDays": 9,
    "rules": [
        {
            "outcomes": ["BUSY"],
            "attempts": 2,
            "gapsMinutes": [120],
            "otherTimeOfDay": True,
        }
    ],
}


def create(autolynx: CommandLine, folder: Path, *more: str) -> Ended:
    file = folder / "people.csv"
    write_sample(file, 3)
    named = ("--name", "Spring", "--assistant", DEFAULT_ASSISTANT_ID)
    line = ("--phone-number", DEFAULT_PHONE_NUMBER_ID)
    return autolynx("campaigns", "create", "--csv", str(file), *named, *line, *more)


def shown(autolynx: CommandLine, id_: str) -> dict[str, Any]:
    found = autolynx.done("campaigns", "show", id_, "--json").json
    assert isinstance(found, dict)
    return found


def test_all_terms_are_chosen_for_a_new_campaign(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(POLICY))
    request = ("--request-id", "0f1c5a52-0c7e-4d0b-9d4e-5a1f3d8c2b70")
    options = (
        *("--retry-policy", str(policy), "--purpose", "survey", "--require-consent"),
        *("--hours", "mon-wed,FRI 09:00-17:30", "--hours", "SAT 10:00-24:00"),
        *("--blackout-date", "2031-12-25", "--blackout-date", "2031-12-24"),
        *("--last-start-minutes", "15", "--waive-rules", "a study", *request),
    )
    [id_] = create(autolynx, tmp_path, *options).lines
    found = shown(autolynx, id_)
    hours = found["callingHours"]
    assert found["retryPolicy"] == POLICY
    assert (found["purpose"], found["requireConsent"]) == ("SURVEY", True)
    assert hours["windows"] == [
        {"days": ["MON", "TUE", "WED", "FRI"], "from": "09:00", "to": "17:30"},
        {"days": ["SAT"], "from": "10:00", "to": "24:00"},
    ]
    assert hours["blackoutDates"] == ["2031-12-24", "2031-12-25"]
    assert (hours["rules"], hours["reason"]) == ("ANY", "a study")
    assert hours["waivedBy"].startswith("cli:")
    assert hours["lastStartMinutes"] == 15


def test_terms_are_changed_removed_or_left_as_they_are(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    options = (
        *("--hours", "MON-FRI 09:00-17:00", "--blackout-date", "2031-12-24"),
        *("--waive-rules", "a study", "--ends-at", "2031-12-31T00:00:00Z"),
        *("--output-rule", "booked=true=GOAL_REACHED", "--callback-output", "later"),
    )
    [id_] = create(autolynx, tmp_path, *options).lines
    before = shown(autolynx, id_)
    change = ("campaigns", "change", id_)
    autolynx.done(*change, "--line-quiet-gating", "--retry", "gentle")
    after = shown(autolynx, id_)
    assert (after["lineQuietGating"], after["retryPolicy"]["attempts"]) == (True, 2)
    for name in ("callingHours", "outputRules", "callbackOutput", "endsAt"):
        assert after[name] == before[name]

    autolynx.done(*change, "--hours", "SUN 12:00-13:00", "--blackout-date", "")
    hours = shown(autolynx, id_)["callingHours"]
    assert hours["windows"] == [{"days": ["SUN"], "from": "12:00", "to": "13:00"}]
    assert (hours["blackoutDates"], hours["reason"]) == ([], "a study")

    removed = ("--hours", "", "--waive-rules", "", "--ends-at", "")
    outputs = ("--output-rule", "", "--callback-output", "")
    autolynx.done(*change, *removed, *outputs, "--no-line-quiet-gating")
    last = shown(autolynx, id_)
    assert last["callingHours"]["windows"] == []
    assert (last["callingHours"]["rules"], last["endsAt"]) == ("LAW", None)
    assert (last["outputRules"], last["callbackOutput"]) == ([], None)
    assert last["lineQuietGating"] is False


def test_a_campaign_is_started_at_a_time_and_later_at_once(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    [id_] = create(autolynx, tmp_path).lines
    start = ("campaigns", "start", id_)
    autolynx.done(*start, "--at", "2031-01-01T09:00:00-05:00")
    assert shown(autolynx, id_)["startsAt"] == "2031-01-01T14:00:00+00:00"
    autolynx.done(*start)
    assert shown(autolynx, id_)["startsAt"] == "2031-01-01T14:00:00+00:00"
    autolynx.done(*start, "--at", "")
    assert shown(autolynx, id_)["startsAt"] is None
    assert "write date, time" in autolynx.refusal(*start, "--at", "noon", code=2)


def test_the_line_is_changed_by_its_number_or_its_id_and_by_nothing_else(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    [id_] = create(autolynx, tmp_path).lines
    [line] = autolynx.done("lines", "--json").json
    change = ("campaigns", "change", id_, "--phone-number")
    autolynx.done(*change, line["number"])
    autolynx.done(*change, line["id"])
    assert shown(autolynx, id_)["phoneNumberId"] == line["id"]
    for other in ("+12025550199", "no-line", ""):
        assert "no line" in autolynx.refusal(*change, other, code=2)
    assert shown(autolynx, id_)["phoneNumberId"] == line["id"]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--hours", "weekdays 09:00-17:00"), "MON-FRI 09:00-17:00"),
        (("--hours", "MON 9-17"), "MON-FRI 09:00-17:00"),
        (("--hours", "SAT,FRI-MON 09:00-17:00"), "MON-FRI 09:00-17:00"),
        (("--blackout-date", "24.12.2031"), "such as 2026-12-24"),
        (("--purpose", "fun"), "--purpose"),
        (("--retry", "gentle", "--retry-policy", __file__), "not both"),
        (("--retry-policy", __file__), "Invalid JSON"),
        (("--retry-policy", "absent.json"), "absent.json"),
    ],
)
def test_a_wrong_option_is_refused_with_what_to_write(
    autolynx: CommandLine, tmp_path: Path, option: tuple[str, ...], said: str
) -> None:
    refused = create(autolynx, tmp_path, *option)
    assert refused.code == 2
    assert said in refused.err
    assert len(refused.err.splitlines()) == 1


def test_a_retry_policy_with_an_unknown_name_is_refused(
    autolynx: CommandLine, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({**POLICY, "perWeek": 3}))
    refused = create(autolynx, tmp_path, "--retry-policy", str(policy))
    assert (refused.code, "perWeek" in refused.err) == (2, True)
