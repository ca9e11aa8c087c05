"""Finished contacts of a campaign, counted or staged for a new campaign."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, LiteralString
from uuid import UUID

from psycopg import InterfaceError, OperationalError

from application.contacts.redials import RedialSelection, StagedRedial
from application.errors import StoreUnavailable
from domain.outcomes import OPT_OUTS
from domain.states import NOT_FINISHED
from domain.values import ContactStatus
from projections.contacts.contact_results import RESULTS
from projections.tables.definition import SCHEMA
from projections.tables.state_sql import literals, shown_status_sql
from storage.database import Conn, Pool, lock_key

_SEARCH_PATH = f"{SCHEMA}, public"

EXPIRED: LiteralString = "c.expired_at is not null"

_SELECTED: LiteralString = f"""
    from contact_import i
    join campaign_board c on c.id = i.campaign_id
    join contact_log k on k.list_id = i.list_id
    join contact_vault v on v.contact_id = k.contact_id and v.list_id = k.list_id
    left join ({RESULTS}) results on results.contact_id = k.contact_id
    where i.campaign_id = %(campaign)s and i.imported_position is not null
        and k.erased_at is null and v.salt is not null
        and k.withheld is null
        and not (k.status = '{ContactStatus.PENDING}' and {EXPIRED})
        and {shown_status_sql("k.status", "c.state", EXPIRED)} = any(%(statuses)s)
        and (%(outcomes)s::text[] is null or results.outcome = any(%(outcomes)s))
        and (%(dispositions)s::text[] is null
            or results.disposition = any(%(dispositions)s))
        and (%(contacts)s::uuid[] is null or k.contact_id = any(%(contacts)s))
        and (results.disposition is null
            or results.disposition not in {literals(OPT_OUTS)})
"""
"""The contacts of a selection, as `v` with their place `i.imported_position, k.seq`.

Contacts that are PENDING in an expired campaign are withheld, without an event.
"""

_COUNT: LiteralString = f"select count(*) {_SELECTED}"

_SAME_REQUEST: LiteralString = """
    select id from upload
    where (id = %(list)s or fingerprint = %(fingerprint)s)
        and created_at >= %(since)s and state = 'READY'
    order by created_at limit 1
"""

_UPLOAD: LiteralString = """
    insert into upload (id, state, filename, default_region, created_by, created_at,
                        expires_at, fingerprint)
    values (%(list)s, 'READY', %(filename)s, '', %(by)s, %(at)s, %(expires)s,
            %(fingerprint)s)
"""

# The rows of the vault are locked: an erasure either precedes this statement, so that
# the contact is left out, or waits for the commit and then deletes the staged row.
_ROWS: LiteralString = f"""
    insert into upload_row (upload_id, ordinal, "row", name, business_name, phone,
                            extension, variables, attributes)
    select %(list)s, place, place + 1, name, business_name, phone, extension,
        variables, attributes
    from (
        select row_number() over (order by imported_position, seq) as place, chosen.*
        from (
            select v.name, v.business_name, v.phone, v.extension, v.variables,
                v.attributes, i.imported_position, k.seq
            {_SELECTED}
            for share of v
        ) chosen
    ) numbered
"""  # noqa: S608 - our own text

_COMPLETE: LiteralString = """
    update upload set accepted = %(accepted)s, columns = array[
        'name', 'business_name', 'phone'] || coalesce((
            select array_agg(key order by first_row, place)
            from (
                select key, min(ordinal) as first_row, min(place) as place
                from upload_row,
                    json_object_keys(variables) with ordinality as used (key, place)
                where upload_id = %(list)s group by key
            ) keys
        ), '{}')
    where id = %(list)s
"""


class RedialStaging:
    """Implements `application.contacts.redials.RedialSource`.

    `pool` may write. Methods raise StoreUnavailable if the database cannot be reached.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def count(self, selection: RedialSelection) -> int:
        """Return the number of contacts that a redial would include."""
        with _transaction(self._pool) as conn:
            row = conn.execute(_COUNT, _values(selection)).fetchone()
        return int(row[0]) if row else 0

    def stage(self, selection: RedialSelection, staged: StagedRedial) -> UUID | None:
        """Copy the contacts within the database, as the rows of an upload."""
        values = _values(selection) | {
            "list": staged.list_id,
            "filename": staged.filename,
            "fingerprint": staged.fingerprint,
            "by": staged.created_by,
            "at": staged.created_at,
            "expires": staged.expires_at,
            "since": staged.same_since,
        }
        with _transaction(self._pool) as conn:
            key = lock_key(
                f"redial {(staged.fingerprint or staged.list_id.bytes).hex()}"
            )
            conn.execute("select pg_advisory_xact_lock(%s)", (key,))
            same = conn.execute(_SAME_REQUEST, values).fetchone()
            if same is not None:
                return UUID(str(same[0]))
            # Copying a million rows takes longer than the time limit of statements.
            conn.execute("set local statement_timeout to 0")
            values["accepted"] = conn.execute(_ROWS, values).rowcount
            if not values["accepted"]:
                return None
            conn.execute(_UPLOAD, values)
            conn.execute(_COMPLETE, values)
        return staged.list_id


@contextmanager
def _transaction(pool: Pool) -> Iterator[Conn]:
    """Begin a transaction that finds the read tables beside the vault."""
    try:
        with pool.connection() as conn, conn.transaction():
            conn.execute("select set_config('search_path', %s, true)", (_SEARCH_PATH,))
            yield conn
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(str(error)) from error


def _values(selection: RedialSelection) -> dict[str, Any]:
    statuses = selection.statuses
    wanted = set(ContactStatus if statuses is None else statuses) - NOT_FINISHED
    return {
        "campaign": selection.campaign_id,
        "statuses": sorted(wanted),
        "outcomes": _texts(selection.outcomes),
        "dispositions": _texts(selection.dispositions),
        "contacts": None if selection.contacts is None else list(selection.contacts),
    }


def _texts(wanted: Collection[StrEnum] | None) -> list[str] | None:
    return None if wanted is None else sorted(wanted)
