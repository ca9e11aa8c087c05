"""What tests of outgoing webhooks share: endpoints, finished calls and the outbox."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from projections.deliveries.payloads import compose_bodies
from projections.deliveries.queue import open_queue_pool
from provider.vapi.reading import read_message
from tests.application.calls.messages import report
from tests.wiring import BY, House

OWN_URL = "https://calls.example.com"


def add_endpoint(
    house: House, *types: str, url: str = "https://crm.example.com/hook"
) -> tuple[UUID, str]:
    """Add an endpoint; return its id and its secret."""
    endpoint, secret, _ = house.webhook_endpoints.add(url, types, by=BY)
    house.settle()
    return endpoint.id, secret


def finish_call(house: House, campaign_id: UUID, **fields: Any) -> UUID:
    """Claim, place, end and report the next call of a campaign; return its id."""
    call_id = place_call(house, campaign_id)
    end_call(house, call_id, **fields)
    return call_id


def place_call(house: House, campaign_id: UUID) -> UUID:
    [call_id] = house.claim(campaign_id)
    house.calls.request(call_id, dial_before=house.now() + timedelta(seconds=5))
    house.calls.place(call_id, provider_call_id=f"p-{call_id}", placed_at=house.now())
    return call_id


def end_call(house: House, call_id: UUID, **fields: Any) -> None:
    """Record the final report of a placed call, with these fields of the message."""
    body = report(call_id, provider_id=f"p-{call_id}", **fields)
    house.calls.record_message(read_message(body))
    house.settle()


def rows(house: House, query: Any, *values: Any) -> list[Any]:
    with house.reading.connection() as conn:
        return conn.execute(query, values).fetchall()


def queued(house: House, endpoint_id: UUID) -> list[str]:
    """Return the types of an endpoint's deliveries in the order of their events."""
    house.settle()
    query = """
        select type from webhook_delivery where endpoint_id = %s order by position, type
    """
    return [row[0] for row in rows(house, query, endpoint_id)]


def compose(house: House) -> None:
    """Compose the bodies of all messages."""
    with open_queue_pool(house.url, name="test") as pool, pool.connection() as conn:
        while compose_bodies(conn, OWN_URL):
            pass


def bodies(house: House) -> list[str]:
    """Compose the bodies that are missing; return all in the order of their events."""
    house.settle()
    compose(house)
    query = "select body from webhook_message order by position, type"
    return [row[0] for row in rows(house, query)]
