"""The assistant and the line of a campaign, changed over the API."""

from typing import Any

from domain.values import Role
from tests.interfaces.serving import Desk, utc_now

ERROR = "... on UserError { code message fields { path message } }"
UPDATE = f"""mutation($id: ID!, $input: UpdateCampaignInput!) {{
  updateCampaign(id: $id, input: $input) {{
    ... on Campaign {{ phoneNumberId assistant {{ id }} }} {ERROR} }} }}"""
AS_OF = """query($id: ID!, $at: DateTime) { campaign(id: $id, asOf: $at) {
  phoneNumberId assistant { id } } }"""
CREATE = f"""mutation {{ createAssistant(input: {{ name: "Ann", config: {{}} }}) {{
  ... on Assistant {{ id }} {ERROR} }} }}"""
START = "mutation($id: ID!) { startCampaign(id: $id) { __typename } }"
PAUSE = "mutation($id: ID!) { pauseCampaign(id: $id) { __typename } }"


def update(office: Desk, campaign: str, **new: Any) -> Any:
    told = office.told(UPDATE, Role.OPERATOR, id=campaign, input=new)
    return told["updateCampaign"]


def another_assistant(office: Desk) -> str:
    made = office.told(CREATE, Role.ADMIN)["createAssistant"]
    office.caught_up()
    return str(made["id"])


def test_a_changed_caller_is_shown_and_the_audit_shows_the_former_one(
    office: Desk,
) -> None:
    campaign, ann = office.campaign(), another_assistant(office)
    office.caught_up()
    before, at = office.told(AS_OF, id=campaign)["campaign"], utc_now()
    new = {"phoneNumberId": "line-2", "assistant": {"id": ann}}
    changed = update(office, campaign, phoneNumberId="line-2", assistantId=ann)
    assert changed == new
    office.caught_up()
    assert office.told(AS_OF, id=campaign)["campaign"] == new
    asked = {"id": campaign, "at": at.isoformat()}
    assert office.told(AS_OF, Role.AUDITOR, **asked)["campaign"] == before
    assert before["phoneNumberId"] != "line-2"


def test_a_started_campaign_refuses_another_line_until_it_is_paused(
    office: Desk,
) -> None:
    campaign = office.campaign()
    office.told(START, id=campaign)
    assert update(office, campaign, phoneNumberId="line-2")["code"] == "WRONG_STATE"
    office.told(PAUSE, id=campaign)
    assert update(office, campaign, phoneNumberId="line-2")["phoneNumberId"] == "line-2"


def test_an_unknown_assistant_and_no_line_are_refused_with_their_field(
    office: Desk,
) -> None:
    campaign = office.campaign()
    nobody = "00000000-0000-0000-0000-000000000001"
    refused = update(office, campaign, assistantId=nobody)
    assert (refused["code"], refused["fields"][0]["path"]) == (
        "INVALID",
        ["assistantId"],
    )
    refused = update(office, campaign, phoneNumberId=" ")
    assert (refused["code"], refused["fields"][0]["path"]) == (
        "INVALID",
        ["phoneNumberId"],
    )
