"""Deliveries to real receivers: signed, in order, repeated, and independent."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from threading import Event
from typing import Any

from prometheus_client import generate_latest

from projections.deliveries.queue import Attempt, Outgoing
from scheduler.deliveries.sending import Sender
from scheduler.deliveries.worker import RETRY_GAPS, Deliveries
from scheduler.metrics import SchedulerMetrics
from storage.database import Pool
from tests.application.contacts.erasing import erase
from tests.scheduler.deliveries.delivering import (
    LATER,
    all_delivered,
    delivering,
    endpoint_at,
)
from tests.scheduler.deliveries.receiver import Received, receiving
from tests.support import eventually
from tests.webhooks import (
    OWN_URL,
    end_call,
    finish_call,
    place_call,
    queued,
    rows,
)
from tests.wiring import BY, Services, phones, real_time


def of_contacts(bodies: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the types about each contact, in order."""
    found: dict[str, list[str]] = {}
    for body in bodies:
        if "contact" in body["data"]:
            found.setdefault(body["data"]["contact"]["id"], []).append(body["type"])
    return found


# --- Signed, once and in order ------------------------------------------------------


def test_each_message_is_delivered_once_in_order_and_verifies(
    services: Services, pool: Pool
) -> None:
    with receiving() as received, delivering(services, pool) as worker:
        endpoint_at(services, received)
        campaign = services.campaign(3)
        for _ in range(3):
            finish_call(services, campaign)
        version = services.load_campaign(campaign).version
        services.campaigns.complete(campaign, version=version)
        all_delivered(services, worker)
    assert received.faults == []
    assert received.types[0] == "campaign.started"
    assert received.types[-1] == "campaign.completed"
    each = [["call.finished", "contact.finished"]] * 3
    assert list(of_contacts(received.bodies).values()) == each
    assert len(set(received.ids)) == len(received.ids) == 8


def test_a_refused_order_is_kept_when_everything_is_repeated(
    services: Services, pool: Pool
) -> None:
    answers = iter([503, 500, 200, 503, 429, 200, 500])
    metrics = SchedulerMetrics()
    counted = delivering(services, pool, count=metrics.delivered)
    with receiving() as received, counted as worker:
        received.answer = lambda _body: next(answers, 200)
        endpoint = endpoint_at(services, received)
        campaign = services.campaign(2)
        for _ in range(2):
            finish_call(services, campaign)
        services.campaigns.cancel(campaign, hang_up=False, by=BY)
        all_delivered(services, worker)
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
    services: Services, pool: Pool
) -> None:
    with receiving() as received, delivering(services, pool) as worker:
        endpoint = endpoint_at(
            services, received, "campaign.paused", "campaign.canceled"
        )
        assert services.now().year == 2026
        _, new, _ = services.webhook_endpoints.rotate_secret(endpoint, by=BY)
        services.settle()
        with services.writing.connection() as conn:
            conn.execute(
                "update read.webhook_endpoint set old_valid_until"
                " = clock_timestamp() + interval '1 hour'"
            )
        campaign = services.campaign(1)
        services.campaigns.pause(campaign, by=BY)
        all_delivered(services, worker)
        assert (received.faults, received.signatures) == ([], [2])
        received.secrets[:] = [new]
        with services.writing.connection() as conn:
            conn.execute(
                "update read.webhook_endpoint set old_valid_until"
                " = clock_timestamp() - interval '1 second'"
            )
        services.campaigns.cancel(campaign, hang_up=False, by=BY)
        all_delivered(services, worker)
    assert (received.faults, received.signatures) == ([], [2, 1])


# --- Endpoints that fail ------------------------------------------------------------


def test_a_receiver_that_was_away_gets_everything_in_order(
    services: Services, pool: Pool
) -> None:
    with receiving() as received:
        endpoint_at(services, received)
        port = int(received.url.rpartition(":")[2].partition("/")[0])
    with delivering(services, pool, gaps=(0.2,)) as worker:
        campaign = services.campaign(2)
        for _ in range(2):
            finish_call(services, campaign)
        eventually(
            lambda: rows(services, "select from webhook_delivery where attempts > 1"),
            within=30,
            what="a repetition",
        )
        with receiving(port=port, into=received):
            all_delivered(services, worker)
    assert received.faults == []
    assert received.types[0] == "campaign.started"
    each = [["call.finished", "contact.finished"]] * 2
    assert list(of_contacts(received.bodies).values()) == each


def test_the_first_success_makes_earlier_failures_due_again(
    services: Services, pool: Pool
) -> None:
    answers = iter([503, 503])
    with receiving() as received, delivering(services, pool, gaps=LATER) as worker:
        received.answer = lambda _body: next(answers, 200)
        endpoint_at(services, received, "call.finished")
        campaign = services.campaign(3)
        finish_call(services, campaign)
        finish_call(services, campaign)
        eventually(lambda: len(received.statuses) == 2)
        finish_call(services, campaign)
        all_delivered(services, worker)
    assert received.statuses == [503, 503, 200, 200, 200]


