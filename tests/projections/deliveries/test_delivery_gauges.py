"""The metrics show what waits for each endpoint, and which endpoints fail."""

from uuid import UUID

from projections.deliveries.delivery_gauges import EndpointGauges, endpoint_gauges
from tests.webhooks import add_endpoint, finish_call
from tests.wiring import BY, Services


def gauges_of(services: Services, endpoint_id: UUID) -> EndpointGauges:
    with services.reading.connection() as conn:
        found = {one.endpoint: one for one in endpoint_gauges(conn)}
    return found[str(endpoint_id)]


def execute(services: Services, query: str, endpoint_id: UUID) -> None:
    with services.writing.connection() as conn:
        conn.execute(query.encode(), (endpoint_id,))


def test_an_endpoint_without_deliveries_works_and_nothing_waits(
    services: Services,
) -> None:
    endpoint, _ = add_endpoint(services)
    found = gauges_of(services, endpoint)
    assert (found.state, found.waiting) == ("working", 0)
    assert (found.oldest, found.failing) == (None, None)


def test_waiting_deliveries_are_counted_with_the_age_of_the_oldest(
    services: Services,
) -> None:
    endpoint, _ = add_endpoint(services, "call.finished")
    other, _ = add_endpoint(services, "spend.alert", url="https://other.example.com/")
    campaign = services.campaign(2)
    finish_call(services, campaign)
    finish_call(services, campaign)
    age = "set created_at = clock_timestamp() - interval '1 hour'"
    execute(
        services,
        f"""update webhook_delivery {age} where id = (select id from webhook_delivery
            where endpoint_id = %s order by position limit 1)""",
        endpoint,
    )
    found = gauges_of(services, endpoint)
    assert found.waiting == 2
    assert found.oldest is not None
    assert found.oldest >= 3600
    assert gauges_of(services, other).waiting == 0


def test_a_delivery_that_is_sent_again_does_not_count_as_late(
    services: Services,
) -> None:
    endpoint, _ = add_endpoint(services, "campaign.paused")
    services.campaigns.pause(services.campaign(1), by=BY)
    services.settle()
    execute(
        services,
        "update webhook_delivery set resent = true where endpoint_id = %s",
        endpoint,
    )
    found = gauges_of(services, endpoint)
    assert (found.waiting, found.oldest) == (1, None)


def test_failing_and_disabled_endpoints_are_distinguished(services: Services) -> None:
    endpoint, _ = add_endpoint(services)
    execute(
        services,
        "insert into webhook_failing values (%s, clock_timestamp() - interval '1 day')",
        endpoint,
    )
    found = gauges_of(services, endpoint)
    assert found.state == "failing"
    assert found.failing is not None
    assert found.failing >= 86_400
    services.webhook_endpoints.update(endpoint, enabled=False, by=BY)
    services.settle()
    assert gauges_of(services, endpoint).state == "disabled"
    services.webhook_endpoints.update(endpoint, enabled=True, by=BY)
    services.webhook_endpoints.give_up(endpoint, failing_since=services.now())
    services.settle()
    assert gauges_of(services, endpoint).state == "given_up"
