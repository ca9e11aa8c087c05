"""Test calls over the API: one contact, started at once, never twice by mistake."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.campaigns.campaigns import CampaignService
from domain.campaigns.campaign import Campaign
from domain.values import CampaignState, Role
from tests.interfaces.serving import ASSISTANT, LINE, ApiClient

PHONE = "+12025550177"
ERROR = "... on UserError { code message fields { path message } }"
PLACE = f"""mutation($input: TestCallInput!) {{ placeTestCall(input: $input) {{
  ... on Campaign {{ id name state isTest cap endsAt createdAt
    retryPolicy {{ attempts }} progress {{ contacts }} }} {ERROR} }} }}"""
CONTACTS = """query($id: ID!) { campaign(id: $id) {
  contacts { nodes { name phone variables } } } }"""
IMPORT = """mutation($id: String!) { importAssistant(providerAssistantId: $id) {
  ... on Assistant { id } } }"""


@pytest.fixture
def asked(shared_api: ApiClient) -> dict[str, Any]:
    """Return the input of a valid test call."""
    assistant = shared_api.execute(IMPORT, id=ASSISTANT)["importAssistant"]["id"]
    return {"assistantId": assistant, "phoneNumberId": LINE, "phone": PHONE}


def placed(api: ApiClient, asked: dict[str, Any], **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api.execute(PLACE, Role.OPERATOR, input=asked | given)[
        "placeTestCall"
    ]
    return answer


def test_a_test_call_is_a_started_campaign_with_one_contact(
    shared_api: ApiClient, asked: dict[str, Any]
) -> None:
    variables = {"appointment": "Monday; 10:00", "rooms": 3, "none": None}
    campaign = placed(shared_api, asked, name="Ada", variables=variables)
    assert (campaign["isTest"], campaign["state"]) == (True, "QUEUED")
    assert (campaign["cap"], campaign["progress"]["contacts"]) == (1, 1)
    assert campaign["retryPolicy"]["attempts"] == 1
    shared_api.caught_up()
    [contact] = shared_api.execute(CONTACTS, id=campaign["id"])["campaign"]["contacts"][
        "nodes"
    ]
    assert (contact["name"], contact["phone"]) == ("Ada", PHONE)
    assert contact["variables"] == {
        "appointment": "Monday; 10:00",
        "rooms": "3",
        "none": "",
    }


def test_a_test_call_expires_after_two_minutes(
    shared_api: ApiClient, asked: dict[str, Any]
) -> None:
    campaign = placed(shared_api, asked)
    ends, created = (
        datetime.fromisoformat(campaign[name]) for name in ("endsAt", "createdAt")
    )
    assert abs(ends - created - timedelta(minutes=2)) < timedelta(seconds=30)


def test_the_same_request_places_one_test_call(
    shared_api: ApiClient, asked: dict[str, Any]
) -> None:
    request = str(uuid4())
    ids = {
        placed(shared_api, asked, requestId=request)["id"],
        placed(shared_api, asked, requestId=request)["id"],
        placed(shared_api, asked, requestId=request, phone="+12025550178")["id"],
    }
    assert len(ids) == 1


def test_equal_input_without_a_request_id_places_one_test_call(
    shared_api: ApiClient, asked: dict[str, Any]
) -> None:
    first = placed(shared_api, asked)["id"]
    assert placed(shared_api, asked)["id"] == first
    assert placed(shared_api, asked, name="Bo")["id"] != first
    assert placed(shared_api, asked, requestId=str(uuid4()))["id"] != first


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"phone": "12"}, "phone"),
        ({"phone": ""}, "phone"),
        ({"phoneNumberId": " "}, "phoneNumberId"),
        ({"variables": ["a"]}, "variables"),
        ({"variables": {"a": {"b": 1}}}, "variables"),
        ({"variables": {"Phone": PHONE}}, "variables"),
        ({"variables": {" ": "a"}}, "variables"),
        ({"assistantId": "9e3ad65e-1175-4d21-bf27-000000000000"}, "assistantId"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_invalid_input_is_refused_and_nothing_is_created(
    shared_api: ApiClient, asked: dict[str, Any], given: dict[str, Any], field: str
) -> None:
    request = uuid4()
    refused = placed(shared_api, asked, requestId=str(request), **given)
    assert refused["code"] == "INVALID"
    assert [one["path"] for one in refused["fields"]] == [[field]]
    valid = placed(shared_api, asked, requestId=str(request))
    assert valid["state"] == "QUEUED"


def test_a_test_call_interrupted_before_its_start_is_started_by_a_repetition(
    shared_api: ApiClient, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any, **__: Any) -> None:
        raise ConnectionError

    request = str(uuid4())
    with monkeypatch.context() as patched:
        patched.setattr(CampaignService, "start", crash)
        assert shared_api.ask(PLACE, input=asked | {"requestId": request}).errors
    campaign = placed(shared_api, asked, requestId=request)
    loaded = shared_api.app.load(Campaign, UUID(campaign["id"]))
    assert loaded.state is CampaignState.QUEUED
