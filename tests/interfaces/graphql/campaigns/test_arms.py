"""Comparisons of assistants over the API."""

from typing import Any

from domain.values import Role
from tests.interfaces.serving import LINE, PEOPLE, ApiClient

ERROR = "... on UserError { code message fields { path message } }"
CREATE = f"""mutation($input: CreateCampaignInput!) {{ createCampaign(input: $input) {{
  ... on ImportedCampaign {{ campaign {{ id arms {{ share contacts finished goals low
    high pValue smallestDifference assistant {{ id name }} }} }} }} {ERROR} }} }}"""
NEW = """mutation($name: String!) { createAssistant(input: {name: $name, config: {}}) {
  ... on Assistant { id } ... on UserError { message } } }"""
SMALLEST = """query($contacts: Int!, $shares: [Int!]!, $rate: Float) {
  smallestDifferences(contacts: $contacts, shares: $shares, goalRate: $rate) }"""


def assistant(shared_api: ApiClient, name: str) -> str:
    return str(shared_api.execute(NEW, Role.ADMIN, name=name)["createAssistant"]["id"])


def create(shared_api: ApiClient, arms: list[dict[str, Any]]) -> dict[str, Any]:
    asked = {
        "name": "Spring",
        "uploadId": shared_api.upload(PEOPLE),
        "assistantId": shared_api.assistant(),
        "phoneNumberId": LINE,
        "arms": arms,
    }
    found: dict[str, Any] = shared_api.execute(CREATE, Role.OPERATOR, input=asked)
    return dict(found["createCampaign"])


def test_a_campaign_shows_the_assistants_that_it_compares(
    shared_api: ApiClient,
) -> None:
    second, third = assistant(shared_api, "Quinn"), assistant(shared_api, "Rae")
    made = create(
        shared_api,
        [{"assistantId": second, "share": 30}, {"assistantId": third, "share": 20}],
    )
    arms = made["campaign"]["arms"]
    assert [(arm["assistant"]["name"], arm["share"]) for arm in arms][1:] == [
        ("Quinn", 30),
        ("Rae", 20),
    ]
    assert arms[0]["share"] == 50
    nothing = {"contacts": 0, "finished": 0, "goals": 0, "low": None, "pValue": None}
    for arm in arms:
        assert arm.items() >= nothing.items()


def test_without_a_comparison_there_are_no_arms(shared_api: ApiClient) -> None:
    assert create(shared_api, [])["campaign"]["arms"] == []


def test_wrong_arms_are_refused_with_their_field(shared_api: ApiClient) -> None:
    second = assistant(shared_api, "Quinn")
    wrong = [
        [{"assistantId": second, "share": 100}],
        [{"assistantId": second, "share": 0}],
        [{"assistantId": second, "share": 20}] * 2,
        [{"assistantId": second, "share": 20}] * 4,
    ]
    for arms in wrong:
        refused = create(shared_api, arms)
        assert refused["code"] == "INVALID"
        assert [field["path"] for field in refused["fields"]] == [["arms"]]


def test_the_assistant_of_a_comparison_cannot_be_changed(shared_api: ApiClient) -> None:
    second = assistant(shared_api, "Quinn")
    made = create(shared_api, [{"assistantId": second, "share": 50}])
    change = f"""mutation($id: ID!, $assistant: ID!) {{
      updateCampaign(id: $id, input: {{ assistantId: $assistant }}) {{
        ... on Campaign {{ id }} {ERROR} }} }}"""
    answer = shared_api.execute(
        change, Role.OPERATOR, id=made["campaign"]["id"], assistant=second
    )
    assert answer["updateCampaign"]["code"] == "WRONG_STATE"
    assert "compares assistants" in answer["updateCampaign"]["message"]


def test_what_a_list_can_show_is_computed_before_the_campaign_exists(
    shared_api: ApiClient,
) -> None:
    large = shared_api.execute(SMALLEST, contacts=5_000, shares=[50], rate=0.1)
    small = shared_api.execute(SMALLEST, contacts=1_000, shares=[50], rate=0.1)
    tiny = shared_api.execute(SMALLEST, contacts=9, shares=[50], rate=None)
    assert 0.03 < large["smallestDifferences"][0] < 0.04
    assert 0.08 < small["smallestDifferences"][0] < 0.09
    assert tiny["smallestDifferences"] == [None]


def test_impossible_shares_are_refused_before_the_campaign_exists(
    shared_api: ApiClient,
) -> None:
    for shares in ([100], [0], [10, 10, 10, 10]):
        answer = shared_api.ask(SMALLEST, contacts=9, shares=shares, rate=0.1)
        assert "compared assistants must" in str(answer.errors)
