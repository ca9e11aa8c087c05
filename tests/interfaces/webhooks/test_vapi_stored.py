"""The whole way of a message, from the request to the event store."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from application.app import AutoLynx
from application.calls.call_service import CallService
from application.event_context import EventContext
from application.vault import ContactRow
from domain.call import Call
from domain.campaign import Campaign
from domain.unmatched_message import UnmatchedMessage, unmatched_id_of
from domain.values import CallStatus, DialMode
from provider.vapi import ACTOR
from provider.vapi.reading import read_message
from storage.database import RetryPolicy, open_pool
from storage.log.recorder import EventStoreFactory
from storage.vault.tables import Vault
from tests.interfaces.webhooks.posting import PATH, SECRET, webhooks

PROVIDER_CALL = "0199f2c4-8d5e-7a31-9b42-6c7d8e9f0a1b"
NOW = datetime(2026, 9, 14, 15, 2, 11, tzinfo=UTC)


class Nobody:
    """A read model that has not seen anything yet."""

    def by_provider_call_id(self, provider_call_id: str) -> UUID | None:
        return None

    def live_calls(self, campaign_id: UUID) -> list[UUID]:
        return []

    def erased(self, campaign_id: UUID, contact_ids: Any) -> set[UUID]:
        return set()

    def known(self, campaign_id: UUID, contact_ids: Any) -> set[UUID]:
        return set()

    def contact(self, contact_id: UUID) -> ContactRow | None:
        return None


@dataclass
class Store:
    app: AutoLynx
    vault: Vault
    calls: CallService
    client: TestClient

    def post(self, body: dict[str, Any]) -> int:
        return self.client.post(PATH, json=body, headers=SECRET).status_code

    def events(self, stream: UUID) -> int:
        return self.app.highest_version(stream)


def wired(url: str, seconds: float) -> Iterator[Store]:
    policy = RetryPolicy(seconds)
    with open_pool(url, name="test") as pool:
        app = AutoLynx(EventStoreFactory(pool, policy))
        vault = Vault(pool, policy)
        calls = CallService(
            app=app,
            context=EventContext(
                now=lambda: NOW,
                new_id=uuid4,
                random_bytes=os.urandom,
                provider_actor=ACTOR,
            ),
            vault=vault,
            contact_lookup=Nobody(),
            call_lookup=Nobody(),
            read_message=read_message,
        )
        with TestClient(
            webhooks(calls.record_message, calls.record_messages)
        ) as client:
            yield Store(app, vault, calls, client)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    yield from wired(database, seconds=5)


@pytest.fixture
def unreachable_store() -> Iterator[Store]:
    yield from wired("postgresql://nobody@127.0.0.1:1/none", seconds=0.2)


@pytest.fixture
def call_id(store: Store) -> UUID:
    """A call that was requested; what came of it is not known yet."""
    campaign = Campaign.create(
        campaign_id=uuid4(),
        name="Reminders",
        assistant_id=uuid4(),
        provider_assistant_id="a",
        phone_number_id="p",
        cap=5,
        mode=DialMode.CONTINUOUS,
        line_quiet_gating=False,
        budget=None,
        longest_call_seconds=600,
        at=NOW,
        by="test",
    )
    call = Call.create(
        campaign_id=campaign.id,
        contact_id=uuid4(),
        attempt=1,
        claim_id=uuid4(),
        batch=None,
        at=NOW,
        by="test",
    )
    call.request(dial_before=NOW, at=NOW, by="test")
    store.app.append(campaign, call)
    return call.id


def said(call_id: UUID | None, kind: str, **own: Any) -> dict[str, Any]:
    call: dict[str, Any] = {
        "id": PROVIDER_CALL,
        "status": "queued",
        "createdAt": "2026-09-14T15:02:11.230Z",
        "name": str(call_id) if call_id else "somebody else's",
    }
    stamp = {"timestamp": 1789398140350}
    return {"message": {"type": kind, "call": call, **stamp, **own}}


def report(call_id: UUID | None) -> dict[str, Any]:
    return said(
        call_id,
        "end-of-call-report",
        endedReason="customer-ended-call",
        startedAt="2026-09-14T15:02:20.350Z",
        endedAt="2026-09-14T15:03:04.905Z",
        durationSeconds=44.555,
        cost=0.0616,
        artifact={"messages": [{"role": "bot", "message": "Hi \0 there"}]},
    )


def test_messages_make_the_call_and_its_campaign(store: Store, call_id: UUID) -> None:
    assert store.post(said(call_id, "status-update", status="ringing")) == 200
    call = store.app.load(Call, call_id)
    campaign = store.app.load(Campaign, call.campaign_id)
    assert call.provider_call_id == PROVIDER_CALL
    assert call.status is CallStatus.RINGING
    assert campaign.started_at is not None
    assert store.post(report(call_id)) == 200
    call = store.app.load(Call, call_id)
    assert call.status is CallStatus.ENDED
    assert len(store.vault.messages_of(call_id)) == 2


def test_a_repeat_adds_nothing(store: Store, call_id: UUID) -> None:
    for body in (said(call_id, "status-update", status="ringing"), report(call_id)):
        assert store.post(body) == 200
    known = store.events(call_id)
    for body in (report(call_id), said(call_id, "status-update", status="ringing")):
        assert store.post(body) == 200
    assert store.events(call_id) == known
    assert len(store.vault.messages_of(call_id)) == 2


def test_one_message_delivered_many_times_at_once_is_one(
    store: Store, call_id: UUID
) -> None:
    body = said(call_id, "status-update", status="ringing")
    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(store.post, [body] * 6)) == {200}
    assert len(store.vault.messages_of(call_id)) == 1


def test_a_message_of_no_meaning_is_kept_with_its_call(
    store: Store, call_id: UUID
) -> None:
    body = said(call_id, "speech-update", status="started", role="user")
    assert store.post(body) == 200
    kept = [row.document["message"]["role"] for row in store.vault.messages_of(call_id)]
    assert kept == ["user"]


def test_what_belongs_to_no_call_is_kept_until_it_does(
    store: Store, call_id: UUID
) -> None:
    for body in (said(None, "status-update", status="ringing"), report(None)):
        assert store.post(body) == 200
    stream = unmatched_id_of(PROVIDER_CALL)
    assert len(store.vault.messages_of(stream)) == 2
    store.calls.place(call_id, provider_call_id=PROVIDER_CALL, placed_at=NOW)
    assert store.app.load(UnmatchedMessage, stream).call_id == call_id
    assert store.app.load(Call, call_id).status is CallStatus.ENDED


def test_a_message_without_any_call_is_kept(store: Store) -> None:
    assert store.post({"message": {"type": "something-new"}}) == 200
    assert len(store.vault.messages_of(unmatched_id_of("none"))) == 1


def test_a_second_call_under_our_id_is_noticed_though_it_says_the_same(
    store: Store, call_id: UUID
) -> None:
    body = said(call_id, "status-update", status="ringing")
    assert store.post(body) == 200
    body["message"]["call"]["id"] = "another"
    assert store.post(body) == 200
    call = store.app.load(Call, call_id)
    assert call.provider_call_id == PROVIDER_CALL
    assert call.suspected_provider_call_ids == {"another"}


def test_a_store_that_is_down_asks_to_send_again(unreachable_store: Store) -> None:
    body = said(uuid4(), "status-update", status="ringing")
    answer = unreachable_store.client.post(PATH, json=body, headers=SECRET)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
