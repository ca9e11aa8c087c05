"""The metrics show what waits for each endpoint, and which endpoints fail."""

from uuid import UUID

from projections.deliveries.delivery_gauges import EndpointGauges, endpoint_gauges
from tests.webhooks import add_endpoint, finish_call
from tests.wiring import BY, House


def gauges_of(house: House, endpoint_id: UUID) -> EndpointGauges:
    with house.reading.connection() as conn:
        found = {one.endpoint: one for one in endpoint_gauges(conn)}
    return found[str(endpoint_id)]


def execute(house: House, query: str, endpoint_id: UUID) -> None:
    with house.writing.connection() as conn:
        conn.execute(query.encode(), (endpoint_id,))


def test_an_endpoint_without_deliveries_works_and_nothing_waits(house: House) -> None:
    endpoint, _ = add_endpoint(house)
    found = gauges_of(house, endpoint)
    assert (found.state, found.waiting) == ("working", 0)
    assert (found.oldest, found.failing) == (None, None)


def test_waiting_deliveries_are_counted_with_the_age_of_the_oldest(
    house: House,
) -> None:
    endpoint, _ = add_endpoint(house, "call.finished")
    other, _ = add_endpoint(house, "spend.alert", url="https://other.example.com/")
    campaign = house.campaign(2)
    finish_call(house, campaign)
    finish_call(house, campaign)
    age = "set created_at = clock_timestamp() - interval '1 hour'"
    execute(
        house,
        f"""update webhook_delivery {age} where id = (select id from webhook_delivery
            where endpoint_id = %s order by position limit 1)""",
        endpoint,
    )
    found = gauges_of(house, endpoint)
    assert found.waiting == 2
    assert found.oldest is not None
    assert found.oldest >= 3600
    assert gauges_of(house, other).waiting == 0


def test_a_delivery_that_is_sent_again_does_not_count_as_late(house: House) -> None:
    endpoint, _ = add_endpoint(house, "campaign.paused")
    house.campaigns.pause(house.campaign(1), by=BY)
    house.settle()
    execute(
        house,
        "update webhook_delivery set resent = true where endpoint_id = %s",
        endpoint,
    )
    found = gauges_of(house, endpoint)
    assert (found.waiting, found.oldest) == (1, None)


def test_failing_and_disabled_endpoints_are_distinguished(house: House) -> None:
    endpoint, _ = add_endpoint(house)
    execute(
        house,
        "insert into webhook_failing values (%s, clock_timestamp() - interval '1 day')",
        endpoint,
    )
    found = gauges_of(house, endpoint)
    assert found.state == "failing"
    assert found.failing is not None
    assert found.failing >= 86_400
    house.webhook_endpoints.update(endpoint, enabled=False, by=BY)
    house.settle()
    assert gauges_of(house, endpoint).state == "disabled"
    house.webhook_endpoints.update(endpoint, enabled=True, by=BY)
    house.webhook_endpoints.give_up(endpoint, failing_since=house.now())
    house.settle()
    assert gauges_of(house, endpoint).state == "given_up"
