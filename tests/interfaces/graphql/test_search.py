"""Which contacts a search finds, whether few or many match."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from domain.values import Role
from projections.contacts import contact_log
from tests.interfaces.serving import ApiClient

FILE = (
    "name,business_name,phone\n"
    'Ada Lovelace,"Engines, Ltd.",+12025550101\n'
    "Émile O'Brien,Smith-Jones & Co,+12025550102\n"
    "Adam Smith,,+14155550103\n"
    "50% Off,7 Eleven,+12025550104\n"
    "Zoë \U0001f680,Rocket/Science,+442071838750\n"
)
CONTACTS = """query($id: ID!, $search: String, $first: Int, $after: String,
  $statuses: [ContactStatus!]) { campaign(id: $id) { contacts(search: $search,
    first: $first, after: $after, statuses: $statuses) {
      totalCount nodes { name } pageInfo { hasNextPage endCursor } } } }"""


@dataclass
class Setup:
    api: ApiClient
    campaign: str

    def names(self, search: str, **given: object) -> list[str]:
        shown = self.api.execute(
            CONTACTS, Role.AUDITOR, id=self.campaign, search=search, **given
        )["campaign"]["contacts"]
        return [node["name"] for node in shown["nodes"]]


@pytest.fixture(scope="module")
def setup(shared_api: ApiClient) -> Setup:
    other = "name,business_name,phone\nAda Other,,+12025550101\n"
    shared_api.campaign(other)
    return Setup(shared_api, shared_api.campaign(FILE))


@pytest.fixture(params=["few match", "many match"])
def either(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "many match":
            patch.setattr(contact_log, "MOST_COUNTED", 1)
        yield


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ada", ["Ada Lovelace", "Adam Smith"]),
        ("  ADA   love", ["Ada Lovelace"]),
        ("lovel", ["Ada Lovelace"]),
        ("ovelace", []),
        ("smith", ["Émile O'Brien", "Adam Smith"]),
        ("jones co", ["Émile O'Brien"]),
        ("émi", ["Émile O'Brien"]),
        ("ÉMI", ["Émile O'Brien"]),
        ("o'br", ["Émile O'Brien"]),
        ("science", ["Zoë \U0001f680"]),
        ("\U0001f680", ["Zoë \U0001f680"]),
        ("+1202", ["Ada Lovelace", "Émile O'Brien", "50% Off"]),
        ("1 (202) 555-0102", ["Émile O'Brien"]),
        ("44", ["Zoë \U0001f680"]),
        ("7", ["50% Off"]),
        ("50%", ["50% Off"]),
        ("202", ["Ada Lovelace", "Émile O'Brien", "50% Off"]),
        ("202 555", ["Ada Lovelace", "Émile O'Brien", "50% Off"]),
        ("(202) 555-0102", ["Émile O'Brien"]),
        ("0102", ["Émile O'Brien"]),
        ("555-0102", ["Émile O'Brien"]),
        ("8750", ["Zoë \U0001f680"]),
        ("102", []),
        ("a\x00da", []),
        ("' \\ :* & | !", None),
        ("x" * 5_000, []),
        ("", None),
    ],
)
@pytest.mark.usefixtures("either")
def test_a_search_finds_contacts_by_prefixes_of_their_words(
    setup: Setup, search: str, found: list[str] | None
) -> None:
    everybody = setup.names("   ")
    assert len(everybody) == 5
    assert setup.names(search) == (everybody if found is None else found)


@pytest.mark.usefixtures("either")
def test_a_campaign_s_id_does_not_match_all_of_its_contacts(setup: Setup) -> None:
    """The index holds it, so that a search stays within the campaign."""
    assert setup.names(setup.campaign[:8]) == []


@pytest.mark.usefixtures("either")
def test_search_results_are_paged(setup: Setup) -> None:
    data = setup.api.execute(CONTACTS, id=setup.campaign, search="+1", first=2)
    first = data["campaign"]["contacts"]
    assert first["pageInfo"]["hasNextPage"]
    after = first["pageInfo"]["endCursor"]
    rest = setup.names("+1", first=2, after=after)
    names = [node["name"] for node in first["nodes"]] + rest
    assert names == ["Ada Lovelace", "Émile O'Brien", "Adam Smith", "50% Off"]


@pytest.mark.usefixtures("either")
def test_a_search_can_be_combined_with_a_status_filter(setup: Setup) -> None:
    assert setup.names("ada", statuses=["ENDED"]) == []
    assert len(setup.names("ada", statuses=["PENDING", "ENDED"])) == 2


def test_the_total_counts_the_search_results(setup: Setup) -> None:
    data = setup.api.execute(CONTACTS, id=setup.campaign, search="ada", first=1)
    assert data["campaign"]["contacts"]["totalCount"] == 2
