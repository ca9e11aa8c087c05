"""Terms of a campaign over the API: what is chosen, shown, changed and refused."""

from typing import Any

from domain.values import Role
from tests.interfaces.serving import Desk

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


def test_the_terms_of_a_new_campaign_are_shown_and_changed(office: Desk) -> None:
    campaign = office.campaign(
        retryPolicy=POLICY,
        outputRules=[GOAL],
        callbackOutput="call me",
        startsAt=FIRST,
        endsAt=LAST,
    )
    office.caught_up()
    terms = office.told(SHOWN, id=campaign)["campaign"]
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
    changed = office.told(UPDATE, Role.OPERATOR, id=campaign, input=change)
    assert changed["updateCampaign"] == terms | change


def test_a_campaign_without_a_policy_calls_each_contact_once(office: Desk) -> None:
    campaign = office.campaign()
    office.caught_up()
    terms = office.told(SHOWN, id=campaign)["campaign"]
    assert (terms["retryPolicy"]["attempts"], terms["retryPolicy"]["rules"]) == (1, [])


def test_a_policy_that_cannot_fit_is_refused_with_the_reason(office: Desk) -> None:
    campaign = office.campaign()
    slow = POLICY | {"rules": [RULE | {"gapsMinutes": [20_000]}]}
    change = {"retryPolicy": slow}
    refused = office.told(UPDATE, Role.OPERATOR, id=campaign, input=change)
    error = refused["updateCampaign"]
    assert (error["code"], error["fields"][0]["path"]) == ("INVALID", ["retryPolicy"])
    assert "does not fit" in error["message"]


def test_the_start_is_kept_changed_or_cleared_by_the_argument(office: Desk) -> None:
    campaign = office.campaign(startsAt=FIRST)

    def starts_at(**given: Any) -> Any:
        started = office.told(START, Role.OPERATOR, id=campaign, **given)
        return started["startCampaign"]["startsAt"]

    assert starts_at() == FIRST
    assert starts_at(at=LAST) == LAST
    assert starts_at(at=None) is None


def test_the_same_request_answers_the_same_campaign(office: Desk) -> None:
    request = "7b0f4f5c-1f3e-4c55-9a53-0d8d3c0f1a11"
    first = office.campaign(requestId=request)
    assert office.campaign(requestId=request) == first
