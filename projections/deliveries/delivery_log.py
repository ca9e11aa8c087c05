"""The deliveries of each endpoint, newest first, as they are shown."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from projections.tables.queries import select, select_one
from storage.database import Conn


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A message on its way to an endpoint.

    `last_answer` is the status code of the last response, or the error.
    `next_attempt_at` is None unless another attempt is to come.
    """

    id: UUID
    endpoint_id: UUID
    type: str
    created_at: datetime
    attempts: int
    delivered_at: datetime | None
    next_attempt_at: datetime | None
    last_answer: str | None


_DELIVERY: LiteralString = """
    select id, endpoint_id, type, created_at, attempts, delivered_at,
        case when state = 'waiting' then next_attempt_at end as next_attempt_at,
        last_answer
    from webhook_delivery
"""

_FAILED: LiteralString = """
    (state = 'failed' or state = 'waiting' and attempts > 0)
"""


def of_endpoint(
    conn: Conn, endpoint_id: UUID, *, first: int, failed_only: bool = False
) -> list[DeliveryRow]:
    """List the newest deliveries of an endpoint, up to `first`.

    With `failed_only`, only those whose last attempt failed.
    """
    query = f"""
        {_DELIVERY} where endpoint_id = %(endpoint)s
            and (not %(failed)s or {_FAILED})
        order by created_at desc, position desc, id limit %(first)s
    """
    values = {"endpoint": endpoint_id, "first": first, "failed": failed_only}
    return select(conn, DeliveryRow, query, **values)


def get(conn: Conn, delivery_id: UUID) -> DeliveryRow | None:
    """Return a delivery; None if it is unknown or no longer kept."""
    return select_one(
        conn, DeliveryRow, _DELIVERY + "where id = %(id)s", id=delivery_id
    )
