"""The calls to each number, of all campaigns, which count for its frequency caps."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from domain.gate.rules import FrequencyCap
from domain.numbers.number import Number
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.row_operations import RowOperation, drop, put
from storage.database import Conn

CALLS = "number_call"

TABLE = Table(
    CALLS,
    ("number_id", "call_id"),
    """
    create table if not exists number_call (
        number_id uuid not null,
        call_id uuid not null,
        requested_at timestamptz not null,
        primary key (number_id, call_id)
    );
    create index if not exists number_call_requested_at on number_call (requested_at);
    """,
)


@handles(Number.Requested, Number.Released)
def number_calls(event: object, _position: int) -> Iterator[RowOperation]:
    """Keep a row for each call that counts, with the time of its latest request."""
    match event:
        case Number.Requested():
            key = (event.originator_id, event.call_id)
            yield put(CALLS, key, requested_at=event.timestamp)
        case Number.Released():
            yield drop(CALLS, (event.originator_id, event.call_id))


# A number without as many calls as a cap allows is restricted by no cap, now or later.
_CALLED: LiteralString = """
    select number_id, attempts from (
        select number_id, array_agg(requested_at order by requested_at) as attempts
        from number_call where requested_at > %(since)s
        group by number_id having count(*) >= %(fewest)s
    ) called
    where exists (
        select from unnest(%(starts)s::timestamptz[], %(counts)s::int[])
            as cap (start, attempts)
        where (select count(*) from unnest(called.attempts) one where one > cap.start)
            >= cap.attempts
    )
"""


def numbers_at_a_cap(
    conn: Conn, caps: Collection[FrequencyCap], now: datetime
) -> dict[UUID, tuple[datetime, ...]]:
    """Return numbers that had as many calls as one of the caps allows in its window.

    By the number's id, the times of its calls within the longest window, in order.
    """
    if not caps:
        return {}
    starts = [now - timedelta(hours=cap.hours) for cap in caps]
    counts = [cap.attempts for cap in caps]
    values = {
        "since": min(starts),
        "fewest": min(counts),
        "starts": starts,
        "counts": counts,
    }
    return {row[0]: tuple(row[1]) for row in conn.execute(_CALLED, values)}
