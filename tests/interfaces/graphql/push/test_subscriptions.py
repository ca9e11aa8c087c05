"""Subscriptions: the first frame, changes, and the end of access."""

import time
from contextlib import ExitStack
from uuid import UUID, uuid4

import httpx2
import pytest
from websockets import Origin
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as open_socket

from application.calls.claims import ClaimService
from domain.dial_view import PlannedCall
from domain.values import Role
from interfaces.auth.viewer import COOKIE
from projections.contacts import contact_log
from tests.fakes import FakeProvider
from tests.interfaces.serving import (
    GRAPHQL_WS,
    ApiClient,
    Socket,
    configured,
    running_api,
)

PROGRESS = """subscription($id: ID!) { campaignProgress(campaignId: $id) {
  state contacts pending active queued position } }"""
ALL_PROGRESS = """subscription { campaignsProgress { campaignId state pending } }"""
CONTACTS = """subscription($id: ID!) { contactUpdates(campaignId: $id) {
  name status } }"""
START = "mutation($id: ID!) { startCampaign(id: $id) { __typename } }"


def claim(api: ApiClient, campaign_id: str, *, seen: int, contact: int) -> UUID:
    """Claim the contact at this index of the campaign's file."""
    with api.read_pool.connection() as connection:
        page = contact_log.page(connection, UUID(campaign_id), first=100)
    chosen = PlannedCall(UUID(campaign_id), page.nodes[contact].id, 1, requeued=False)
    claimed = ClaimService(api.app, api.context).claim([chosen], seen=seen)
    assert len(claimed.calls) == 1
    return claimed.calls[0]


def last_progress(socket: Socket, **wanted: object) -> dict[str, object]:
    """Read frames until one meets the condition."""
    while True:
        shown: dict[str, object] = socket.next()["campaignProgress"]
        if wanted.items() <= shown.items():
            return shown


def test_progress_is_sent_at_once_and_after_each_change(api: ApiClient) -> None:
    id_ = api.campaign()
    with api.socket(api.token(Role.AUDITOR)) as socket:
        socket.acknowledged().subscribe(PROGRESS, id=id_)
        present = socket.next()["campaignProgress"]
        assert (present["state"], present["pending"]) == ("CREATED", 2)
        api.execute(START, id=id_)
        assert socket.next()["campaignProgress"]["state"] == "QUEUED"
        claim(api, id_, seen=0, contact=0)
        shown = socket.next()["campaignProgress"]
        assert (shown["pending"], shown["active"], shown["queued"]) == (1, 1, 1)
        assert shown["position"] > present["position"]


def test_a_burst_is_merged_and_its_last_state_is_sent(api: ApiClient) -> None:
    people = "".join(f"P{n},,+1202555{n:04}\n" for n in range(100, 160))
    id_ = api.campaign("name,business_name,phone\n" + people)
    with api.socket(api.token()) as socket:
        socket.acknowledged().subscribe(PROGRESS, id=id_)
        socket.next()
        began = time.monotonic()
        for n in range(60):
            claim(api, id_, seen=n, contact=n)
        frames = 0
        while socket.next()["campaignProgress"]["queued"] < 60:
            frames += 1
        seconds = time.monotonic() - began
        assert frames + 1 <= 2 + 4 * seconds


def test_progress_continues_after_a_restart_of_the_projector(api: ApiClient) -> None:
    id_ = api.campaign()
    with api.socket(api.token()) as socket:
        socket.acknowledged().subscribe(PROGRESS, id=id_)
        socket.next()
        api.projector.stop()
        claim(api, id_, seen=0, contact=0)
        api.projector.start()
        last_progress(socket, queued=1, pending=1)


def test_one_subscription_sends_the_progress_of_all_campaigns(api: ApiClient) -> None:
    first = api.campaign()
    with api.socket(api.token()) as socket:
        socket.acknowledged().subscribe(ALL_PROGRESS)
        assert socket.next()["campaignsProgress"]["campaignId"] == first
        second = api.campaign()
        shown = socket.next()["campaignsProgress"]
        while shown["campaignId"] != second or shown["pending"] != 2:
            shown = socket.next()["campaignsProgress"]
        api.execute(START, id=first)
        shown = socket.next()["campaignsProgress"]
        assert (shown["campaignId"], shown["state"]) == (first, "QUEUED")


