"""Contacts that wait although the number is suppressed, and calls that may not ring.

The scheduler withholds the contacts and hangs up the calls. These lists may be
incomplete: the request itself refuses a suppressed number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from application.contacts.withholding import SuppressedContact
from domain.calls.call import Call
from domain.numbers.number import number_id_of
from domain.states import FINISHED
from domain.values import ContactStatus
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.queries import select, select_value
from projections.tables.row_operations import RowOperation, drop, patch, put
from projections.tables.state_sql import literals
from storage.database import Conn

CALLS = "unrung_call"

TABLE = Table(
    CALLS,
    ("call_id",),
    """
    create table if not exists unrung_call (
        call_id uuid primary key,
        number_id uuid not null,
        open_until timestamptz,
        placed boolean not null default false
    ) with (fillfactor = 70);
    """,
    handler_version=2,
)

RINGS_NO_MORE = (
    *(Call.Ringing, Call.Answered, Call.Ended, Call.Rejected, Call.Deferred),
    *(Call.TimedOut, Call.Failed, Call.Canceled, Call.HangUpRequested),
)


@handles(Call.Requested, Call.Placed, *RINGS_NO_MORE)
def suppressed_contacts(event: object, _position: int) -> Iterator[RowOperation]:
    """Keep a row for each requested call that has neither rung nor ended yet."""
    match event:
        case Call.Requested(number_key=str() as number_key, permit=permit):
            number_id = number_id_of(number_key)
            until = permit.open_until if permit else None
            columns = {"number_id": number_id, "open_until": until}
            yield put(CALLS, event.originator_id, **columns)
        case Call.Placed():
            yield patch(CALLS, event.originator_id, placed=True)
        case _ if isinstance(event, RINGS_NO_MORE):
            yield drop(CALLS, event.originator_id)


_UNRUNG: LiteralString = """
    select c.call_id from unrung_call c
    where c.placed and (
        c.open_until <= %(now)s
        or exists (select from suppression_board s where s.id = c.number_id)
    )
"""


def unrung_calls(conn: Conn, *, now: datetime) -> list[UUID]:
    """Return the placed calls that have not rung yet and may not ring any more.

    Their calling hours have ended at `now`, or their number was suppressed.
    """
    return [row[0] for row in conn.execute(_UNRUNG, {"now": now})]


@dataclass(frozen=True, slots=True)
class Scan:
    """Contacts that wait, of the entries up to the position `scanned`.

    `is_last`: there are no later entries.
    """

    contacts: tuple[SuppressedContact, ...]
    scanned: int
    is_last: bool


# The entries of the register are limited before they are joined with contacts, so that
# each opt-out is scanned once. Numbers of erased people cannot be matched here; the
# request refuses them.
_WAITING: LiteralString = f"""
    with entry as materialized (
        select s.id, s.phone_id, s.position from suppression_board s
        where s.position > %(after)s order by s.position limit %(entries)s
    )
    select distinct on (e.position, k.contact_id)
        k.contact_id, k.campaign_id, e.id as number_id, k.attempt, e.position
    from entry e
    join words_vault w on w.id = e.phone_id and w.salt is not null
    join contact_vault v on v.phone = w.words and v.salt is not null
    join contact_log k on k.contact_id = v.contact_id and k.list_id = v.list_id
    join contact_import i on i.list_id = k.list_id and i.imported_position is not null
    join campaign_board b on b.id = k.campaign_id
    where k.status = '{ContactStatus.PENDING}' and b.state not in {literals(FINISHED)}
    order by e.position, k.contact_id limit %(most)s
"""  # noqa: S608 - our own text
_ENTRIES: LiteralString = """
    select coalesce(max(position), %(after)s), count(*) from (
        select position from suppression_board
        where position > %(after)s order by position limit %(entries)s
    ) as entry
"""
_IMPORTED: LiteralString = """
    select coalesce(max(imported_position), 0) from contact_import
"""


@dataclass(frozen=True, slots=True)
class _Waiting:
    contact_id: UUID
    campaign_id: UUID
    number_id: UUID
    attempt: int
    position: int


def waiting_contacts(conn: Conn, *, after: int, entries: int, most: int) -> Scan:
    """Find contacts that wait, of the next `entries` of the register after a position.

    At most `most` contacts are returned; then the scan continues with the last entry.
    """
    values = {"after": after, "entries": entries, "most": most}
    found = select(conn, _Waiting, _WAITING, **values)
    contacts = tuple(
        SuppressedContact(one.contact_id, one.campaign_id, one.number_id, one.attempt)
        for one in found
    )
    if len(found) == most:
        return Scan(contacts, found[-1].position - 1, is_last=False)
    row = conn.execute(_ENTRIES, values).fetchone()
    assert row is not None
    return Scan(contacts, row[0], is_last=row[1] < entries)


def last_import(conn: Conn) -> int:
    """Return the position of the latest import of contacts, 0 without any."""
    return int(select_value(conn, _IMPORTED))
