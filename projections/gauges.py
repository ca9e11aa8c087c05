"""How much is going on, in numbers that a dashboard draws; all of one moment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import LiteralString

from domain.settings import SettingsValues
from projections import settings_board, spend
from projections.lag import lag_seconds
from projections.tables import one_snapshot, position_of, select_value
from storage.database import Conn


@dataclass(frozen=True, slots=True)
class Gauges:
    """Counts by name; ages in seconds, money in US dollars.

    `tick_age` is None where no scheduler ever ran; `waiting` counts contacts by the
    scheduler's reason.
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


_CAMPAIGNS: LiteralString = "select state, count(*) from campaign_board group by state"

_CONTACTS: LiteralString = """
    select coalesce(sum(case when state = 'CANCELED' then 0 else pending end), 0)
            as pending,
        coalesce(sum(queued), 0) as queued, coalesce(sum(ringing), 0) as ringing,
        coalesce(sum(in_progress), 0) as in_progress,
        coalesce(sum(ended), 0) as ended, coalesce(sum(failed), 0) as failed,
        coalesce(sum(case when state = 'CANCELED' then canceled + pending
            else canceled end), 0) as canceled,
        coalesce(sum(timed_out), 0) as timed_out
    from campaign_board
"""

_OPEN_CALLS: LiteralString = "select phase, count(*) from dial_queue group by phase"

_WAITING: LiteralString = """
    select lower(reason ->> 'code'), sum((reason ->> 'contacts')::bigint)
    from dispatch_decision d
    join campaign_board c on c.id = d.campaign_id
    cross join lateral jsonb_array_elements(d.reasons) as reason
    where c.state in ('QUEUED', 'DIALING', 'RUNNING', 'PAUSED')
    group by 1
"""

_TICK_AGE: LiteralString = """
    select extract(epoch from clock_timestamp() - beat_at)::float8
    from heartbeat where role = 'scheduler'
"""

_ALERTS: LiteralString = "select count(*) from alert_outbox where state = 'waiting'"


def gauges(conn: Conn, now: datetime, first: SettingsValues) -> Gauges:
    """Read all gauges; `first` are the settings until somebody sets any."""
    with one_snapshot(conn):
        settings = settings_board.get(conn) or first
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
        )


def _counted(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {name.lower(): int(count) for name, count in rows}
