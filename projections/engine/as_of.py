"""A campaign or a call as it was at an earlier time.

The aggregate's own events are applied by the handler of its read table. A campaign's
counters also depend on the events of its calls; `event_index` stores for each event by
how much it changed them, and the changes are summed.
"""

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import orjson
from eventsourcing.persistence import StoredEvent

from domain.values import ZERO
from projections.calls import call_log
from projections.calls.call_log import CallRow
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.event_index import position_at
from projections.tables.checkpoint import one_snapshot, position_of
from projections.tables.queries import from_columns
from projections.tables.row_operations import Columns, row_of
from projections.tables.state_sql import COUNTER
from storage.database import Conn
from storage.log.mapper import TypedMapper

_EVENTS: LiteralString = """
    select originator_id, originator_version, topic, state, notification_id
    from autolynx_events
    where originator_id = %s and notification_id <= %s
    order by originator_version
"""

_COUNTED: LiteralString = """
    select counted, count(*), coalesce(sum(spend), 0)
    from event_index
    where campaign_id = %s and position <= %s
        and (counted is not null or spend is not null)
    group by counted
"""

COUNTERS = (*COUNTER.values(), "awaiting_reports", "costs_reported")
NO_COUNTS: Columns = {**dict.fromkeys(COUNTERS, 0), "contacts": 0, "spend": ZERO}


def campaign_as_of(
    conn: Conn, campaign_id: UUID, time: datetime | None = None
) -> CampaignRow | None:
    """Return a campaign as it was at `time`, or now; None if it did not exist yet."""
    with one_snapshot(conn):
        position = _position(conn, time)
        events = _events(conn, campaign_id, position)
        counters = _counters(conn, campaign_id, position)
    return campaign_from_events(campaign_id, events, position, counters)


def campaign_from_events(
    campaign_id: UUID,
    events: Iterable[tuple[Any, int]],
    position: int,
    counters: Columns,
) -> CampaignRow | None:
    """Return a campaign's row after its own events, given with their positions.

    `counters` are the stored counters that replace those of its own events, which do
    not include what its calls count for.
    """
    handler, table = campaign_board.campaign_board, campaign_board.TABLE
    operations = (each for event, at in events for each in handler(event, at))
    row = row_of(operations, table.name, (campaign_id,))
    if row is None:
        return None
    own = {"campaign_id": campaign_id, "position": position}
    columns = _of_kind(CampaignRow, NO_COUNTS | row | counters | own)
    return from_columns(CampaignRow, columns).with_shown_counters()


def call_as_of(
    conn: Conn, call_id: UUID, time: datetime | None = None
) -> CallRow | None:
    """Return a call as it was at `time`, or now; None if it did not exist yet."""
    with one_snapshot(conn):
        events = _events(conn, call_id, _position(conn, time))
    handler, table = call_log.call_log, call_log.TABLE
    operations = (each for event, at in events for each in handler(event, at))
    row = row_of(operations, table.name, (call_id,))
    if row is None:
        return None
    defaults = {"id": call_id, "requests": 0}
    return from_columns(CallRow, _of_kind(CallRow, defaults | row))


def _position(conn: Conn, time: datetime | None) -> int:
    return position_of(conn) if time is None else position_at(conn, time)


def _events(conn: Conn, id_: UUID, position: int) -> list[tuple[Any, int]]:
    """Read an aggregate's own events, with their positions, up to a position."""
    mapper = TypedMapper()
    with conn.cursor(binary=True) as cursor:
        rows = cursor.execute(_EVENTS, (id_, position)).fetchall()
    return [(mapper.to_domain_event(StoredEvent(*row[:4])), row[4]) for row in rows]


def _counters(conn: Conn, campaign_id: UUID, position: int) -> Columns:
    sums: Columns = dict.fromkeys(COUNTERS, 0)
    spent = ZERO
    for counted, events, spend in conn.execute(_COUNTED, (campaign_id, position)):
        spent += spend
        for name, delta in orjson.loads(counted or "{}").items():
            sums[name] += delta * events
    return {**sums, "spend": spent}


def _of_kind(kind: Any, row: Columns) -> Columns:
    """Return the columns that are fields of `kind`; those not set yet are None."""
    return {field.name: row.get(field.name) for field in fields(kind)}
