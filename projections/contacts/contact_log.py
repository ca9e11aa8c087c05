"""Contacts of each campaign in the order of its files, with their status.

A contact in several lists has one row for each, because any of them may be imported; a
call changes all of its rows. The order is that of the imports, then that of the rows.
The index `list_id, status, seq` serves every page, one status of one list at a time, so
that no page and no plan reads a whole campaign.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any, LiteralString
from uuid import UUID

from domain.calls.events.call_event import ContactStatusChanged
from domain.contacts.contact_events import ContactEvent
from domain.contacts.contact_list import ContactList
from domain.gate.groups import NOT_PLACED, group_ids
from domain.states import stored_statuses
from domain.values import CampaignState, ContactStatus
from projections.contacts.contact_filters import (
    FILTERED,
    FILTERED_TOTAL,
    NO_FILTERS,
    ContactFilters,
)
from projections.contacts.contact_groups import COUNTING
from projections.contacts.contact_moves import columns_after_call, columns_after_event
from projections.contacts.contact_row import SELECTED, ContactRow
from projections.tables.checkpoint import one_snapshot, position_of
from projections.tables.definition import Table
from projections.tables.pages import Page, as_cursor, from_cursor, page_of, whole
from projections.tables.queries import select, select_value
from projections.tables.row_operations import RowOperation, patch_all, put
from projections.tables.state_sql import COUNTER
from storage.database import Conn

LOG = "contact_log"

TABLE = Table(
    LOG,
    ("contact_id", "list_id"),
    """
    create table if not exists contact_log (
        contact_id uuid not null,
        list_id uuid not null,
        campaign_id uuid not null,
        seq bigint not null,
        status text not null default 'PENDING',
        call_id uuid,
        attempt integer not null default 0,
        batch integer,
        due_at timestamptz,
        deferred_position bigint,
        deferred_code text,
        requeue boolean not null default false,
        erased_at timestamptz,
        version bigint not null default 0,
        planned_at timestamptz,
        planned_kind text,
        planned_until timestamptz,
        planned_terms bigint,
        withheld text,
        group_id bigint not null default 0,
        primary key (contact_id, list_id)
    ) with (fillfactor = 80);
    create index if not exists contact_log_file_order
        on contact_log (list_id, status, seq);
    create index if not exists contact_log_deferred
        on contact_log (campaign_id, due_at) where due_at is not null;
    create index if not exists contact_log_not_placed
        on contact_log (list_id, seq) where status = 'PENDING' and group_id = 0;
    create index if not exists contact_log_fresh
        on contact_log (list_id, group_id, seq)
        where status = 'PENDING' and planned_at is null and due_at is null;
    create index if not exists contact_log_planned
        on contact_log (campaign_id, planned_terms, planned_kind, planned_at)
        where planned_at is not null;
    create index if not exists contact_log_planned_group
        on contact_log
            (campaign_id, planned_terms, group_id, planned_kind, planned_at)
        where planned_at is not null;
    create index if not exists contact_log_planned_until
        on contact_log (campaign_id, planned_until)
        where status = 'PENDING' and planned_until is not null;
    create index if not exists contact_log_erased
        on contact_log (contact_id) where erased_at is not null;
    """
    + COUNTING,
    handler_version=7,
)

MOST_COUNTED = 10_000
LEAST_LAST_DIGITS = 4
"""A search for fewer digits matches no last digits: it would find too many numbers."""
NUMBER = re.compile(r"[+(]*[0-9][0-9 ().-]*")


def contact_log(event: object, position: int) -> Iterator[RowOperation]:
    match event:
        case ContactList.RowsAccepted():
            groups = group_ids(event.groups)
            for at, contact_id in enumerate(event.contact_ids):
                columns = {"campaign_id": event.campaign_id, "seq": event.first + at}
                if at in groups:
                    columns["group_id"] = groups[at]
                yield put(LOG, (contact_id, event.originator_id), **columns)
        case ContactList.ContactsGrouped():
            groups = group_ids(event.groups)
            for at, contact_id in enumerate(event.contact_ids):
                group_id = groups.get(at, NOT_PLACED)
                yield patch_all(LOG, contact_id, group_id=group_id)
        case ContactEvent():
            yield patch_all(LOG, event.originator_id, **columns_after_event(event))
        case ContactStatusChanged():
            columns = columns_after_call(event, position)
            if columns:
                yield patch_all(LOG, event.contact_id, **columns)


_OF_IDS: LiteralString = """
    with imported as (
        select k.*, i.imported_position
        from contact_log k join contact_import i using (list_id)
        where k.contact_id = any(%(ids)s) and i.imported_position is not null
    )
