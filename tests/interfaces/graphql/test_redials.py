"""Redials over the API: counted beforehand, created, linked both ways."""

from typing import Any
from uuid import uuid4

from domain.values import Role
from tests.interfaces.serving import Desk

ERROR = "... on UserError { code message fields { path message } }"
CREATE = f"""mutation($input: CreateCampaignInput!) {{ createCampaign(input: $input) {{
  ... on ImportedCampaign {{ campaign {{ id redialOf {{ id }}
    contacts {{ nodes {{ name phone }} }} }} report {{ accepted }} }} {ERROR} }} }}"""
CANCEL = """mutation($id: ID!) { cancelCampaign(id: $id) {
  ... on Campaign { id assistant { id } phoneNumberId
    contacts { nodes { name phone } } } } }"""
COUNT = "query($redial: RedialInput!) { redialCount(redial: $redial) }"


def canceled(office: Desk) -> dict[str, Any]:
    """Return a campaign whose contacts are all finished."""
    done = office.told(CANCEL, Role.OPERATOR, id=office.campaign())
    found: dict[str, Any] = done["cancelCampaign"]
    return found


def redial(office: Desk, source: dict[str, Any], **fields: Any) -> dict[str, Any]:
    asked = {
        "name": "Again",
        "assistantId": source["assistant"]["id"],
        "phoneNumberId": source["phoneNumberId"],
        "redial": {"campaignId": source["id"]},
    }
    told = office.told(CREATE, Role.OPERATOR, input=asked | fields)
    found: dict[str, Any] = told["createCampaign"]
    return found


def test_a_redial_has_the_contacts_that_were_counted_and_both_campaigns_are_linked(
    office: Desk,
) -> None:
    source = canceled(office)
    people = source["contacts"]["nodes"]
    counted = office.told(COUNT, Role.OPERATOR, redial={"campaignId": source["id"]})
    assert counted == {"redialCount": len(people)}
    made = redial(office, source)
    assert made["report"] == {"accepted": len(people)}
    assert made["campaign"]["contacts"]["nodes"] == people
    assert made["campaign"]["redialOf"] == {"id": source["id"]}
    back = "query($id: ID!) { campaign(id: $id) { redials { id } } }"
    linked = office.told(back, id=source["id"])["campaign"]
    assert linked == {"redials": [{"id": made["campaign"]["id"]}]}
    assert redial(office, source)["campaign"]["id"] == made["campaign"]["id"]


def test_the_same_request_id_answers_the_same_redial(office: Desk) -> None:
    source, request = canceled(office), str(uuid4())
    first = redial(office, source, requestId=request)
    again = redial(office, source, requestId=request, name="Other")
    assert again["campaign"]["id"] == first["campaign"]["id"]


def test_exactly_one_of_upload_and_redial_is_accepted(office: Desk) -> None:
    source = canceled(office)
    for fields in ({"redial": None}, {"uploadId": str(uuid4())}):
        refused = redial(office, source, **fields)
        assert refused["code"] == "INVALID"
        assert refused["fields"][0]["path"] == ["uploadId"]


def test_a_selection_without_contacts_is_refused_with_the_reason(office: Desk) -> None:
    source = canceled(office)
    nobody = {"campaignId": source["id"], "outcomes": ["BUSY"]}
    assert office.told(COUNT, Role.OPERATOR, redial=nobody) == {"redialCount": 0}
    refused = redial(office, source, redial=nobody)
    assert (refused["code"], refused["fields"][0]["path"]) == ("INVALID", ["redial"])


def test_an_unknown_campaign_is_refused(office: Desk) -> None:
    source = canceled(office)
    unknown = {"campaignId": str(uuid4())}
    refused = redial(office, source, redial=unknown)
    assert refused["code"] == "NOT_FOUND"
