"""Terms of a campaign over the API: what is chosen, shown, changed and refused."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.values import Role
from tests.interfaces.serving import ApiClient

TERMS = """{ startsAt endsAt callbackOutput
  retryPolicy { attempts perDay minGapMinutes expiresAfterDays
    rules { outcomes attempts gapsMinutes otherTimeOfDay } }
  outputRules { output equals means } }"""
SHOWN = f"query($id: ID!) {{ campaign(id: $id) {TERMS} }}"
ERROR = "... on UserError { code message fields { path message } }"
UPDATE = f"""mutation($id: ID!, $input: UpdateCampaignInput!) {{
  updateCampaign(id: $id, input: $input) {{ ... on Campaign {TERMS} {ERROR} }} }}"""
START = f"""mutation($id: ID!, $at: DateTime) {{
  startCampaign(id: $id, at: $at) {{ ... on Campaign {TERMS} {ERROR} }} }}"""

RULE = {
    "outcomes": ["BUSY", "NO_ANSWER"],
    "attempts": 2,
    "gapsMinutes": [30, 60],
    "otherTimeOfDay": True,
}
POLICY: dict[str, Any] = {
    "attempts": 3,
    "perDay": 2,
    "minGapMinutes": 10,
    "expiresAfterDays": 7,
    "rules": [RULE],
}
GOAL = {"output": "booked", "equals": {"yes": [True]}, "means": "GOAL_REACHED"}
FIRST, LAST = "2031-01-01T00:00:00+00:00", "2031-02-01T00:00:00+00:00"


def test_the_terms_of_a_new_campaign_are_shown_and_changed(
    shared_api: ApiClient,
) -> None:
    campaign = shared_api.campaign(
        retryPolicy=POLICY,
        outputRules=[GOAL],
        callbackOutput="call me",
        startsAt=FIRST,
        endsAt=LAST,
    )
    shared_api.caught_up()
    terms = shared_api.execute(SHOWN, id=campaign)["campaign"]
    assert terms == {
        "startsAt": FIRST,
        "endsAt": LAST,
        "callbackOutput": "call me",
        "retryPolicy": POLICY,
        "outputRules": [GOAL],
    }
    change: dict[str, Any] = {
        "startsAt": None,
        "callbackOutput": None,
        "outputRules": [],
    }
    changed = shared_api.execute(UPDATE, Role.OPERATOR, id=campaign, input=change)
    assert changed["updateCampaign"] == terms | change


def test_a_campaign_without_a_policy_calls_each_contact_once(
    shared_api: ApiClient,
) -> None:
    campaign = shared_api.campaign()
    shared_api.caught_up()
    terms = shared_api.execute(SHOWN, id=campaign)["campaign"]
    assert (terms["retryPolicy"]["attempts"], terms["retryPolicy"]["rules"]) == (1, [])


def test_a_policy_that_cannot_fit_is_refused_with_the_reason(
    shared_api: ApiClient,
) -> None:
    campaign = shared_api.campaign()
    slow = POLICY | {"rules": [RULE | {"gapsMinutes": [20_000]}]}
    change = {"retryPolicy": slow}
    refused = shared_api.execute(UPDATE, Role.OPERATOR, id=campaign, input=change)
    error = refused["updateCampaign"]
    assert (error["code"], error["fields"][0]["path"]) == ("INVALID", ["retryPolicy"])
    assert "does not fit" in error["message"]


@pytest.mark.parametrize(
    ("wrong", "field", "fault"),
    [
        ({"output": " "}, "output", "must have from 1 to 200 characters"),
        ({"output": "/a~2"}, "output", "no JSON pointer"),
        ({"equals": "x" * 1_001}, "equals", "must have at most 1,000 characters"),
    ],
)
def test_a_wrong_output_rule_is_refused_with_the_path_of_its_field(
    shared_api: ApiClient, wrong: dict[str, str], field: str, fault: str
) -> None:
    campaign = shared_api.campaign()
    change = {"outputRules": [GOAL, GOAL | wrong]}
    refused = shared_api.execute(UPDATE, Role.OPERATOR, id=campaign, input=change)
    error = refused["updateCampaign"]
    assert error["code"] == "INVALID"
    assert error["message"].startswith(f"Output rule 2: {field} ")
    assert error["fields"][0]["path"] == ["outputRules", "1", field]
    assert fault in error["fields"][0]["message"]


def test_the_start_is_kept_changed_or_cleared_by_the_argument(
    shared_api: ApiClient,
) -> None:
    campaign = shared_api.campaign(startsAt=FIRST)

    def starts_at(**given: Any) -> Any:
        started = shared_api.execute(START, Role.OPERATOR, id=campaign, **given)
        return started["startCampaign"]["startsAt"]

    assert starts_at() == FIRST
    assert starts_at(at=LAST) == LAST
    assert starts_at(at=None) is None


def test_the_same_request_answers_the_same_campaign(shared_api: ApiClient) -> None:
    request = "7b0f4f5c-1f3e-4c55-9a53-0d8d3c0f1a11"
    first = shared_api.campaign(requestId=request)
    assert shared_api.campaign(requestId=request) == first


TIMETABLE = """query($policy: RetryPolicyInput!, $place: String!,
    $hours: CallingHoursInput) {
  retryTimetable(policy: $policy, place: $place, callingHours: $hours) }"""


def test_the_timetable_obeys_the_hours_of_the_place(shared_api: ApiClient) -> None:
    answer = shared_api.execute(TIMETABLE, policy=POLICY, place="US-FL")
    times = [datetime.fromisoformat(each) for each in answer["retryTimetable"]]
    assert len(times) == 3
    zones = [ZoneInfo("America/New_York"), ZoneInfo("America/Chicago")]
    assert all(8 <= at.astimezone(zone).hour < 20 for at in times for zone in zones)


def test_the_timetable_obeys_the_campaigns_own_hours(shared_api: ApiClient) -> None:
    days = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
    window = {"days": days, "from": "10:00", "to": "11:00"}
    hours = {"rules": "ANY", "reason": "A test.", "windows": [window]}
    answer = shared_api.execute(TIMETABLE, policy=POLICY, place="DE", hours=hours)
    zone = ZoneInfo("Europe/Berlin")
    times = [datetime.fromisoformat(each) for each in answer["retryTimetable"]]
    assert [at.astimezone(zone).hour for at in times] == [10, 10, 10]


def test_a_place_or_policy_that_is_wrong_is_refused(shared_api: ApiClient) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"policy": POLICY, "place": "US-XX"},
        {"policy": POLICY | {"attempts": 99}, "place": "US"},
        {
            "policy": POLICY,
            "place": "US",
            "hours": {"windows": [{"days": ["MON"], "from": "11:00", "to": "10:00"}]},
        },
    )
    for variables in wrong:
        [error] = shared_api.ask(TIMETABLE, **variables).errors
        assert error["extensions"]["code"] == "BAD_REQUEST"
