"""From an uploaded file to a campaign that is started, paused, resumed."""

from domain.values import Role
from tests.interfaces.serving import CREATE, LINE, Desk

START = """mutation($id: ID!) { startCampaign(id: $id) { __typename
  ... on Campaign { id state queuedAt startedAt }
  ... on UserError { code message } } }"""
PAUSE = """mutation($id: ID!) { pauseCampaign(id: $id, reason: "lunch") { __typename
  ... on Campaign { state stateReason pauseCause } ... on UserError { code } } }"""
RESUME = """mutation($id: ID!) { resumeCampaign(id: $id) { __typename
  ... on Campaign { state pauseCause stateReason } ... on UserError { code } } }"""


def test_a_file_becomes_a_campaign_that_its_answer_shows(office: Desk) -> None:
    upload = office.upload("name,business_name,phone\nAda,,+12025550101\n,,+1202555\n")
    asked = {
        "name": "Spring",
        "uploadId": upload,
        "assistantId": office.assistant(),
        "phoneNumberId": LINE,
    }
    made = office.told(CREATE, Role.OPERATOR, input=asked)["createCampaign"]
    assert made["campaign"]["state"] == "CREATED"
    assert made["campaign"]["cap"] == 8
    assert made["campaign"]["progress"]["contacts"] == 1
    assert made["campaign"]["progress"]["pending"] == 1
    assert made["report"]["accepted"] == 1
    assert [one["row"] for one in made["report"]["skipped"]] == [3]
    assert made["report"]["rejectsUrl"] == f"/imports/{upload}/rejects.csv"


def test_created_twice_with_the_same_file_it_is_the_same_campaign(
    office: Desk,
) -> None:
    asked = {
        "name": "Spring",
        "uploadId": office.upload("name,business_name,phone\nAda,,+12025550101\n"),
        "assistantId": office.assistant(),
        "phoneNumberId": LINE,
    }
    first = office.told(CREATE, input=asked)["createCampaign"]
    again = office.told(CREATE, input=asked)["createCampaign"]
    assert first["campaign"]["id"] == again["campaign"]["id"]


def test_start_pause_and_resume_answer_what_they_did(office: Desk) -> None:
    id_ = office.campaign()
    started = office.told(START, Role.OPERATOR, id=id_)["startCampaign"]
    assert (started["state"], started["startedAt"]) == ("QUEUED", None)
    assert started["queuedAt"] is not None
    paused = office.told(PAUSE, Role.OPERATOR, id=id_)["pauseCampaign"]
    assert (paused["state"], paused["stateReason"]) == ("PAUSED", "lunch")
    assert paused["pauseCause"] == "PERSON"
    resumed = office.told(RESUME, Role.OPERATOR, id=id_)["resumeCampaign"]
    assert (resumed["state"], resumed["pauseCause"]) == ("QUEUED", None)
    assert resumed["stateReason"] is None
