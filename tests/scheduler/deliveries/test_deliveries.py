"""Deliveries to real receivers: signed, in order, repeated, and independent."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import generate_latest

from projections.deliveries.queue import Attempt, Outgoing, open_queue_pool
from projections.registers import webhook_endpoints
from scheduler.deliveries.sending import Sender
from scheduler.deliveries.worker import RETRY_GAPS, Deliveries, DeliveryWorker, Send
from scheduler.metrics import SchedulerMetrics
from storage.database import Pool
from tests.application.contacts.erasing import erase
from tests.scheduler.deliveries.receiver import Received, receiving
from tests.support import eventually
from tests.webhooks import (
    OWN_URL,
    add_endpoint,
    end_call,
    finish_call,
    place_call,
    queued,
    rows,
)
from tests.wiring import BY, House, phones, real_time

NOW = (0.0,)
"""Repetitions without a pause."""

LATER = (3_600.0,)


@pytest.fixture
def pool(house: House) -> Iterator[Pool]:
    with open_queue_pool(house.url, name="test") as pool:
        yield pool


@contextmanager
def delivering(
    house: House, pool: Pool, gaps: tuple[float, ...] = NOW, **fields: Any
) -> Iterator[DeliveryWorker]:
    """Run a worker; `fields` replace those of Deliveries."""
    give_up = house.webhook_endpoints.give_up
    deliveries = Deliveries(pool, give_up, OWN_URL, gaps, **fields)

    def sender() -> tuple[Send, Callable[[], Awaitable[None]]]:
        made = Sender(now=real_time, timeout=2.0)
        return made.send, made.close

    worker = DeliveryWorker(deliveries, sender)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def waiting(house: House) -> int:
    query = "select count(*) from webhook_delivery where state = 'waiting'"
    return int(rows(house, query)[0][0])


def all_delivered(house: House, worker: DeliveryWorker) -> None:
    """Wait until nothing waits any more."""
    house.settle()

    def nothing_waits() -> bool:
        worker.wake()
        return waiting(house) == 0

    eventually(nothing_waits, within=30, said="the end of all deliveries")


def endpoint_at(house: House, received: Received, *types: str) -> UUID:
    endpoint_id, secret = add_endpoint(house, *types, url=received.url)
    received.secrets.append(secret)
    return endpoint_id


def of_contacts(bodies: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the types about each contact, in order."""
    found: dict[str, list[str]] = {}
    for body in bodies:
        if "contact" in body["data"]:
            found.setdefault(body["data"]["contact"]["id"], []).append(body["type"])
    return found


# --- Signed, once and in order ------------------------------------------------------


def test_each_message_is_delivered_once_in_order_and_verifies(
    house: House, pool: Pool
) -> None:
    with receiving() as received, delivering(house, pool) as worker:
        endpoint_at(house, received)
        campaign = house.campaign(3)
        for _ in range(3):
            finish_call(house, campaign)
        version = house.load_campaign(campaign).version
        house.campaigns.complete(campaign, version=version)
        all_delivered(house, worker)
    assert received.faults == []
    assert received.types[0] == "campaign.started"
    assert received.types[-1] == "campaign.completed"
    each = [["call.finished", "contact.finished"]] * 3
    assert list(of_contacts(received.bodies).values()) == each
    assert len(set(received.ids)) == len(received.ids) == 8


def test_a_refused_order_is_kept_when_everything_is_repeated(
    house: House, pool: Pool
) -> None:
    answers = iter([503, 500, 200, 503, 429, 200, 500])
    metrics = SchedulerMetrics()
    counted = delivering(house, pool, count=metrics.delivered)
    with receiving() as received, counted as worker:
        received.answer = lambda _body: next(answers, 200)
        endpoint = endpoint_at(house, received)
        campaign = house.campaign(2)
        for _ in range(2):
            finish_call(house, campaign)
        house.campaigns.cancel(campaign, hang_up=False, by=BY)
        all_delivered(house, worker)
    assert received.statuses.count(200) == 6
    text = generate_latest(metrics.registry).decode()
    attempts = f'autolynx_delivery_attempts_total{{endpoint="{endpoint}",result='
    assert f'{attempts}"delivered"}} 6.0' in text
    assert f'{attempts}"failed"}} 5.0' in text
    accepted = [body["type"] for body in received.accepted]
    assert (accepted[0], accepted[-1]) == ("campaign.started", "campaign.canceled")
    each = [["call.finished", "contact.finished"]] * 2
    assert list(of_contacts(received.accepted).values()) == each


