"""The list of a thousand campaigns is complete and needs few queries."""

import json
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from interfaces.graphql.backend import Backend
from projections.campaigns import campaign_board
from storage.database import Conn
from tests.interfaces.serving import ApiClient, utc_now
from tests.many_campaigns import create_campaigns

COUNT = 1_000
LIST = """query($after: String, $states: [CampaignState!], $search: String) {
  campaigns(first: 50, after: $after, states: $states, search: $search) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      id name state stateReason cap createdAt
      progress { contacts pending active spend position }
    }
  }
}"""


@pytest.fixture(scope="module")
def campaigns(shared_api: ApiClient) -> list[str]:
    """The ids of a thousand campaigns, newest first."""
    ids = create_campaigns(shared_api.app, COUNT, newest_at=utc_now())
    shared_api.caught_up()
    return [str(id_) for id_ in ids]


def test_paging_shows_each_of_a_thousand_campaigns_once_and_newest_first(
    shared_api: ApiClient, campaigns: list[str]
) -> None:
    shown: list[str] = []
    after = None
    while True:
        page = shared_api.execute(LIST, after=after)["campaigns"]
        assert page["totalCount"] == COUNT
        shown += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert shown == campaigns


def test_a_thousand_campaigns_are_filtered_by_state_and_by_name(
    shared_api: ApiClient, campaigns: list[str]
) -> None:
    canceled = shared_api.execute(LIST, states=["CANCELED"])["campaigns"]
    assert canceled["totalCount"] == COUNT // 10
    assert [node["id"] for node in canceled["nodes"]] == campaigns[9::10][:50]
    found = shared_api.execute(LIST, search="campaign 099")["campaigns"]
    assert [node["id"] for node in found["nodes"]] == campaigns[990:]


def test_a_page_costs_as_many_reads_for_fifty_campaigns_as_for_one(
    shared_api: ApiClient, campaigns: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert campaigns
    reads = Counter[int]()
    size = 0

    def counted(name: str) -> None:
        original = getattr(Backend, name)

        async def read(self: Backend, *args: Any, **kwargs: Any) -> Any:
            reads[size] += 1
            return await original(self, *args, **kwargs)

        monkeypatch.setattr(Backend, name, read)

    counted("read")
    counted("run_reader")
    for size in (1, 50):
        shared_api.execute(LIST.replace("first: 50", f"first: {size}"))
    assert 0 < reads[50] <= reads[1]


def test_a_page_in_the_middle_is_read_from_an_index(
    shared_api: ApiClient, campaigns: list[str]
) -> None:
    with shared_api.pool.connection() as connection:
        connection.execute("analyze read.campaign_board")
    with shared_api.read_pool.connection() as connection:
        row = campaign_board.get(connection, UUID(campaigns[500]))
        assert row is not None
        query = campaign_board._ROW + campaign_board._LISTED + campaign_board._AFTER
        values = {
            "states": None,
            "like": None,
            "at": row.created_at,
            "id": row.id,
            "most": 51,
        }
        plan = explained(connection, query, values)
    assert "campaign_board_newest" in plan
    assert '"Node Type": "Sort"' not in plan


def explained(conn: Conn, query: Any, values: dict[str, Any]) -> str:
    found = conn.execute("explain (analyze, format json) " + query, values).fetchone()
    assert found is not None
    return json.dumps(found[0])