def test_contacts_are_sent_when_their_status_changed(api: ApiClient) -> None:
    id_ = api.campaign()
    with api.socket(api.token()) as socket:
        socket.acknowledged().subscribe(CONTACTS, id=id_)
        socket.subscribe(PROGRESS, "2", id=id_)
        # Its first frame proves that the other subscription has started too.
        assert socket.receive()["id"] == "2"
        claim(api, id_, seen=0, contact=1)
        frames = [socket.receive(), socket.receive()]
        result = next(frame for frame in frames if frame["id"] == "1")
        contacts = result["payload"]["data"]["contactUpdates"]
        assert contacts == [{"name": "Bob", "status": "QUEUED"}]


def test_an_unknown_campaign_is_a_bad_request(shared_api: ApiClient) -> None:
    with shared_api.socket(shared_api.token()) as socket:
        socket.acknowledged().subscribe(PROGRESS, id=str(uuid4()))
        message = socket.receive()
        errors = message["payload"]
        errors = errors["errors"] if isinstance(errors, dict) else errors
        assert errors[0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_socket_without_a_valid_token_is_closed(shared_api: ApiClient) -> None:
    for token in (None, "alx_nonsense", shared_api.token()[:-1] + "z"):
        with (
            shared_api.socket(token) as socket,
            pytest.raises(ConnectionClosed) as closed,
        ):
            socket.receive()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403


def test_a_removed_member_s_socket_is_closed(
    api_with_frequent_checks: ApiClient,
) -> None:
    api = api_with_frequent_checks
    id_, token = api.campaign(), api.token(Role.AUDITOR)
    with api.socket(token) as socket:
        socket.acknowledged().subscribe(PROGRESS, id=id_)
        socket.next()
        api.members.remove("auditor@example.com", by="test")
        assert socket.closing_code() == 4403


def test_a_removal_closes_the_socket_by_notification_without_polling(
    shared_api: ApiClient,
) -> None:
    token = shared_api.token(Role.AUDITOR)
    with shared_api.socket(token) as socket:
        socket.acknowledged().subscribe("subscription { health { status } }")
        assert socket.next()["health"]["status"] == "DOWN"
        shared_api.members.remove("auditor@example.com", by="test")
        assert socket.closing_code() == 4403


def test_a_socket_ends_with_its_session(shared_api: ApiClient) -> None:
    session = shared_api.session()
    cookie = {"Cookie": f"{COOKIE}={session}"}
    url = f"ws{shared_api.url.removeprefix('http')}/graphql"
    with open_socket(
        url, subprotocols=[GRAPHQL_WS], additional_headers=cookie
    ) as connection:
        connection.send('{"type": "connection_init"}')
        socket = Socket(connection).acknowledged()
        httpx2.post(f"{shared_api.url}/sign-out", headers=cookie)
        assert socket.closing_code() == 4403


def test_a_changed_role_closes_the_socket_so_that_the_client_reconnects(
    api_with_frequent_checks: ApiClient,
) -> None:
    api = api_with_frequent_checks
    with api.socket(api.token(Role.AUDITOR)) as socket:
        socket.acknowledged()
        api.members.add("auditor@example.com", Role.OPERATOR, by="test")
        assert socket.closing_code() == 4205


def test_a_socket_from_a_page_of_another_site_is_refused(shared_api: ApiClient) -> None:
    url = f"ws{shared_api.url.removeprefix('http')}/graphql"
    with (
        pytest.raises(InvalidStatus) as refused,
        open_socket(url, subprotocols=[GRAPHQL_WS], origin=Origin("https://evil.test")),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_an_open_socket_does_not_delay_the_shutdown_of_the_api(database: str) -> None:
    """`running_api` asserts that the API stops while a socket is open."""
    configuration = configured(database)
    with ExitStack() as opened, running_api(configuration, FakeProvider(), 15.0) as url:
        socket_url = f"ws{url.removeprefix('http')}/graphql"
        opened.enter_context(open_socket(socket_url, subprotocols=[GRAPHQL_WS]))