def test_during_a_rotation_both_secrets_verify_and_later_only_the_new_one(
    house: House, pool: Pool
) -> None:
    with receiving() as received, delivering(house, pool) as worker:
        endpoint = endpoint_at(house, received, "campaign.paused", "campaign.canceled")
        assert house.now().year == 2026
        _, new, _ = house.webhook_endpoints.rotate_secret(endpoint, by=BY)
        house.settle()
        with house.writing.connection() as conn:
            conn.execute(
                "update read.webhook_endpoint set old_valid_until"
                " = clock_timestamp() + interval '1 hour'"
            )
        campaign = house.campaign(1)
        house.campaigns.pause(campaign, by=BY)
        all_delivered(house, worker)
        assert (received.faults, received.signatures) == ([], [2])
        received.secrets[:] = [new]
        with house.writing.connection() as conn:
            conn.execute(
                "update read.webhook_endpoint set old_valid_until"
                " = clock_timestamp() - interval '1 second'"
            )
        house.campaigns.cancel(campaign, hang_up=False, by=BY)
        all_delivered(house, worker)
    assert (received.faults, received.signatures) == ([], [2, 1])


# --- Endpoints that fail ------------------------------------------------------------


def test_a_receiver_that_was_away_gets_everything_in_order(
    house: House, pool: Pool
) -> None:
    with receiving() as received:
        endpoint_at(house, received)
        port = int(received.url.rpartition(":")[2].partition("/")[0])
    with delivering(house, pool, gaps=(0.2,)) as worker:
        campaign = house.campaign(2)
        for _ in range(2):
            finish_call(house, campaign)
        eventually(
            lambda: rows(house, "select from webhook_delivery where attempts > 1"),
            within=30,
            said="a repetition",
        )
        with receiving(port=port, into=received):
            all_delivered(house, worker)
    assert received.faults == []
    assert received.types[0] == "campaign.started"
    each = [["call.finished", "contact.finished"]] * 2
    assert list(of_contacts(received.bodies).values()) == each


def test_the_first_success_makes_earlier_failures_due_again(
    house: House, pool: Pool
) -> None:
    answers = iter([503, 503])
    with receiving() as received, delivering(house, pool, gaps=LATER) as worker:
        received.answer = lambda _body: next(answers, 200)
        endpoint_at(house, received, "call.finished")
        campaign = house.campaign(3)
        finish_call(house, campaign)
        finish_call(house, campaign)
        eventually(lambda: len(received.statuses) == 2)
        finish_call(house, campaign)
        all_delivered(house, worker)
    assert received.statuses == [503, 503, 200, 200, 200]


def each_has(receivers: Sequence[Received], number: int) -> bool:
    """Return whether each receiver got this number of deliveries."""
    return all(len(received.ids) == number for received in receivers)


def test_a_hanging_endpoint_delays_no_other_of_fifty(house: House, pool: Pool) -> None:
    released = Event()
    with ExitStack() as opened:
        all_received = [opened.enter_context(receiving()) for _ in range(50)]
        all_received[0].hanging = released
        for received in all_received:
            endpoint_at(house, received, "call.finished")
        worker = opened.enter_context(delivering(house, pool, gaps=LATER))
        campaign = house.campaign(3)
        for number in range(1, 4):
            finish_call(house, campaign)
            eventually(
                partial(each_has, all_received[1:], number),
                within=30,
                said="the deliveries to all others",
            )
        assert all_received[0].ids == []
        released.set()
        worker.wake()


def test_a_refused_message_delays_only_its_own_contact(
    house: House, pool: Pool
) -> None:
    poison: list[str] = []

    def answer(body: dict[str, Any]) -> int:
        return 422 if body["data"].get("contact", {}).get("id") in poison else 200

    with receiving() as received, delivering(house, pool, gaps=LATER) as worker:
        received.answer = answer
        endpoint_at(house, received)
        campaign = house.campaign(2)
        call_id = place_call(house, campaign)
        poison.append(str(house.load_call(call_id).contact_id))
        end_call(house, call_id)
        finish_call(house, campaign)
        house.campaigns.cancel(campaign, hang_up=False, by=BY)
        house.settle()
        worker.wake()
        eventually(lambda: "campaign.canceled" in received.types)
    accepted = [body["type"] for body in received.accepted]
    assert sorted(accepted) == sorted(
        ["campaign.started", "call.finished", "contact.finished", "campaign.canceled"]
    )
    assert received.statuses.count(422) == 1


def test_an_endpoint_that_fails_for_three_days_is_disabled_and_loses_nothing(
    house: House, pool: Pool
) -> None:
    with receiving() as received:
        received.answer = lambda _body: 500
        endpoint = endpoint_at(house, received, "campaign.paused", "campaign.canceled")
        campaign = house.campaign(1)
        with delivering(house, pool, give_up_seconds=0.3) as worker:
            house.campaigns.pause(campaign, by=BY)
            house.settle()
            worker.wake()

            def disabled() -> bool:
                house.settle()
                with house.reading.connection() as conn:
                    row = webhook_endpoints.get(conn, endpoint)
                return row is not None and not row.enabled and row.trouble is not None

            eventually(disabled, said="the endpoint to be disabled")
        received.answer = lambda _body: 200
        house.webhook_endpoints.update(endpoint, enabled=True, by=BY)
        house.settle()
        house.campaigns.cancel(campaign, hang_up=False, by=BY)
        with delivering(house, pool) as worker:
            all_delivered(house, worker)
    accepted = [body["type"] for body in received.accepted]
    assert accepted == ["campaign.paused", "campaign.canceled"]


