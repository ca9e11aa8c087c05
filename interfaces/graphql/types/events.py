"""The event log."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

import strawberry

from domain.values import Role, uuid_or_none
from interfaces.graphql.context import Info
from interfaces.graphql.permissions import AUDITORS, query
from interfaces.graphql.types.paging import PageInfo, page_size
from interfaces.graphql.types.scalars import JSON, BigInt
from projections import event_index
from projections.event_index import LoggedEvent, Wanted
from projections.tables.pages import Page

SETTINGS, SETTINGS_ADDRESS = "settings", "alert_webhook_url"
ENDPOINT = "webhook_endpoint"
FOR_ADMINS = "visible to admins only"

NOBODY = UUID(int=0)
"""Replaces an invalid id in a filter; no event has it."""


@strawberry.type
class Event:
    """One event of the log."""

    position: BigInt
    aggregate_type: str
    aggregate_id: strawberry.ID
    version: int
    type: str = strawberry.field(
        description="Its stable name, such as campaign.paused or call.ended."
    )
    occurred_at: datetime
    actor: str = strawberry.field(
        description="The member's e-mail, or the part of the system that acted."
    )
    payload: JSON

    @classmethod
    def of(cls, row: LoggedEvent, role: Role) -> Self:
        """Show an event to a member with that role."""
        payload = "This event was removed." if row.state is None else row.payload
        if row.aggregate_type == SETTINGS and role is not Role.ADMIN:
            payload = _without_alert_address(payload)
        if row.aggregate_type == ENDPOINT and role is not Role.ADMIN:
            payload = _without_url(payload)
        return cls(
            position=BigInt(row.position),
            aggregate_type=row.aggregate_type,
            aggregate_id=strawberry.ID(str(row.aggregate_id)),
            version=row.version,
            type=row.type,
            occurred_at=row.occurred_at,
            actor=row.actor,
            payload=JSON(payload),
        )


@strawberry.type
class EventEdge:
    """An event and the cursor of its place in the list."""

    node: Event
    cursor: str


@strawberry.type
class EventConnection:
    """One page of events."""

    edges: list[EventEdge]
    nodes: list[Event]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[LoggedEvent], role: Role) -> Self:
        """Build a page for a member with that role."""
        nodes = [Event.of(row, role) for row in page.nodes]
        return cls(
            edges=[
                EventEdge(node=node, cursor=cursor)
                for node, cursor in zip(nodes, page.cursors, strict=True)
            ],
            nodes=nodes,
            page_info=PageInfo(has_next_page=page.has_next, end_cursor=page.end_cursor),
        )


@strawberry.input(
    description="An event must match all given fields; times are inclusive."
)
class EventFilter:
    """Which events to return."""

    aggregate_id: strawberry.ID | None = None
    campaign_id: strawberry.ID | None = None
    types: list[str] | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def wanted(given: EventFilter | None) -> Wanted:
    """Translate a filter into the query of the read model; None selects all events."""
    if given is None:
        return event_index.ALL
    return Wanted(
        aggregate_id=_id(given.aggregate_id),
        campaign_id=_id(given.campaign_id),
        types=None if given.types is None else [_text(one) for one in given.types],
        actor=None if given.actor is None else _text(given.actor),
        since=given.since,
        until=given.until,
    )


def _without_alert_address(payload: Any) -> Any:
    """Replace the alert URL, which holds a secret, if one was set."""
    match payload:
        case {"values": {"alert_webhook_url": None}}:
            return payload
        case {"values": {"alert_webhook_url": _, **others}}:
            return {**payload, "values": {**others, "alert_webhook_url": FOR_ADMINS}}
        case {"values": dict()}:
            return payload
    return FOR_ADMINS if SETTINGS_ADDRESS in str(payload) else payload


def _without_url(payload: Any) -> Any:
    """Replace the URL of a webhook endpoint, which may contain a secret."""
    match payload:
        case {"url": _, **others}:
            return {**others, "url": FOR_ADMINS}
        case dict():
            return payload
    return FOR_ADMINS


def _text(given: str) -> str:
    """Replace NUL, which Postgres refuses in text and no event contains."""
    return given.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _id(text: str | None) -> UUID | None:
    return None if text is None else uuid_or_none(text) or NOBODY


@strawberry.type
class EventQueries:
    """Queries of the event log."""

    @query(AUDITORS, "The event log, oldest first unless newestFirst.")
    async def events(
        self,
        info: Info,
        first: int | None = 100,
        after: str | None = None,
        newest_first: bool | None = False,  # noqa: FBT001, FBT002 - the contract's argument
        filter: EventFilter | None = None,  # noqa: A002 - the contract's name
    ) -> EventConnection:
        """Return one page of events."""
        page = await info.context.backend.read(
            event_index.page,
            first=page_size(first, 100),
            after=after,
            newest_first=bool(newest_first),
            wanted=wanted(filter),
        )
        return EventConnection.of(page, info.context.viewer.role)
