"""Counts for the metrics endpoint and dashboards, read from one snapshot."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import LiteralString

from domain.settings import SettingsValues
from domain.states import STARTED
from projections import spend
from projections.deliveries.delivery_gauges import EndpointGauges, endpoint_gauges
from projections.monitoring.lag import lag_seconds
from projections.registers import settings_board
from projections.tables.checkpoint import one_snapshot, position_of
from projections.tables.queries import select_value
from projections.tables.state_sql import literals, shown_counters_sql
from storage.database import Conn


@dataclass(frozen=True, slots=True)
class Gauges:
    """Counts by lower-case name; ages in seconds, amounts in US dollars.

    `lag` is the age of the oldest event that the read model does not include.
    `tick_age` is the time since the scheduler's last heartbeat, None before the first.
    `waiting` counts contacts by the scheduler's reason. `alerts_waiting` counts
    alerts that were not sent yet.
    """

    position: int
    lag: float
    tick_age: float | None
    campaigns: dict[str, int]
    contacts: dict[str, int]
    open_calls: dict[str, int]
    waiting: dict[str, int]
    alerts_waiting: int
    global_cap: int
    spent_today: Decimal
    daily_budget: Decimal | None
    endpoints: list[EndpointGauges]


_CAMPAIGNS: LiteralString = "select state, count(*) from campaign_board group by state"

_CONTACTS: LiteralString = f"""
    select {shown_counters_sql("coalesce(sum({}), 0) as {}")} from campaign_board
"""  # noqa: S608 - our own text

_OPEN_CALLS: LiteralString = "select phase, count(*) from dial_queue group by phase"

_WAITING: LiteralString = f"""
    select lower(reason ->> 'code'), sum((reason ->> 'contacts')::bigint)
    from dispatch_decision d
    join campaign_board c on c.id = d.campaign_id
    cross join lateral jsonb_array_elements(d.reasons) as reason
    where c.state in {literals(STARTED)}
    group by 1
"""  # noqa: S608 - our own text

_TICK_AGE: LiteralString = """
    select extract(epoch from clock_timestamp() - beat_at)::float8
    from heartbeat where role = 'scheduler'
"""

_ALERTS: LiteralString = "select count(*) from alert_outbox where state = 'waiting'"


def gauges(conn: Conn, now: datetime, first: SettingsValues) -> Gauges:
    """Read all gauges at the time `now`; `first` applies until settings are stored."""
    with one_snapshot(conn):
        settings = settings_board.in_force(conn, first)
        cursor = conn.execute(_CONTACTS)
        names = [column.name for column in cursor.description or ()]
        (contacts,) = cursor.fetchall()
        return Gauges(
            position=position_of(conn),
            lag=lag_seconds(conn, now),
            tick_age=select_value(conn, _TICK_AGE),
            campaigns=_counted(conn.execute(_CAMPAIGNS)),
            contacts=_counted(zip(names, contacts, strict=True)),
            open_calls=_counted(conn.execute(_OPEN_CALLS)),
            waiting=_counted(conn.execute(_WAITING)),
            alerts_waiting=int(select_value(conn, _ALERTS)),
            global_cap=settings.global_cap,
            spent_today=spend.spent_on(conn, now.astimezone(UTC).date()),
            daily_budget=settings.daily_budget,
            endpoints=endpoint_gauges(conn),
        )


def _counted(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {name.lower(): int(count) for name, count in rows}
