"""Redials over the API: counted beforehand, created, linked both ways."""

from typing import Any
from uuid import uuid4

from domain.values import Role
from tests.interfaces.serving import ApiClient

ERROR = "... on UserError { code message fields { path message } }"
CREATE = f"""mutation($input: CreateCampaignInput!) {{ createCampaign(input: $input) {{
  ... on ImportedCampaign {{ campaign {{ id redialOf {{ id }}
    contacts {{ nodes {{ name phone }} }} }} report {{ accepted }} }} {ERROR} }} }}"""
CANCEL = """mutation($id: ID!) { cancelCampaign(id: $id) {
  ... on Campaign { id assistant { id } phoneNumberId contacts { nodes { name phone } }
    all: contacts { nodes { id name } } } } }"""
COUNT = "query($redial: RedialInput!) { redialCount(redial: $redial) }"


def canceled(shared_api: ApiClient) -> dict[str, Any]:
    """Return a campaign whose contacts are all finished."""
    done = shared_api.execute(CANCEL, Role.OPERATOR, id=shared_api.campaign())
    found: dict[str, Any] = done["cancelCampaign"]
    return found


def redial(
    shared_api: ApiClient, source: dict[str, Any], **fields: Any
) -> dict[str, Any]:
    asked = {
        "name": "Again",
        "assistantId": source["assistant"]["id"],
        "phoneNumberId": source["phoneNumberId"],
        "redial": {"campaignId": source["id"]},
    }
    answer = shared_api.execute(CREATE, Role.OPERATOR, input=asked | fields)
    found: dict[str, Any] = answer["createCampaign"]
    return found


def test_a_redial_has_the_contacts_that_were_counted_and_both_campaigns_are_linked(
    shared_api: ApiClient,
) -> None:
    source = canceled(shared_api)
    people = source["contacts"]["nodes"]
    counted = shared_api.execute(
        COUNT, Role.OPERATOR, redial={"campaignId": source["id"]}
    )
    assert counted == {"redialCount": len(people)}
    made = redial(shared_api, source)
    assert made["report"] == {"accepted": len(people)}
    assert made["campaign"]["contacts"]["nodes"] == people
    assert made["campaign"]["redialOf"] == {"id": source["id"]}
    back = "query($id: ID!) { campaign(id: $id) { redials { id } } }"
    linked = shared_api.execute(back, id=source["id"])["campaign"]
    assert linked == {"redials": [{"id": made["campaign"]["id"]}]}
    assert redial(shared_api, source)["campaign"]["id"] == made["campaign"]["id"]


def test_the_same_request_id_answers_the_same_redial(shared_api: ApiClient) -> None:
    source, request = canceled(shared_api), str(uuid4())
    first = redial(shared_api, source, requestId=request)
    again = redial(shared_api, source, requestId=request, name="Other")
    assert again["campaign"]["id"] == first["campaign"]["id"]


def test_exactly_one_of_upload_and_redial_is_accepted(shared_api: ApiClient) -> None:
    source = canceled(shared_api)
    for fields in ({"redial": None}, {"uploadId": str(uuid4())}):
        refused = redial(shared_api, source, **fields)
        assert refused["code"] == "INVALID"
        assert refused["fields"][0]["path"] == ["uploadId"]


def test_single_contacts_are_redialed_in_the_order_of_their_campaign(
    shared_api: ApiClient,
) -> None:
    source = canceled(shared_api)
    *others, last = source["all"]["nodes"]
    assert others
    chosen = {"campaignId": source["id"], "contactIds": [last["id"], others[0]["id"]]}
    counted = shared_api.execute(COUNT, Role.OPERATOR, redial=chosen)
    assert counted == {"redialCount": 2}
    made = redial(shared_api, source, redial=chosen)
    called = [one["name"] for one in made["campaign"]["contacts"]["nodes"]]
    assert called == [others[0]["name"], last["name"]]
    unknown = {"campaignId": source["id"], "contactIds": [str(uuid4())]}
    counted = shared_api.execute(COUNT, Role.OPERATOR, redial=unknown)
    assert counted == {"redialCount": 0}


def test_a_redial_of_too_many_single_contacts_is_refused(
    shared_api: ApiClient,
) -> None:
    source = canceled(shared_api)
    many = [str(uuid4()) for _ in range(1_001)]
    refused = redial(
        shared_api, source, redial={"campaignId": source["id"], "contactIds": many}
    )
    assert (refused["code"], refused["fields"][0]["path"]) == ("INVALID", ["redial"])
    assert "at most 1,000" in refused["message"]


def test_a_selection_without_contacts_is_refused_with_the_reason(
    shared_api: ApiClient,
) -> None:
    source = canceled(shared_api)
    nobody = {"campaignId": source["id"], "outcomes": ["BUSY"]}
    assert shared_api.execute(COUNT, Role.OPERATOR, redial=nobody) == {"redialCount": 0}
    refused = redial(shared_api, source, redial=nobody)
    assert (refused["code"], refused["fields"][0]["path"]) == ("INVALID", ["redial"])


def test_an_unknown_campaign_is_refused(shared_api: ApiClient) -> None:
    source = canceled(shared_api)
    unknown = {"campaignId": str(uuid4())}
    refused = redial(shared_api, source, redial=unknown)
    assert refused["code"] == "NOT_FOUND"
