"""What tests of outgoing webhooks share: endpoints, finished calls and the outbox."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from projections.deliveries.payloads import compose_bodies
from projections.deliveries.queue import open_queue_pool
from provider.vapi.messages.reading import read_message
from tests.application.calls.messages import report
from tests.wiring import BY, Services

OWN_URL = "https://calls.example.com"


def add_endpoint(
    services: Services, *types: str, url: str = "https://crm.example.com/hook"
) -> tuple[UUID, str]:
    """Add an endpoint; return its id and its secret."""
    endpoint, secret, _ = services.webhook_endpoints.add(url, types, by=BY)
    services.settle()
    return endpoint.id, secret


def finish_call(services: Services, campaign_id: UUID, **fields: Any) -> UUID:
    """Claim, place, end and report the next call of a campaign; return its id."""
    call_id = place_call(services, campaign_id)
    end_call(services, call_id, **fields)
    return call_id


def place_call(services: Services, campaign_id: UUID) -> UUID:
    [call_id] = services.claim(campaign_id)
    services.calls.request(call_id, dial_before=services.now() + timedelta(seconds=5))
    services.calls.place(
        call_id, provider_call_id=f"p-{call_id}", placed_at=services.now()
    )
    return call_id


def end_call(services: Services, call_id: UUID, **fields: Any) -> None:
    """Record the final report of a placed call, with these fields of the message."""
    body = report(call_id, provider_id=f"p-{call_id}", **fields)
    services.calls.record_message(read_message(body))
    services.settle()


def rows(services: Services, query: Any, *values: Any) -> list[Any]:
    with services.reading.connection() as conn:
        return conn.execute(query, values).fetchall()


def queued(services: Services, endpoint_id: UUID) -> list[str]:
    """Return the types of an endpoint's deliveries in the order of their events."""
    services.settle()
    query = """
        select type from webhook_delivery where endpoint_id = %s order by position, type
    """
    return [row[0] for row in rows(services, query, endpoint_id)]


def compose(services: Services) -> None:
    """Compose the bodies of all messages."""
    with open_queue_pool(services.url, name="test") as pool, pool.connection() as conn:
        while compose_bodies(conn, OWN_URL):
            pass


def bodies(services: Services) -> list[str]:
    """Compose the bodies that are missing; return all in the order of their events."""
    services.settle()
    compose(services)
    query = "select body from webhook_message order by position, type"
    return [row[0] for row in rows(services, query)]
