"""Webhooks while processes and their receiver are killed: none lost, order kept."""

from contextlib import ExitStack
from time import sleep
from typing import Any

import pytest

from tests.faults.cluster import Cluster, running_cluster
from tests.scheduler.deliveries.receiver import Received, receiving
from tests.support import eventually
from tests.wiring import BY

PEOPLE, CAP = 8, 3
WITHIN = 120.0


def test_killed_processes_and_receivers_lose_no_delivery_and_keep_the_order(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOLYNX_DELIVERY_RETRY_SECONDS", "[0.2]")
    with (
        running_cluster(database, webhooks=True, projector=False) as cluster,
        ExitStack() as receivers,
    ):
        received = receivers.enter_context(receiving())
        port = int(received.url.rpartition(":")[2].partition("/")[0])
        _, secret, _ = cluster.services.webhook_endpoints.add(received.url, [], by=BY)
        received.secrets.append(secret)
        projector, scheduler = cluster.start("projections"), cluster.start("scheduler")
        eventually(lambda: is_caught_up(cluster), WITHIN, what="the projector")
        campaign_id = cluster.services.campaign(PEOPLE, cap=CAP)
        arrive(received, 3)
        scheduler.kill()
        scheduler = cluster.start("scheduler")
        arrive(received, 6)
        projector.kill()
        cluster.start("projections")
        eventually(lambda: cluster.is_over(campaign_id), WITHIN, what="the campaign")
        receivers.close()
        second = cluster.services.campaign(PEOPLE, cap=CAP)
        eventually(lambda: failed(cluster), WITHIN, what="a failed delivery")
        scheduler.kill()
        received.answer = slowly
        receivers.enter_context(receiving(port=port, into=received))
        cluster.start("scheduler")
        eventually(lambda: cluster.is_over(second), WITHIN, what="the second campaign")
        eventually(lambda: is_complete(cluster), WITHIN, what="all deliveries")
        sent = {
            str(row[0]) for row in query(cluster, "select id from webhook_delivery")
        }
    assert received.faults == []
    assert set(received.ids) == sent
    assert_repeats_are_equal(received)
    for campaign in (campaign_id, second):
        assert_in_order(
            [
                body
                for body in received.accepted
                if body["data"]["campaign"]["id"] == str(campaign)
            ]
        )


def arrive(received: Received, count: int) -> None:
    eventually(lambda: len(received.ids) >= count, WITHIN, what=f"{count} deliveries")


def slowly(_body: dict[str, Any]) -> int:
    sleep(0.1)
    return 200


def query(cluster: Cluster, text: str) -> list[Any]:
    with cluster.services.reading.connection() as conn:
        return conn.execute(text).fetchall()


def is_caught_up(cluster: Cluster) -> bool:
    position = cluster.services.app.recorder.max_notification_id() or 0
    return bool(cluster.services.read_model.wait_for(position, 1.0))


def failed(cluster: Cluster) -> bool:
    return bool(query(cluster, "select from webhook_failing"))


def is_complete(cluster: Cluster) -> bool:
    cluster.services.settle()
    waiting = "select from webhook_delivery where state <> 'delivered'"
    completed = "select from webhook_delivery where type = 'campaign.completed'"
    return not query(cluster, waiting) and len(query(cluster, completed)) == 2


def assert_repeats_are_equal(received: Received) -> None:
    known: dict[str, dict[str, Any]] = {}
    for id_, body in zip(received.ids, received.bodies, strict=True):
        assert known.setdefault(id_, body) == body


def assert_in_order(accepted: list[dict[str, Any]]) -> None:
    """Check the messages of one campaign, in the order of their acceptance.

    A campaign may complete before the last reports arrive: contacts then finish later.
    """
    types = [body["type"] for body in accepted]
    assert (types[0], types.count("campaign.completed")) == ("campaign.started", 1)
    by_contact: dict[str, list[str]] = {}
    for body in accepted:
        if "contact" not in body["data"]:
            continue
        by_contact.setdefault(body["data"]["contact"]["id"], []).append(body["type"])
    assert list(by_contact.values()) == [["call.finished", "contact.finished"]] * PEOPLE
