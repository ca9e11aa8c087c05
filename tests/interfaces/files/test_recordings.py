"""Recordings redirect to the provider's present URL."""

from datetime import timedelta
from uuid import UUID, uuid4

import httpx2
import pytest

from application.calls.claims import ClaimService
from application.contacts.erasure import ErasureService
from domain.calls.call import Call
from domain.dial_view import PlannedCall
from domain.values import Role
from projections.calls.message_retention import MessageRetention
from projections.contacts import contact_log
from provider.vapi.messages.reading import read_message
from storage.vault.erasure import ErasureStore
from tests.application.contacts.erasing import PROVIDER_ID, report
from tests.interfaces.serving import ApiClient, utc_now

LINK = "https://storage.example/r.wav?signed=1"


def placed_call(api: ApiClient, provider_call_id: str, claims: int = 0) -> UUID:
    """Claim and place a call; `claims` is the number of earlier claims."""
    campaign_id = UUID(api.campaign())
    api.execute(
        "mutation($id: ID!) { startCampaign(id: $id) { __typename } }",
        id=str(campaign_id),
    )
    with api.read_pool.connection() as connection:
        page = contact_log.page(connection, campaign_id, first=1)
    chosen = PlannedCall(campaign_id, page.nodes[0].id, 1, requeued=False)
    (call_id,) = ClaimService(api.app, api.context).claim([chosen], seen=claims).calls
    api.caught_up()
    ticket = api.calls.request(call_id, dial_before=utc_now() + timedelta(seconds=5))
    assert ticket is not None
    api.calls.place(call_id, provider_call_id=provider_call_id, placed_at=utc_now())
    api.caught_up()
    return call_id


def ask(
    api: ApiClient, call_id: object, role: Role | None = Role.AUDITOR
) -> httpx2.Response:
    return api.get(f"/calls/{call_id}/recording", role)


@pytest.fixture(scope="module")
def call(shared_api: ApiClient) -> UUID:
    return placed_call(shared_api, "vapi-call-1")


def test_a_recording_redirects_to_a_fresh_link_of_the_provider(
    shared_api: ApiClient, call: UUID
) -> None:
    shared_api.provider.recordings["vapi-call-1"] = LINK
    answer = ask(shared_api, call)
    assert (answer.status_code, answer.headers["location"]) == (302, LINK)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_call_without_a_recording_is_not_found(
    shared_api: ApiClient, call: UUID
) -> None:
    shared_api.provider.recordings.clear()
    for id_ in (call, uuid4(), "nonsense"):
        answer = ask(shared_api, id_)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_a_recording_is_unavailable_while_the_provider_is_down(
    shared_api: ApiClient, call: UUID
) -> None:
    shared_api.provider.down = True
    try:
        answer = ask(shared_api, call)
    finally:
        shared_api.provider.down = False
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_recordings_are_for_members_only(shared_api: ApiClient, call: UUID) -> None:
    assert ask(shared_api, call, role=None).status_code == 401


def test_an_erased_recording_is_not_requested_from_the_provider(
    shared_api: ApiClient,
    call: UUID,
) -> None:
    erased = placed_call(shared_api, "vapi-erased", claims=1)
    old = placed_call(shared_api, PROVIDER_ID, claims=2)
    shared_api.calls.record_message(read_message(report(old)))
    shared_api.caught_up()
    shared_api.provider.recordings |= {"vapi-erased": LINK, PROVIDER_ID: LINK}
    assert [ask(shared_api, id_).status_code for id_ in (erased, old)] == [302, 302]
    store = MessageRetention(shared_api.pool)
    assert store.wipe_messages_before(utc_now() + timedelta(seconds=1))
    assert [ask(shared_api, id_).status_code for id_ in (erased, old)] == [302, 404]
    erasure = ErasureStore(shared_api.pool)
    phone = erasure.phone_of(shared_api.app.load(Call, erased).contact_id)
    assert phone is not None
    ErasureService(shared_api.app, shared_api.context, erasure).erase(phone, by="test")
    shared_api.caught_up()
    assert ask(shared_api, erased).status_code == 404
