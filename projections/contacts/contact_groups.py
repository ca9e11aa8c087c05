"""The groups of contacts, and how many contacts of each wait for a call.

The counts are not computed from events: triggers on `contact_log` (migration 0026)
count its rows within the statement that changes them, so that they cannot differ from
the rows. Group 0 (`NOT_PLACED`) counts contacts without a group. `pending` are those
that wait for a call, `fresh` those of them that were neither planned nor deferred.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, LiteralString
from uuid import UUID

from domain.contacts.contact_list import ContactList
from domain.gate.groups import ContactGroup
from domain.gate.places import Places, PlaceSource
from domain.values import ContactStatus
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.row_operations import RowOperation, put

GROUPS, COUNTS = "contact_group", "contact_group_count"

FRESH: LiteralString = f"""
    k.status = '{ContactStatus.PENDING}' and k.planned_at is null and k.due_at is null
"""
"""SQL condition that a contact `k` waits, and was neither planned nor deferred.

The index `contact_log_fresh` and the triggers that count `fresh` contacts have the same
condition; they cannot take it from here, because changing it needs a migration. Tests
compare all three.
"""

TABLES = (
    Table(
        GROUPS,
        ("group_id",),
        """
    create table if not exists contact_group (
        group_id bigint primary key,
        codes text not null,
        zones text not null,
        source text not null,
        has_consent boolean not null
    );
    """,
    ),
    Table(
        COUNTS,
        ("list_id", "group_id"),
        """
    create table if not exists contact_group_count (
        list_id uuid not null,
        group_id bigint not null,
        contacts bigint not null default 0,
        pending bigint not null default 0,
        fresh bigint not null default 0,
        primary key (list_id, group_id)
    ) with (fillfactor = 70);
    create index if not exists contact_group_count_not_placed
        on contact_group_count (list_id) where group_id = 0 and pending > 0;
    """,
    ),
)

COUNTING: LiteralString = """
    create trigger contact_log_inserted after insert on contact_log
        referencing new table as rows_after
        for each statement execute function public.autolynx_count_groups();
    create trigger contact_log_updated after update on contact_log
        referencing old table as rows_before new table as rows_after
        for each statement execute function public.autolynx_count_groups();
"""
"""SQL that makes `contact_log` count its rows, of which none is ever deleted."""


@handles(ContactList.RowsAccepted, ContactList.ContactsGrouped)
def contact_groups(event: object, _position: int) -> Iterator[RowOperation]:
    """Store each group that an event names, under its id."""
    match event:
        case ContactList.RowsAccepted() | ContactList.ContactsGrouped():
            for rows in event.groups:
                yield put(GROUPS, rows.group.id, **_columns(rows.group))


def _columns(group: ContactGroup) -> dict[str, Any]:
    places = group.places
    return {
        "codes": " ".join(places.codes),
        "zones": " ".join(places.time_zones),
        "source": places.source,
        "has_consent": group.has_consent,
    }


def pair_columns(pairs: Iterable[tuple[UUID, int]]) -> dict[str, list[Any]]:
    """Return the parameters `campaigns` and `groups` for these groups of campaigns."""
    rows = list(pairs)
    return {
        "campaigns": [campaign_id for campaign_id, _ in rows],
        "groups": [group_id for _, group_id in rows],
    }


def group_from(columns: Sequence[Any]) -> ContactGroup | None:
    """Return the group of the columns codes, zones, source, has_consent; None: none."""
    codes, zones, source, has_consent = columns
    return None if codes is None else _group(codes, zones, source, has_consent)


@lru_cache(maxsize=65_536)
def _group(codes: str, zones: str, source: str, has_consent: bool) -> ContactGroup:  # noqa: FBT001 - a column
    places = Places(tuple(codes.split()), tuple(zones.split()), PlaceSource(source))
    return ContactGroup(places, has_consent)
