"""Comparisons of assistants over the API."""

from typing import Any

from domain.values import Role
from tests.interfaces.serving import LINE, PEOPLE, Desk

ERROR = "... on UserError { code message fields { path message } }"
CREATE = f"""mutation($input: CreateCampaignInput!) {{ createCampaign(input: $input) {{
  ... on ImportedCampaign {{ campaign {{ id arms {{ share contacts finished goals low
    high pValue smallestDifference assistant {{ id name }} }} }} }} {ERROR} }} }}"""
NEW = """mutation($name: String!) { createAssistant(input: {name: $name, config: {}}) {
  ... on Assistant { id } ... on UserError { message } } }"""
SMALLEST = """query($contacts: Int!, $shares: [Int!]!, $rate: Float) {
  smallestDifferences(contacts: $contacts, shares: $shares, goalRate: $rate) }"""


def assistant(office: Desk, name: str) -> str:
    return str(office.told(NEW, Role.ADMIN, name=name)["createAssistant"]["id"])


def create(office: Desk, arms: list[dict[str, Any]]) -> dict[str, Any]:
    asked = {
        "name": "Spring",
        "uploadId": office.upload(PEOPLE),
        "assistantId": office.assistant(),
        "phoneNumberId": LINE,
        "arms": arms,
    }
    found: dict[str, Any] = office.told(CREATE, Role.OPERATOR, input=asked)
    return dict(found["createCampaign"])


def test_a_campaign_shows_the_assistants_that_it_compares(office: Desk) -> None:
    second, third = assistant(office, "Quinn"), assistant(office, "Rae")
    made = create(
        office,
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


def test_without_a_comparison_there_are_no_arms(office: Desk) -> None:
    assert create(office, [])["campaign"]["arms"] == []


def test_wrong_arms_are_refused_with_their_field(office: Desk) -> None:
    second = assistant(office, "Quinn")
    wrong = [
        [{"assistantId": second, "share": 100}],
        [{"assistantId": second, "share": 0}],
        [{"assistantId": second, "share": 20}] * 2,
        [{"assistantId": second, "share": 20}] * 4,
    ]
    for arms in wrong:
        refused = create(office, arms)
        assert refused["code"] == "INVALID"
        assert [field["path"] for field in refused["fields"]] == [["arms"]]


def test_the_assistant_of_a_comparison_cannot_be_changed(office: Desk) -> None:
    second = assistant(office, "Quinn")
    made = create(office, [{"assistantId": second, "share": 50}])
    change = f"""mutation($id: ID!, $assistant: ID!) {{
      updateCampaign(id: $id, input: {{ assistantId: $assistant }}) {{
        ... on Campaign {{ id }} {ERROR} }} }}"""
    told = office.told(
        change, Role.OPERATOR, id=made["campaign"]["id"], assistant=second
    )
    assert told["updateCampaign"]["code"] == "WRONG_STATE"
    assert "compares assistants" in told["updateCampaign"]["message"]


def test_what_a_list_can_show_is_computed_before_the_campaign_exists(
    office: Desk,
) -> None:
    large = office.told(SMALLEST, contacts=5_000, shares=[50], rate=0.1)
    small = office.told(SMALLEST, contacts=1_000, shares=[50], rate=0.1)
    tiny = office.told(SMALLEST, contacts=9, shares=[50], rate=None)
    assert 0.03 < large["smallestDifferences"][0] < 0.04
    assert 0.08 < small["smallestDifferences"][0] < 0.09
    assert tiny["smallestDifferences"] == [None]


def test_impossible_shares_are_refused_before_the_campaign_exists(
    office: Desk,
) -> None:
    for shares in ([100], [0], [10, 10, 10, 10]):
        answer = office.ask(SMALLEST, contacts=9, shares=shares, rate=0.1)
        assert "compared assistants must" in str(answer.errors)
