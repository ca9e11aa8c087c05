"""Endpoints and messages that fail for three days: disabled, or given up."""

from projections.registers import webhook_endpoints
from storage.database import Pool
from tests.scheduler.deliveries.delivering import (
    LATER,
    all_delivered,
    delivering,
    endpoint_at,
)
from tests.scheduler.deliveries.receiver import receiving
from tests.support import eventually
from tests.webhooks import (
    finish_call,
    rows,
)
from tests.wiring import BY, Services


def test_an_endpoint_that_fails_for_three_days_is_disabled_and_loses_nothing(
    services: Services, pool: Pool
) -> None:
    with receiving() as received:
        received.answer = lambda _body: 500
        endpoint = endpoint_at(
            services, received, "campaign.paused", "campaign.canceled"
        )
        campaign = services.campaign(1)
        with delivering(services, pool, give_up_seconds=0.3) as worker:
            services.campaigns.pause(campaign, by=BY)
            services.settle()
            worker.wake()

            def disabled() -> bool:
                services.settle()
                with services.reading.connection() as conn:
                    row = webhook_endpoints.get(conn, endpoint)
                return row is not None and not row.enabled and row.trouble is not None

            eventually(disabled, what="the endpoint to be disabled")
        received.answer = lambda _body: 200
        services.webhook_endpoints.update(endpoint, enabled=True, by=BY)
        services.settle()
        services.campaigns.cancel(campaign, hang_up=False, by=BY)
        with delivering(services, pool) as worker:
            all_delivered(services, worker)
    accepted = [body["type"] for body in received.accepted]
    assert accepted == ["campaign.paused", "campaign.canceled"]


def test_a_message_that_is_refused_for_three_days_is_given_up(
    services: Services, pool: Pool
) -> None:
    with receiving() as received:
        received.answer = lambda body: 422 if body["type"] == "call.finished" else 200
        endpoint_at(services, received)
        campaign = services.campaign(1)
        with delivering(services, pool, gaps=LATER) as worker:
            finish_call(services, campaign)
            eventually(lambda: 422 in received.statuses)
            services.campaigns.cancel(campaign, hang_up=False, by=BY)
            services.settle()
            worker.wake()
            eventually(lambda: "campaign.canceled" in received.types)
        with services.writing.connection() as conn:
            conn.execute(
                "update webhook_delivery set next_attempt_at = clock_timestamp(),"
                " first_attempt_at = clock_timestamp() - interval '73 hours'"
                " where state = 'waiting' and refused"
            )
        with delivering(services, pool, gaps=LATER) as worker:
            all_delivered(services, worker)
    assert received.types[-1] == "contact.finished"
    states = rows(services, "select type from webhook_delivery where state = 'failed'")
    assert states == [("call.finished",)]
