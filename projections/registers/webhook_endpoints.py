"""The endpoints of outgoing webhooks that were not removed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from domain.webhook_endpoint import WebhookEndpoint, WebhookEndpointEvent, trouble_of
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.queries import select, select_one
from projections.tables.row_operations import Columns, RowOperation, drop, patch, put
from storage.database import Conn

ENDPOINT = "webhook_endpoint"

TABLE = Table(
    ENDPOINT,
    ("id",),
    """
    create table if not exists webhook_endpoint (
        id uuid primary key,
        url text not null,
        types text not null,
        enabled boolean not null,
        failing_since timestamptz,
        created_at timestamptz not null,
        since_position bigint not null,
        secret_id uuid not null,
        old_secret_id uuid,
        old_valid_until timestamptz
    );
    """,
)
"""`types` are joined with commas, empty for all. Messages about events up to
`since_position` are not sent: the endpoint was added, or enabled, by that event."""


@handles(WebhookEndpointEvent)
def webhook_endpoints(event: object, position: int) -> Iterator[RowOperation]:
    if not isinstance(event, WebhookEndpointEvent):
        return
    match event:
        case WebhookEndpoint.Created():
            yield put(
                ENDPOINT,
                event.originator_id,
                url=event.url,
                types=",".join(event.types),
                enabled=True,
                created_at=event.timestamp,
                since_position=position,
                secret_id=event.secret_id,
            )
        case WebhookEndpoint.Removed():
            yield drop(ENDPOINT, event.originator_id)
        case _:
            columns = _changed(event, position)
            if columns:
                yield patch(ENDPOINT, event.originator_id, **columns)


def _changed(event: WebhookEndpointEvent, position: int) -> Columns:
    match event:
        case WebhookEndpoint.Changed():
            return {"url": event.url, "types": ",".join(event.types)}
        case WebhookEndpoint.Enabled():
            since = {"since_position": position}
            return {"enabled": True, "failing_since": None, **since}
        case WebhookEndpoint.Disabled():
            return {"enabled": False, "failing_since": None}
        case WebhookEndpoint.GivenUp():
            return {"enabled": False, "failing_since": event.failing_since}
        case WebhookEndpoint.SecretRotated():
            return {
                "secret_id": event.secret_id,
                "old_secret_id": event.old_secret_id,
                "old_valid_until": event.old_valid_until,
            }
        case _:
            return {}


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint; `failing_since` is set if it was disabled automatically."""

    id: UUID
    url: str
    types: str
    enabled: bool
    failing_since: datetime | None
    created_at: datetime

    @property
    def type_names(self) -> list[str]:
        """The types of the messages that it gets, empty for all."""
        return self.types.split(",") if self.types else []

    @property
    def trouble(self) -> str | None:
        """Why it was disabled automatically, if it was."""
        return trouble_of(self.failing_since)


_ENDPOINTS: LiteralString = """
    select id, url, types, enabled, failing_since, created_at from webhook_endpoint
"""


def all_endpoints(conn: Conn) -> list[EndpointRow]:
    """List the endpoints in the order in which they were added."""
    return select(conn, EndpointRow, _ENDPOINTS + "order by created_at, id")


def get(conn: Conn, endpoint_id: UUID) -> EndpointRow | None:
    """Return an endpoint; None if it does not exist or was removed."""
    return select_one(
        conn, EndpointRow, _ENDPOINTS + "where id = %(id)s", id=endpoint_id
    )
