"""Where a recording is, as the provider says now."""

from datetime import timedelta
from uuid import UUID, uuid4

import httpx2
import pytest

from application.claims import Chosen, ClaimService
from domain.values import Role
from projections import contact_log
from tests.interfaces.serving import Desk, utc_now

LINK = "https://storage.example/r.wav?signed=1"


def placed_call(desk: Desk, provider_call_id: str) -> UUID:
    campaign_id = UUID(desk.campaign())
    desk.told(
        "mutation($id: ID!) { startCampaign(id: $id) { __typename } }",
        id=str(campaign_id),
    )
    with desk.read_pool.connection() as connection:
        page = contact_log.page(connection, campaign_id, first=1)
    chosen = Chosen(campaign_id, page.nodes[0].id, 1, requeued=False)
    (call_id,) = ClaimService(desk.app, desk.means).claim([chosen], seen=0).calls
    desk.caught_up()
    ticket = desk.calls.request(call_id, dial_before=utc_now() + timedelta(seconds=5))
    assert ticket is not None
    desk.calls.place(call_id, provider_call_id=provider_call_id, placed_at=utc_now())
    desk.caught_up()
    return call_id


def ask(
    desk: Desk, call_id: object, role: Role | None = Role.AUDITOR
) -> httpx2.Response:
    return desk.get(f"/calls/{call_id}/recording", role)


@pytest.fixture(scope="module")
def call(office: Desk) -> UUID:
    return placed_call(office, "vapi-call-1")


def test_a_recording_is_a_link_fresh_from_the_provider(
    office: Desk, call: UUID
) -> None:
    office.provider.recordings["vapi-call-1"] = LINK
    answer = ask(office, call)
    assert (answer.status_code, answer.headers["location"]) == (302, LINK)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_where_nothing_was_recorded_nothing_is_found(office: Desk, call: UUID) -> None:
    office.provider.recordings.clear()
    for id_ in (call, uuid4(), "nonsense"):
        answer = ask(office, id_)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_a_provider_that_is_down_is_asked_again_later(office: Desk, call: UUID) -> None:
    office.provider.down = True
    try:
        answer = ask(office, call)
    finally:
        office.provider.down = False
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_only_members_hear_recordings(office: Desk, call: UUID) -> None:
    assert ask(office, call, role=None).status_code == 401
