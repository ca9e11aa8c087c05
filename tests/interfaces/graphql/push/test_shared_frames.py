"""Subscribers to the same change share resolved and encoded frames."""

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from domain.values import CampaignState, Role
from interfaces.graphql.push import shared_frames as sharing
from interfaces.graphql.push.shared_frames import Shared, encoded
from interfaces.graphql.types.subscriptions import _shown
from projections.campaigns.campaign_row import CampaignProgress
from tests.interfaces.serving import ApiClient

WATCH = """subscription($id: ID!, $brief: Boolean!) {
  campaignProgress(campaignId: $id) { state contacts @skip(if: $brief) } }"""
OTHER = "subscription($id: ID!) { campaignProgress(campaignId: $id) { mine: pending } }"
PAUSE = "mutation($id: ID!) { %sCampaign(id: $id) { __typename } }"


def test_each_subscriber_gets_the_fields_that_it_selected(
    shared_api: ApiClient,
) -> None:
    id_ = shared_api.campaign()
    token = shared_api.token(Role.AUDITOR)
    with shared_api.socket(token) as one, shared_api.socket(token) as other:
        one.acknowledged().subscribe(WATCH, "a", id=id_, brief=True)
        assert one.next()["campaignProgress"] == {"state": "CREATED"}
        other.acknowledged().subscribe(WATCH, "b", id=id_, brief=False)
        other_seen = [other.next()]
        one.subscribe(OTHER, "c", id=id_)
        assert one.next()["campaignProgress"] == {"mine": 2}
        shared_api.execute(PAUSE % "start", id=id_)
        other_seen.append(other.next())
        both = [one.next()["campaignProgress"], one.next()["campaignProgress"]]
    assert {"state": "QUEUED"} in both
    assert {"mine": 2} in both
    shown = [frame["campaignProgress"] for frame in other_seen]
    assert [row["contacts"] for row in shown] == [2, 2]


def test_the_same_frame_is_resolved_once_for_all(
    shared_api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    keep = sharing.Frames.keep

    def counted(self: sharing.Frames, *given: Any) -> None:
        kept.append(given)
        keep(self, *given)

    monkeypatch.setattr(sharing.Frames, "keep", counted)
    id_ = shared_api.campaign()
    token = shared_api.token(Role.AUDITOR)
    with shared_api.socket(token) as one, shared_api.socket(token) as other:
        for socket in (one, other):
            socket.acknowledged().subscribe(WATCH, "a", id=id_, brief=False)
        frames = [one.next(), other.next()]
        for command in ("start", "pause", "resume"):
            shared_api.execute(PAUSE % command, id=id_)
            frames += [one.next(), other.next()]
    assert len(kept) == 4
    assert frames[0::2] == frames[1::2]


def test_progress_rows_with_equal_counters_share_one_object() -> None:
    counters = dict.fromkeys(
        ("contacts", "pending", "queued", "ringing", "in_progress", "ended"), 0
    )
    more = dict.fromkeys(("failed", "canceled", "timed_out", "awaiting_reports"), 0)
    same = [
        CampaignProgress(
            campaign_id=id_,
            state=CampaignState.QUEUED,
            spend=Decimal(0),
            position=1,
            **counters,
            **more,
        )
        for id_ in [uuid4()] * 2
    ]
    assert _shown(same[0]) is _shown(same[1])


def test_a_shared_frame_is_encoded_once_and_sent_with_each_subscription_s_id() -> None:
    asked: list[object] = []

    def encode(data: object) -> str:
        asked.append(data)
        return json.dumps(data)

    data = Shared({"campaignProgress": {"state": "QUEUED"}})
    ids = ["1", 'odd "id" \n']
    for id_ in ids:
        message = {"id": id_, "type": "next", "payload": {"data": data}}
        assert json.loads(encoded(message, encode)) == message
    assert asked.count(data) == 1


@pytest.mark.parametrize(
    "message",
    [
        {"id": "1", "type": "next", "payload": {"data": {"a": 1}}},
        {"id": "1", "type": "next", "payload": {"data": Shared(a=1), "errors": [{}]}},
        {"id": "1", "type": "complete"},
        [],
    ],
)
def test_all_other_messages_are_encoded_by_the_library(message: Any) -> None:
    assert json.loads(encoded(message, json.dumps)) == message