def each_has(receivers: Sequence[Received], number: int) -> bool:
    """Return whether each receiver got this number of deliveries."""
    return all(len(received.ids) == number for received in receivers)


def test_a_hanging_endpoint_delays_no_other_of_fifty(
    services: Services, pool: Pool
) -> None:
    released = Event()
    with ExitStack() as opened:
        all_received = [opened.enter_context(receiving()) for _ in range(50)]
        all_received[0].hanging = released
        for received in all_received:
            endpoint_at(services, received, "call.finished")
        worker = opened.enter_context(delivering(services, pool, gaps=LATER))
        campaign = services.campaign(3)
        for number in range(1, 4):
            finish_call(services, campaign)
            eventually(
                partial(each_has, all_received[1:], number),
                within=30,
                what="the deliveries to all others",
            )
        assert all_received[0].ids == []
        released.set()
        worker.wake()


def test_a_refused_message_delays_only_its_own_contact(
    services: Services, pool: Pool
) -> None:
    poison: list[str] = []

    def answer(body: dict[str, Any]) -> int:
        return 422 if body["data"].get("contact", {}).get("id") in poison else 200

    with receiving() as received, delivering(services, pool, gaps=LATER) as worker:
        received.answer = answer
        endpoint_at(services, received)
        campaign = services.campaign(2)
        call_id = place_call(services, campaign)
        poison.append(str(services.load_call(call_id).contact_id))
        end_call(services, call_id)
        finish_call(services, campaign)
        services.campaigns.cancel(campaign, hang_up=False, by=BY)
        services.settle()
        worker.wake()
        eventually(lambda: "campaign.canceled" in received.types)
    accepted = [body["type"] for body in received.accepted]
    assert sorted(accepted) == sorted(
        ["campaign.started", "call.finished", "contact.finished", "campaign.canceled"]
    )
    assert received.statuses.count(422) == 1


# --- Restarts, repetitions on request, erasure --------------------------------------


def test_a_worker_that_dies_before_it_records_a_result_repeats_the_message(
    services: Services, pool: Pool
) -> None:
    with receiving() as received:
        endpoint_at(services, received, "campaign.paused")
        services.campaigns.pause(services.campaign(1), by=BY)
        services.settle()
        deliveries = Deliveries(pool, services.webhook_endpoints.give_up, OWN_URL)
        [outgoing] = deliveries.step([], {}).outgoing
        asyncio.run(sent(outgoing))  # The process dies here.
        with delivering(services, pool) as worker:
            all_delivered(services, worker)
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
    services: Services, pool: Pool
) -> None:
    with receiving() as received, delivering(services, pool) as worker:
        endpoint = endpoint_at(services, received, "campaign.paused")
        services.campaigns.pause(services.campaign(1), by=BY)
        all_delivered(services, worker)
        [(delivery_id,)] = rows(services, "select id from webhook_delivery")
        services.webhook_endpoints.resend(delivery_id, by=BY)
        services.settle()
        worker.wake()
        eventually(lambda: len(received.ids) == 2)
        all_delivered(services, worker)
    assert received.ids == [str(delivery_id)] * 2
    assert received.bodies[0] == received.bodies[1]
    assert queued(services, endpoint) == ["campaign.paused"]


def test_an_erasure_removes_what_was_sent_and_what_is_still_to_be_sent(
    services: Services, pool: Pool
) -> None:
    numbers = phones(2)
    campaign = services.campaign(numbers)
    with receiving() as received:
        received.answer = lambda _body: 503
        endpoint_at(services, received, "call.finished")
        with delivering(services, pool, gaps=LATER) as worker:
            finish_call(services, campaign)
            finish_call(services, campaign)
            worker.wake()
            eventually(lambda: len(received.ids) == 2)
        erase(services, numbers[0])
        stored = rows(services, "select coalesce(body, '') from webhook_message")
        assert sum(numbers[0] in body for (body,) in stored) == 0
        assert sum(numbers[1] in body for (body,) in stored) == 1
        received.answer = lambda _body: 200
        with services.writing.connection() as conn:
            conn.execute("update webhook_delivery set next_attempt_at = now()")
        with delivering(services, pool) as worker:
            all_delivered(services, worker)
    shown = {body["data"]["contact"]["phone"] for body in received.accepted}
    assert shown == {None, numbers[1]}


def test_the_gaps_are_those_of_the_contract() -> None:
    minutes = [gap / 60 for gap in RETRY_GAPS]
    assert minutes[:7] == [5 / 60, 5, 30, 120, 300, 600, 840]
    three_days = 3 * 86_400
    assert sum(RETRY_GAPS) < three_days <= sum(RETRY_GAPS) + RETRY_GAPS[-1]
