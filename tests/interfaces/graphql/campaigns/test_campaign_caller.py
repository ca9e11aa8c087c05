"""The assistant and the line of a campaign, changed over the API."""

from typing import Any

from domain.values import Role
from tests.interfaces.serving import ApiClient, utc_now

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


def update(shared_api: ApiClient, campaign: str, **new: Any) -> Any:
    answer = shared_api.execute(UPDATE, Role.OPERATOR, id=campaign, input=new)
    return answer["updateCampaign"]


def another_assistant(shared_api: ApiClient) -> str:
    made = shared_api.execute(CREATE, Role.ADMIN)["createAssistant"]
    shared_api.caught_up()
    return str(made["id"])


def test_a_changed_caller_is_shown_and_the_audit_shows_the_former_one(
    shared_api: ApiClient,
) -> None:
    campaign, ann = shared_api.campaign(), another_assistant(shared_api)
    shared_api.caught_up()
    before, at = shared_api.execute(AS_OF, id=campaign)["campaign"], utc_now()
    new = {"phoneNumberId": "line-2", "assistant": {"id": ann}}
    changed = update(shared_api, campaign, phoneNumberId="line-2", assistantId=ann)
    assert changed == new
    shared_api.caught_up()
    assert shared_api.execute(AS_OF, id=campaign)["campaign"] == new
    asked = {"id": campaign, "at": at.isoformat()}
    assert shared_api.execute(AS_OF, Role.AUDITOR, **asked)["campaign"] == before
    assert before["phoneNumberId"] != "line-2"


def test_a_started_campaign_refuses_another_line_until_it_is_paused(
    shared_api: ApiClient,
) -> None:
    campaign = shared_api.campaign()
    shared_api.execute(START, id=campaign)
    assert update(shared_api, campaign, phoneNumberId="line-2")["code"] == "WRONG_STATE"
    shared_api.execute(PAUSE, id=campaign)
    assert (
        update(shared_api, campaign, phoneNumberId="line-2")["phoneNumberId"]
        == "line-2"
    )


def test_an_unknown_assistant_and_no_line_are_refused_with_their_field(
    shared_api: ApiClient,
) -> None:
    campaign = shared_api.campaign()
    nobody = "00000000-0000-0000-0000-000000000001"
    refused = update(shared_api, campaign, assistantId=nobody)
    assert (refused["code"], refused["fields"][0]["path"]) == (
        "INVALID",
        ["assistantId"],
    )
    refused = update(shared_api, campaign, phoneNumberId=" ")
    assert (refused["code"], refused["fields"][0]["path"]) == (
        "INVALID",
        ["phoneNumberId"],
    )