"""

_PAGE: LiteralString = """
    with imported as (
        select k.*, i.imported_position
        from contact_import i
        cross join unnest(%(statuses)s::text[]) as wanted (status)
        cross join lateral (
            select * from contact_log k
            where k.list_id = i.list_id and k.status = wanted.status
                and k.seq > case when i.imported_position > %(list)s then -1
                    else %(seq)s end
            order by k.seq limit %(most)s
        ) k
        where i.campaign_id = %(campaign)s and i.imported_position >= %(list)s
        order by i.imported_position, k.seq limit %(most)s
    )
"""

_WORDS: LiteralString = """
    contact_words(v.campaign_id, v.name, v.business_name)
        @@ contact_query(%(campaign)s, %(search)s)
"""

# Whatever the server's collation: the digits that are known, then more digits.
_MORE: LiteralString = "9" * 15

_WORDS_OR_NUMBER: LiteralString = f"""
    ({_WORDS} or v.campaign_id = %(campaign)s and (
        v.phone between '+' || %(digits)s and '+' || %(digits)s || '{_MORE}'
        or v.phone between '+' || %(national)s and '+' || %(national)s || '{_MORE}'
    ))
"""

_WORDS_OR_ANY_PART: LiteralString = f"""
    ({_WORDS} or v.campaign_id = %(campaign)s and (
        v.phone between '+' || %(digits)s and '+' || %(digits)s || '{_MORE}'
        or v.phone between '+' || %(national)s and '+' || %(national)s || '{_MORE}'
        or reverse(v.phone) between reverse(%(digits)s)
            and reverse(%(digits)s) || '{_MORE}'
    ))
"""

_FOUND: LiteralString = """
    with found as materialized (
        select v.contact_id, v.list_id from contact_vault v where {match}
    ), imported as (
        select k.*, i.imported_position
        from found join contact_log k using (contact_id, list_id)
        join contact_import i using (list_id)
        where i.imported_position is not null and k.status = any(%(statuses)s)
            and (i.imported_position, k.seq) > (%(list)s, %(seq)s)
        order by i.imported_position, k.seq limit %(most)s
    )
"""

_WALKED: LiteralString = """
    with imported as (
        select k.*, i.imported_position
        from contact_import i
        cross join unnest(%(statuses)s::text[]) as wanted (status)
        cross join lateral (
            select k.* from contact_log k
            join contact_vault v using (contact_id, list_id)
            where k.list_id = i.list_id and k.status = wanted.status
                and k.seq > case when i.imported_position > %(list)s then -1
                    else %(seq)s end
                and {match}
            order by k.seq limit %(most)s
        ) k
        where i.campaign_id = %(campaign)s and i.imported_position >= %(list)s
        order by i.imported_position, k.seq limit %(most)s
    )
"""

_FOUND_TOTAL: LiteralString = """
    select count(*) from (
        select from contact_vault v join contact_log k using (contact_id, list_id)
        join contact_import i using (list_id)
        where {match} and i.imported_position is not null
            and k.status = any(%(statuses)s)
        limit %(counted)s
    ) as found
"""

# The index is right even where the tables' statistics are behind.
_BY_WORDS: LiteralString = "set local enable_seqscan = off"
_IN_ORDER: LiteralString = "set local enable_bitmapscan = off"

_COUNTERS = ", ".join(f"('{status}', c.{column})" for status, column in COUNTER.items())

_TOTAL: LiteralString = f"""
    select coalesce(sum(counter.contacts), 0)
    from campaign_board c
    cross join lateral (values
        {_COUNTERS}
    ) as counter (status, contacts)
    where c.id = %(campaign)s and counter.status = any(%(statuses)s)
"""  # noqa: S608 - our own text

_KNOWN: LiteralString = """
    select k.contact_id
    from contact_log k join contact_import i using (list_id)
    where k.contact_id = any(%(ids)s) and k.campaign_id = %(campaign)s
        and i.imported_position is not null
"""


_ERASED: LiteralString = """
    select contact_id from contact_log
    where contact_id = any(%(ids)s) and campaign_id = %(campaign)s
        and erased_at is not null
"""


def get(conn: Conn, contact_id: UUID) -> ContactRow | None:
    found = of_ids(conn, [contact_id])
    return found[0] if found else None


def campaign_of(conn: Conn, contact_id: UUID) -> UUID | None:
    """Return the campaign of an imported contact, also of an erased one."""
    contact = get(conn, contact_id)
    return contact.campaign_id if contact else None


def of_ids(conn: Conn, contact_ids: Collection[UUID]) -> list[ContactRow]:
    """Read these contacts, in the file's order."""
    return select(conn, ContactRow, _OF_IDS + SELECTED, ids=list(contact_ids))