def test_a_message_that_is_refused_for_three_days_is_given_up(
    house: House, pool: Pool
) -> None:
    with receiving() as received:
        received.answer = lambda body: 422 if body["type"] == "call.finished" else 200
        endpoint_at(house, received)
        campaign = house.campaign(1)
        with delivering(house, pool, gaps=LATER) as worker:
            finish_call(house, campaign)
            eventually(lambda: 422 in received.statuses)
            house.campaigns.cancel(campaign, hang_up=False, by=BY)
            house.settle()
            worker.wake()
            eventually(lambda: "campaign.canceled" in received.types)
        with house.writing.connection() as conn:
            conn.execute(
                "update webhook_delivery set next_attempt_at = clock_timestamp(),"
                " first_attempt_at = clock_timestamp() - interval '73 hours'"
                " where state = 'waiting' and refused"
            )
        with delivering(house, pool, gaps=LATER) as worker:
            all_delivered(house, worker)
    assert received.types[-1] == "contact.finished"
    states = rows(house, "select type from webhook_delivery where state = 'failed'")
    assert states == [("call.finished",)]


# --- Restarts, repetitions on request, erasure --------------------------------------


def test_a_worker_that_dies_before_it_records_a_result_repeats_the_message(
    house: House, pool: Pool
) -> None:
    with receiving() as received:
        endpoint_at(house, received, "campaign.paused")
        house.campaigns.pause(house.campaign(1), by=BY)
        house.settle()
        deliveries = Deliveries(pool, house.webhook_endpoints.give_up, OWN_URL)
        [outgoing] = deliveries.step([], {}).outgoing
        asyncio.run(sent(outgoing))  # The process dies here.
        with delivering(house, pool) as worker:
            all_delivered(house, worker)
    assert received.types == ["campaign.paused"] * 2
    assert len(set(received.ids)) == 1
    assert received.bodies[0] == received.bodies[1]


async def sent(outgoing: Outgoing) -> Attempt:
    sender = Sender(now=real_time)
    try:
        return await sender.send(outgoing)
    finally:
        await sender.close()


def test_a_delivery_is_sent_again_on_request_with_the_same_content(
    house: House, pool: Pool
) -> None:
    with receiving() as received, delivering(house, pool) as worker:
        endpoint = endpoint_at(house, received, "campaign.paused")
        house.campaigns.pause(house.campaign(1), by=BY)
        all_delivered(house, worker)
        [(delivery_id,)] = rows(house, "select id from webhook_delivery")
        house.webhook_endpoints.resend(delivery_id, by=BY)
        house.settle()
        worker.wake()
        eventually(lambda: len(received.ids) == 2)
        all_delivered(house, worker)
    assert received.ids == [str(delivery_id)] * 2
    assert received.bodies[0] == received.bodies[1]
    assert queued(house, endpoint) == ["campaign.paused"]


def test_an_erasure_removes_what_was_sent_and_what_is_still_to_be_sent(
    house: House, pool: Pool
) -> None:
    numbers = phones(2)
    campaign = house.campaign(numbers)
    with receiving() as received:
        received.answer = lambda _body: 503
        endpoint_at(house, received, "call.finished")
        with delivering(house, pool, gaps=LATER) as worker:
            finish_call(house, campaign)
            finish_call(house, campaign)
            worker.wake()
            eventually(lambda: len(received.ids) == 2)
        erase(house, numbers[0])
        stored = rows(house, "select coalesce(body, '') from webhook_message")
        assert sum(numbers[0] in body for (body,) in stored) == 0
        assert sum(numbers[1] in body for (body,) in stored) == 1
        received.answer = lambda _body: 200
        with house.writing.connection() as conn:
            conn.execute("update webhook_delivery set next_attempt_at = now()")
        with delivering(house, pool) as worker:
            all_delivered(house, worker)
    shown = {body["data"]["contact"]["phone"] for body in received.accepted}
    assert shown == {None, numbers[1]}


def test_the_gaps_are_those_of_the_contract() -> None:
    minutes = [gap / 60 for gap in RETRY_GAPS]
    assert minutes[:7] == [5 / 60, 5, 30, 120, 300, 600, 840]
    three_days = 3 * 86_400
    assert sum(RETRY_GAPS) < three_days <= sum(RETRY_GAPS) + RETRY_GAPS[-1]
