"""From an uploaded file to a campaign that is started, paused, resumed."""

from uuid import UUID

from domain.campaigns.campaign import Campaign
from domain.values import PauseCause, Role
from tests.interfaces.serving import CREATE, LINE, ApiClient

START = """mutation($id: ID!) { startCampaign(id: $id) { __typename
  ... on Campaign { id state queuedAt startedAt }
  ... on UserError { code message } } }"""
PAUSE = """mutation($id: ID!) { pauseCampaign(id: $id, reason: "lunch") { __typename
  ... on Campaign { state stateReason pauseCause } ... on UserError { code } } }"""
RESUME = """mutation($id: ID!) { resumeCampaign(id: $id) { __typename
  ... on Campaign { state pauseCause stateReason } ... on UserError { code } } }"""


def test_create_campaign_returns_the_campaign_and_the_report_of_its_file(
    shared_api: ApiClient,
) -> None:
    upload = shared_api.upload(
        "name,business_name,phone\nAda,,+12025550101\n,,+1202555\n"
    )
    asked = {
        "name": "Spring",
        "uploadId": upload,
        "assistantId": shared_api.assistant(),
        "phoneNumberId": LINE,
    }
    made = shared_api.execute(CREATE, Role.OPERATOR, input=asked)["createCampaign"]
    assert made["campaign"]["state"] == "CREATED"
    assert made["campaign"]["cap"] == 8
    assert made["campaign"]["progress"]["contacts"] == 1
    assert made["campaign"]["progress"]["pending"] == 1
    assert made["report"]["accepted"] == 1
    assert [one["row"] for one in made["report"]["skipped"]] == [3]
    assert made["report"]["rejectsUrl"] == f"/imports/{upload}/rejects.csv"


def test_start_pause_and_resume_return_the_new_state(shared_api: ApiClient) -> None:
    id_ = shared_api.campaign()
    started = shared_api.execute(START, Role.OPERATOR, id=id_)["startCampaign"]
    assert (started["state"], started["startedAt"]) == ("QUEUED", None)
    assert started["queuedAt"] is not None
    paused = shared_api.execute(PAUSE, Role.OPERATOR, id=id_)["pauseCampaign"]
    assert (paused["state"], paused["stateReason"]) == ("PAUSED", "lunch")
    assert paused["pauseCause"] == "PERSON"
    resumed = shared_api.execute(RESUME, Role.OPERATOR, id=id_)["resumeCampaign"]
    assert (resumed["state"], resumed["pauseCause"]) == ("QUEUED", None)
    assert resumed["stateReason"] is None


def test_a_pause_after_a_duplicate_call_has_a_readable_reason(
    shared_api: ApiClient,
) -> None:
    id_ = shared_api.campaign()
    shared_api.execute(START, Role.OPERATOR, id=id_)
    campaign: Campaign = shared_api.app.repository.get(UUID(id_))
    cause, now = PauseCause.DUPLICATE_DETECTED, shared_api.components.now()
    campaign.pause(cause=cause, at=now, by="scheduler")
    shared_api.app.append(campaign)
    shared_api.caught_up()
    query = "query($id: ID!) { campaign(id: $id) { state pauseCause stateReason } }"
    paused = shared_api.execute(query, Role.OPERATOR, id=id_)["campaign"]
    assert (paused["state"], paused["pauseCause"]) == ("PAUSED", "DUPLICATE_DETECTED")
    assert paused["stateReason"].startswith("A second call was reported")
    resumed = shared_api.execute(RESUME, Role.OPERATOR, id=id_)["resumeCampaign"]
    assert (resumed["state"], resumed["stateReason"]) == ("QUEUED", None)
    without_reason = PAUSE.replace(', reason: "lunch"', "")
    paused = shared_api.execute(without_reason, Role.OPERATOR, id=id_)["pauseCampaign"]
    assert (paused["pauseCause"], paused["stateReason"]) == ("PERSON", None)
