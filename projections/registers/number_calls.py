"""The calls to each number, of all campaigns, which count for its frequency caps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from domain.numbers.number import Number
from projections.tables.definition import Table
from projections.tables.queries import select
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


def number_calls(event: object, _position: int) -> Iterator[RowOperation]:
    """Keep a row for each call that counts, with the time of its latest request."""
    match event:
        case Number.Requested():
            key = (event.originator_id, event.call_id)
            yield put(CALLS, key, requested_at=event.timestamp)
        case Number.Released():
            yield drop(CALLS, (event.originator_id, event.call_id))


@dataclass(frozen=True, slots=True)
class RestrictedNumber:
    """A number that is suppressed or was called often.

    `phone` is None if the vault does not have it any more. `attempts` are the times of
    the calls that count, in order.
    """

    number_id: UUID
    phone: str | None
    is_suppressed: bool
    attempts: tuple[datetime, ...]


# The newest call of a number leads to the number itself, which only the vault has.
_RESTRICTED: LiteralString = """
    with called as materialized (
        select number_id, array_agg(requested_at order by requested_at) as attempts,
            (array_agg(call_id order by requested_at desc))[1] as call_id
        from number_call where requested_at > %(since)s
        group by number_id having count(*) >= %(fewest)s
    )
    select coalesce(s.id, c.number_id) as number_id,
        coalesce(w.words, v.phone) as phone, s.id is not null as is_suppressed,
        coalesce(c.attempts, '{}') as attempts
    from suppression_board s
    full join called c on c.number_id = s.id
    left join words_vault w on w.id = s.phone_id and w.salt is not null
    left join call_log l on l.call_id = c.call_id
    left join lateral (
        select phone from contact_vault
        where contact_id = l.contact_id and salt is not null limit 1
    ) v on true
"""


def restricted_numbers(
    conn: Conn, *, since: datetime, fewest: int
) -> list[RestrictedNumber]:
    """Read the suppressed numbers, and those called `fewest` times after `since`."""
    return select(conn, RestrictedNumber, _RESTRICTED, since=since, fewest=fewest)
