"""A campaign or a call as it stood at some time, by the code that shows it now.

It is folded from its own events by the handler of its read table. A campaign's counters
are the sums of what `event_index` says that each event added to them.
"""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import orjson
from eventsourcing.persistence import StoredEvent

from domain.values import ZERO, CampaignState
from projections import call_log, campaign_board
from projections.call_log import CallRow
from projections.campaign_board import COUNTER, CampaignRow
from projections.event_index import position_at
from projections.row_operations import Columns, Kind, RowOperation
from projections.tables import from_columns, one_snapshot, position_of
from storage.database import Conn
from storage.log.mapper import TypedMapper

type Handler = Callable[[Any, int], Iterator[RowOperation]]

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


def campaign_as_of(
    conn: Conn, campaign_id: UUID, time: datetime | None = None
) -> CampaignRow | None:
    """Show a campaign as it stood then, or now; None where it was not there yet."""
    with one_snapshot(conn):
        position = _position(conn, time)
        handler, table = campaign_board.campaign_board, campaign_board.TABLE
        row = _row(conn, campaign_id, position, handler, table.name)
        if row is None:
            return None
        row |= _counters(conn, campaign_id, position)
    row |= {"campaign_id": campaign_id, "position": position}
    return _shown(from_columns(CampaignRow, _of_kind(CampaignRow, row)))


def call_as_of(
    conn: Conn, call_id: UUID, time: datetime | None = None
) -> CallRow | None:
    """Show a call as it stood then, or now; None where it was not there yet."""
    with one_snapshot(conn):
        position = _position(conn, time)
        handler, table = call_log.call_log, call_log.TABLE
        row = _row(conn, call_id, position, handler, table.name)
    if row is None:
        return None
    defaults = {"id": call_id, "requests": 0}
    return from_columns(CallRow, _of_kind(CallRow, defaults | row))


def _position(conn: Conn, time: datetime | None) -> int:
    return position_of(conn) if time is None else position_at(conn, time)


def _row(
    conn: Conn, id_: UUID, position: int, handler: Handler, table: str
) -> Columns | None:
    """Fold an aggregate's own events into its row of a read table."""
    mapper, row = TypedMapper(), None
    with conn.cursor(binary=True) as cursor:
        for *stored, at in cursor.execute(_EVENTS, (id_, position)):
            event = mapper.to_domain_event(StoredEvent(*stored))
            for operation in handler(event, at):
                if (operation.table, operation.key) == (table, (id_,)):
                    row = _applied(row, operation)
    return row


def _applied(row: Columns | None, operation: RowOperation) -> Columns | None:
    """Counters are summed elsewhere: the events of others add to them."""
    match operation.kind:
        case Kind.PUT:
            return (row or {}) | operation.columns
        case Kind.PATCH if row is not None:
            return row | operation.columns
        case _:
            return row


def _counters(conn: Conn, campaign_id: UUID, position: int) -> Columns:
    sums: Columns = dict.fromkeys(COUNTERS, 0)
    spent = ZERO
    for counted, events, spend in conn.execute(_COUNTED, (campaign_id, position)):
        spent += spend
        for name, delta in orjson.loads(counted or "{}").items():
            sums[name] += delta * events
    return {**sums, "spend": spent}


def _of_kind(kind: Any, row: Columns) -> Columns:
    """Keep what the kind shows; what no event said yet is null, or no contact."""
    shown = {field.name: row.get(field.name) for field in fields(kind)}
    if "contacts" in shown:
        shown["contacts"] = shown["contacts"] or 0
    return shown


def _shown(row: CampaignRow) -> CampaignRow:
    """In a canceled campaign whoever was not called counts as canceled."""
    if row.state is not CampaignState.CANCELED:
        return row
    return replace(row, pending=0, canceled=row.canceled + row.pending)