def known(conn: Conn, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the contacts that are in an imported list of the campaign."""
    values = {"campaign": campaign_id, "ids": list(contact_ids)}
    return {row[0] for row in conn.execute(_KNOWN, values)}


def erased(conn: Conn, campaign_id: UUID, contact_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the contacts that were erased from the campaign."""
    values = {"campaign": campaign_id, "ids": list(contact_ids)}
    return {row[0] for row in conn.execute(_ERASED, values)}


def page(
    conn: Conn,
    campaign_id: UUID,
    *,
    first: int,
    after: str | None = None,
    statuses: Collection[ContactStatus] | None = None,
    search: str | None = None,
    calling_code: str = "",
    filters: ContactFilters = NO_FILTERS,
) -> Page[ContactRow]:
    """List a campaign's contacts in the file's order.

    `search` matches the beginnings of words of the names, or the number: its leading
    digits, with or without the country's `calling_code`, or its last four or more.
    `total` then stops at MOST_COUNTED.

    Raises:
        Invalid: `after` is not a cursor of this list.
    """
    place = (0, -1) if after is None else from_cursor(after, whole, whole)
    words = " ".join((search or "").replace("\0", " ").split())
    with one_snapshot(conn):
        values = {
            "campaign": campaign_id,
            "statuses": _stored(conn, campaign_id, statuses),
            "list": place[0],
            "seq": place[1],
            "most": first + 1,
            "calling_code": calling_code,
        }
        if filters:
            query, total = _filtered(conn, words, values, filters)
        else:
            query, total = _found(conn, words, values) if words else _all(conn, values)
        found = select(conn, ContactRow, query + SELECTED, **values)
        position = position_of(conn)
    return page_of(found, first, _cursor, total=total, position=position)


def _all(conn: Conn, values: dict[str, Any]) -> tuple[LiteralString, int]:
    return _PAGE, int(select_value(conn, _TOTAL, **values))


def _filtered(
    conn: Conn, words: str, values: dict[str, Any], filters: ContactFilters
) -> tuple[LiteralString, int]:
    """Return the query of a page of those who pass the filters, and their number."""
    values |= filters.values(conn, values["campaign"])
    match = _match(words, values) if words else "true"
    total = int(select_value(conn, FILTERED_TOTAL.format(match=match), **values))
    return FILTERED.format(match=match), min(total, MOST_COUNTED) if words else total


def _match(words: str, values: dict[str, Any]) -> LiteralString:
    """Return the condition of a search, and add its parameters to `values`."""
    digits = "".join(c for c in words if c in "0123456789")
    # The zero before a national number is not dialled from abroad.
    national = values["calling_code"] + (digits.lstrip("0") or digits)
    values |= {"search": words, "digits": digits, "counted": MOST_COUNTED}
    values["national"] = national
    if not NUMBER.fullmatch(words):
        return _WORDS
    return _WORDS_OR_ANY_PART if len(digits) >= LEAST_LAST_DIGITS else _WORDS_OR_NUMBER


def _found(conn: Conn, words: str, values: dict[str, Any]) -> tuple[LiteralString, int]:
    """Return the query of a page of a search, and the number of matches.

    Few matches are sorted; many are picked from the contacts in their order.
    """
    match = _match(words, values)
    conn.execute(_BY_WORDS)
    total = int(select_value(conn, _FOUND_TOTAL.format(match=match), **values))
    if total < MOST_COUNTED:
        return _FOUND.format(match=match), total
    conn.execute(_IN_ORDER)
    return _WALKED.format(match=match), total


def _cursor(contact: ContactRow) -> str:
    return as_cursor(contact.imported_position, contact.seq)


def _stored(
    conn: Conn, campaign_id: UUID, shown: Collection[ContactStatus] | None
) -> list[str]:
    """Return the stored statuses of the contacts that have one of the `shown` ones."""
    query: LiteralString = """
        select state, expired_at is not null from campaign_board where id = %(id)s
    """
    found = conn.execute(query, {"id": campaign_id}).fetchone()
    if found is None:
        return []
    wanted = set(ContactStatus) if shown is None else shown
    state, expired = CampaignState(found[0]), bool(found[1])
    return sorted(stored_statuses(wanted, state, expired=expired))
