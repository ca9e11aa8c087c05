"""The history over GraphQL: list, subscription, as-of and verification."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from application.calls.claims import ClaimService
from application.contacts.erasure import ErasureService
from domain.dial_view import PlannedCall
from domain.values import Role
from projections import dial_snapshot
from projections.contacts import contact_log
from projections.engine.verify import verify
from storage.vault.erasure import ErasureStore
from tests.interfaces.serving import ApiClient, Socket, utc_now
from tests.projections.dialing.dial_scene import everybody_may_be_called
from tests.support import eventually

EVENTS = """query($first: Int, $after: String, $newestFirst: Boolean,
    $filter: EventFilter) {
  events(first: $first, after: $after, newestFirst: $newestFirst, filter: $filter) {
    edges { cursor node { position } }
    nodes { position aggregateType aggregateId version type occurredAt actor payload }
    pageInfo { hasNextPage endCursor } } }"""
CAMPAIGN = """query($id: ID!, $asOf: DateTime) { campaign(id: $id, asOf: $asOf) {
  state queuedAt progress { contacts pending queued position } } }"""
CALL = """query($id: ID!, $asOf: DateTime) { call(id: $id, asOf: $asOf) {
  status attempt events { type version position } } }"""
AUDIT = """{ audit { verifiedUpTo verifiedAt head
  firstProblem { position message } } }"""
APPENDED = """subscription($after: BigInt, $filter: EventFilter) {
  eventAppended(after: $after, filter: $filter) { position type aggregateId } }"""
APPENDED_WHOLE = """subscription($after: BigInt) { eventAppended(after: $after) {
    position aggregateType aggregateId version type occurredAt actor payload } }"""
PAUSE = """mutation($id: ID!, $reason: String) {
    pauseCampaign(id: $id, reason: $reason) { __typename } }"""
CLOCKS_DIFFER = timedelta(milliseconds=200)
START = "mutation($id: ID!) { startCampaign(id: $id) { __typename } }"


@pytest.fixture
def api(shared_api: ApiClient) -> ApiClient:
    return shared_api


def claim(api: ApiClient, campaign_id: str) -> UUID:
    with api.read_pool.connection() as connection:
        page = contact_log.page(connection, UUID(campaign_id), first=1)
        seen = dial_snapshot.snapshot(
            connection, utc_now(), 1, everybody_may_be_called
        ).claims_seen
    chosen = PlannedCall(UUID(campaign_id), page.nodes[0].id, 1, requeued=False)
    [call_id] = ClaimService(api.app, api.context).claim([chosen], seen=seen).calls
    api.caught_up()
    return call_id


def events(api: ApiClient, **asked: Any) -> Any:
    return api.execute(EVENTS, Role.AUDITOR, **asked)["events"]


def last(api: ApiClient) -> int:
    api.header(Role.AUDITOR)  # The first request of a role adds its member.
    api.caught_up()
    return api.app.recorder.max_notification_id() or 0


def just_now(api: ApiClient) -> datetime:
    """Return a time after all stored events; clocks differ by some milliseconds."""
    last(api)
    stored = events(api, first=100, newestFirst=True)["nodes"]
    latest = max(datetime.fromisoformat(one["occurredAt"]) for one in stored)
    eventually(lambda: utc_now() > latest + CLOCKS_DIFFER, what="a later time")
    return latest + timedelta(microseconds=1)


def test_the_log_is_listed_in_pages_both_ways(api: ApiClient) -> None:
    api.campaign()
    end = last(api)
    found: list[int] = []
    after = None
    while True:
        page = events(api, first=3, after=after)
        assert [edge["node"] for edge in page["edges"]] == [
            {"position": node["position"]} for node in page["nodes"]
        ]
        found += [node["position"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == list(range(1, end + 1))
    newest = events(api, first=3, newestFirst=True)
    assert [node["position"] for node in newest["nodes"]] == [end, end - 1, end - 2]


def test_an_event_shows_its_actor_type_and_aggregate(api: ApiClient) -> None:
    id_ = api.campaign(name="Autumn")
    wanted = {"aggregateId": id_, "types": ["campaign.created"]}
    last(api)
    (event,) = events(api, filter=wanted)["nodes"]
    assert event["type"] == "campaign.created"
    assert (event["aggregateType"], event["aggregateId"]) == ("campaign", id_)
    assert (event["version"], event["actor"]) == (1, "operator@example.com")
    assert event["payload"]["name"] == "Autumn"
    age = utc_now() - datetime.fromisoformat(event["occurredAt"])
    assert abs(age) < timedelta(minutes=1)


def test_the_log_is_filtered(api: ApiClient) -> None:
    id_ = api.campaign()
    before = just_now(api)
    api.execute(START, Role.ADMIN, id=id_)
    last(api)
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"campaignId": id_, "since": before.isoformat()}, {"campaign.queued"}),
        ({"aggregateId": id_, "actor": "admin@example.com"}, {"campaign.queued"}),
        (
            {"aggregateId": id_, "until": before.isoformat()},
            {"campaign.created", "campaign.contacts_imported"},
        ),
        ({"aggregateId": "nonsense"}, set()),
        ({"types": []}, set()),
    ]
    for wanted, types in cases:
        found = events(api, filter=wanted)["nodes"]
        assert {node["type"] for node in found} == types, wanted


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        (EVENTS, {}),
        (AUDIT, {}),
        (CAMPAIGN, {"id": "x", "asOf": "2026-01-01T00:00:00Z"}),
        (CALL, {"id": "x", "asOf": "2026-01-01T00:00:00Z"}),
    ],
)
def test_the_history_is_for_auditors_and_admins(
    api: ApiClient, query: str, asked: dict[str, Any]
) -> None:
    assert api.ask(query, Role.OPERATOR, **asked).code == "FORBIDDEN"
    for role in (Role.AUDITOR, Role.ADMIN):
        assert api.ask(query, role, **asked).errors == []


def test_an_invalid_cursor_is_a_bad_request(api: ApiClient) -> None:
    assert api.ask(EVENTS, after="nonsense").code == "BAD_REQUEST"
    assert api.ask(EVENTS, first=101).code == "BAD_REQUEST"


def test_a_campaign_is_shown_as_of_an_earlier_time(api: ApiClient) -> None:
    id_ = api.campaign()
    created = just_now(api)
    api.execute(START, id=id_)
    started = just_now(api)
    claim(api, id_)

    def stood(at: datetime) -> Any:
        asked = {"id": id_, "asOf": at.isoformat()}
        return api.execute(CAMPAIGN, Role.AUDITOR, **asked)["campaign"]

    assert stood(datetime(2020, 1, 1, tzinfo=UTC)) is None
    first, second, now = stood(created), stood(started), stood(just_now(api))
    assert (first["state"], first["queuedAt"]) == ("CREATED", None)
    assert (second["state"], second["progress"]["pending"]) == ("QUEUED", 2)
    assert (now["progress"]["pending"], now["progress"]["queued"]) == (1, 1)
    position = [one["progress"]["position"] for one in (first, second, now)]
    assert position == sorted(set(position))
    assert now == api.execute(CAMPAIGN, id=id_)["campaign"]


def test_a_call_shows_its_events_to_members_and_its_past_state_to_auditors(
    api: ApiClient,
) -> None:
    id_ = api.campaign()
    api.execute(START, id=id_)
    call_id = claim(api, id_)
    claimed = just_now(api)
    api.calls.place(call_id, provider_call_id="p", placed_at=utc_now())
    last(api)
    data = api.execute(CALL, Role.OPERATOR, id=str(call_id))["call"]
    types = [event["type"] for event in data["events"]]
    assert types == ["call.created", "call.placed"]
    asked = {"id": str(call_id), "asOf": claimed.isoformat()}
    stood = api.execute(CALL, Role.AUDITOR, **asked)["call"]
    assert [event["type"] for event in stood["events"]] == ["call.created"]
    asked["asOf"] = "2020-01-01T00:00:00Z"
    assert api.execute(CALL, Role.AUDITOR, **asked)["call"] is None


def test_the_audit_shows_what_the_last_verification_found(api: ApiClient) -> None:
    api.campaign()
    end = last(api)
    before = api.execute(AUDIT, Role.AUDITOR)["audit"]
    assert before == {
        "verifiedUpTo": 0,
        "verifiedAt": None,
        "head": end,
        "firstProblem": None,
    }
    verify(api.database, now=utc_now)
    clean = api.execute(AUDIT, Role.AUDITOR)["audit"]
    assert (clean["verifiedUpTo"], clean["head"]) == (end, end)
    assert clean["verifiedAt"] is not None
    with api.pool.connection() as connection:
        change = (
            "update autolynx_events set state = state || ' ' where notification_id = %s"
        )
        connection.execute(change, (end - 1,))
        verify(api.database, now=utc_now)
        connection.execute(
            "update autolynx_events"
            " set state = trim(convert_from(state, 'utf8'))::bytea"
        )
    wrong = api.execute(AUDIT, Role.AUDITOR)["audit"]
    assert wrong["verifiedUpTo"] == end - 2
    assert wrong["firstProblem"]["position"] == end - 1
    assert "was changed" in wrong["firstProblem"]["message"]
    verify(api.database, now=utc_now)
    assert api.execute(AUDIT)["audit"]["firstProblem"] is None


def appended(socket: Socket, count: int) -> list[dict[str, Any]]:
    return [socket.next()["eventAppended"] for _ in range(count)]


def test_every_event_after_a_position_is_sent_once_in_order(api: ApiClient) -> None:
    id_ = api.campaign()
    known = last(api)
    with api.socket(api.token(Role.AUDITOR)) as socket:
        socket.acknowledged().subscribe(APPENDED, after=2)
        found = [event["position"] for event in appended(socket, known - 2)]
        api.execute(START, id=id_)
        for cap in range(20, 60):
            change = """mutation($id: ID!, $cap: Int) {
                updateCampaign(id: $id, input: {cap: $cap}) { __typename } }"""
            api.execute(change, id=id_, cap=cap)
        end = last(api)
        found += [event["position"] for event in appended(socket, end - known)]
    assert found == list(range(3, end + 1))


def test_the_log_can_be_read_after_an_erasure_and_shows_no_personal_data(
    api: ApiClient,
) -> None:
    people = "Erika Gone,Gone Ltd.,+12125550142\nOtto Here,,+12125550143\n"
    id_ = api.campaign(f"name,business_name,phone\n{people}")
    call_id = claim(api, id_)
    api.execute(START, id=id_)
    api.execute(PAUSE, id=id_, reason="Erika Gone complains")
    api.caught_up()
    store = ErasureStore(api.pool)
    ErasureService(api.app, api.context, store).erase("+12125550142", by="cli:ann")
    end = last(api)
    shown = events(api, first=100)
    streamed: list[dict[str, Any]] = []
    with api.socket(api.token(Role.AUDITOR)) as socket:
        socket.acknowledged().subscribe(APPENDED_WHOLE, after=0)
        streamed = appended(socket, end)
    assert [one["position"] for one in streamed] == list(range(1, end + 1))
    assert {one["type"] for one in streamed} >= {"contact.erased", "campaign.paused"}
    assert len(shown["nodes"]) == min(end, 100)
    data = json.dumps(
        [shown, streamed, api.execute(CALL, Role.AUDITOR, id=str(call_id))]
    )
    assert "Gone" not in data
    assert "5550142" not in data


def test_the_feed_without_a_position_sends_only_new_events_that_match_the_filter(
    api: ApiClient,
) -> None:
    id_ = api.campaign()
    last(api)
    with api.socket(api.token(Role.ADMIN)) as socket:
        socket.acknowledged().subscribe(APPENDED, filter={"types": ["campaign.queued"]})
        socket.subscribe("subscription { campaignsProgress { state } }", "2")
        # Its first frame proves that the other subscription has started too.
        while socket.receive()["id"] != "2":
            pass
        api.execute(START, id=id_)
        frame = socket.receive()
        while frame["id"] != "1":
            frame = socket.receive()
        event = frame["payload"]["data"]["eventAppended"]
        assert (event["type"], event["aggregateId"]) == ("campaign.queued", id_)


def test_an_operator_may_not_subscribe_to_the_log(api: ApiClient) -> None:
    with api.socket(api.token(Role.OPERATOR)) as socket:
        socket.acknowledged().subscribe(APPENDED)
        message = socket.receive()
        errors = message["payload"]
        errors = errors["errors"] if isinstance(errors, dict) else errors
        assert errors[0]["extensions"]["code"] == "FORBIDDEN"


def test_a_member_who_is_no_longer_an_auditor_gets_no_more_events(
    api_with_frequent_checks: ApiClient,
) -> None:
    api = api_with_frequent_checks
    with api.socket(api.token(Role.AUDITOR)) as socket:
        socket.acknowledged().subscribe(APPENDED, after=0)
        socket.next()
        api.members.add("auditor@example.com", Role.OPERATOR, by="test")
        assert socket.closing_code() == 4205
        api.members.add("auditor@example.com", Role.AUDITOR, by="test")
