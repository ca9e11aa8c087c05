"""Taking personal data away, for a person or for its age; leaves stay as proof."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import phonenumbers

from application.erasure import Person
from storage.database import Conn, Pool

PAGE = 2_000
"""Positions of the log that one statement of the regular removal goes through."""

_PEOPLE: LiteralString = """
    select contact_id, campaign_id, array_agg(list_id) from contact_vault
    where phone = %s and salt is not null
    group by contact_id, campaign_id order by campaign_id
"""

_NO_CONTACT: LiteralString = """
    update contact_vault set name = null, business_name = null, phone = null,
        variables = null, salt = null
    where contact_id = any(%(contacts)s) and salt is not null
"""

_NO_MESSAGE: LiteralString = """
    update message_vault set document = null, recording_url = null, transcript = null,
        salt = null
    where salt is not null
"""
_OF_SUBJECTS: LiteralString = " and subject_id = any(%(subjects)s)"

# What belongs to no call yet is found by the number that the provider names. No
# erasure names such rows: they are recorded, or nobody could tell why they are empty.
_NO_STRAY_MESSAGE: LiteralString = f"""
    with gone as (
        {_NO_MESSAGE} and campaign_id is null and document::text like %(part)s
        returning id
    )
    insert into erased_row (kind, id) select 'message', id from gone
"""  # noqa: S608 - our own statement
_NO_WORDS: LiteralString = """
    with gone as (
        update words_vault set words = null, salt = null
        where salt is not null
            and (subject_id = any(%(subjects)s) or words like %(part)s)
        returning id
    )
    insert into erased_row (kind, id) select 'words', id from gone
"""

_NAMES_IT: LiteralString = """
    and exists (
        select from json_array_elements_text(cells) as cell (said)
        where regexp_replace(said, '[^0-9]', '', 'g') like %(ending)s
    )
"""
_NO_REJECT: LiteralString = f"""
    with gone as (
        update reject_vault set reason = null, message = null, cells = null, salt = null
        where salt is not null {_NAMES_IT}
        returning list_id, "row"
    )
    insert into erased_row (kind, id, "row") select 'reject', list_id, "row" from gone
"""  # noqa: S608 - our own statement
_NO_STAGED_REJECT: LiteralString = "delete from upload_reject where true"
_NO_STAGED_ROW: LiteralString = """
    with gone as (
        delete from upload_row where phone = %(phone)s returning upload_id
    )
    update upload set accepted = accepted - gone.rows
    from (select upload_id, count(*) as rows from gone group by upload_id) gone
    where upload.id = gone.upload_id
"""

# From here on what is told of them is withheld. Who appends waits for the commit, or
# was before it: then the removal, which comes after it, finds what was told.
_WITHHELD: LiteralString = """
    insert into erased_subject
    select unnest(%(subjects)s::uuid[]) on conflict do nothing
"""

# What came before its call was known is a copy of what the call then was told.
_ATTACHED_SINCE: LiteralString = """
    insert into erased_subject
    select i.aggregate_id from read.event_index i
    join autolynx_events e on e.notification_id = i.position
    join erased_subject s
        on s.subject_id = (convert_from(e.state, 'UTF8')::json ->> 'call_id')::uuid
    where i.type = 'unmatched_message.attached'
    on conflict do nothing
"""
_TOLD_SINCE: LiteralString = """
    and id in (
        select m.id from erased_subject join message_vault m using (subject_id)
        where m.salt is not null
    )
"""

_OF_A_PAGE: LiteralString = """
    and subject_id in (
        select i.aggregate_id from read.event_index i
        where i.position > %(after)s and i.position <= %(up_to)s
            and not exists (
                select from read.event_index later
                where later.aggregate_id = i.aggregate_id
                    and later.position > %(last)s
            )
    )
"""
_LAST_BEFORE: LiteralString = """
    select position from read.event_index where occurred_at < %(before)s
    order by occurred_at desc, position desc limit 1
"""
_MARK: LiteralString = "select up_to from retention_mark where id = 1"
_MARKED: LiteralString = """
    insert into retention_mark (id, up_to) values (1, %s)
    on conflict (id) do update set up_to = excluded.up_to
"""


class ErasureStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def phone_of(self, contact_id: UUID) -> str | None:
        """Return the contact's number, None where it is unknown or was erased."""
        query: LiteralString = """
            select phone from contact_vault where contact_id = %s and salt is not null
        """
        with self._pool.connection() as conn:
            row = conn.execute(query, (contact_id,)).fetchone()
        return None if row is None else str(row[0])

    def people(self, phone: str) -> list[Person]:
        with self._pool.connection() as conn:
            rows = conn.execute(_PEOPLE, (phone,)).fetchall()
        return [
            Person(contact, campaign, frozenset(of)) for contact, campaign, of in rows
        ]

    def wipe(
        self, phone: str, contact_ids: Collection[UUID], subject_ids: Collection[UUID]
    ) -> None:
        """Empty it all at once; whole tables are read, which takes its time.

        What comes in later of these subjects is withheld.
        """
        values = {
            "phone": phone,
            "part": f"%{phone.removeprefix('+')}%",
            "ending": f"%{_national(phone)}",
            "contacts": list(contact_ids),
            "subjects": list(subject_ids),
        }
        with self._pool.connection() as conn, conn.transaction():
            conn.execute("select autolynx_append_lock('{}', '{}')")
            conn.execute(_WITHHELD, values)
        with self._pool.connection() as conn, conn.transaction():
            conn.execute("set local statement_timeout to 0")
            for statement in (
                _NO_CONTACT,
                _NO_MESSAGE + _OF_SUBJECTS,
                _NO_STRAY_MESSAGE,
                _NO_WORDS,
                _NO_REJECT,
                _NO_STAGED_REJECT + _NAMES_IT,
                _NO_STAGED_ROW,
            ):
                conn.execute(statement, values)

    def wipe_messages_before(self, before: datetime) -> int:
        """Empty what was said about calls that nothing happened to since then.

        The log is gone through once, page by page: a call's last event stands in one
        page only, and a later one brings it into a later page.
        """
        with self._pool.connection() as conn:
            last = _number_of(conn, _LAST_BEFORE, before=before)
            after = _number_of(conn, _MARK)
        done = 0
        while after < last:
            up_to = min(after + PAGE, last)
            with self._pool.connection() as conn, _unhurried(conn):
                values = {"after": after, "up_to": up_to, "last": last}
                done += conn.execute(_NO_MESSAGE + _OF_A_PAGE, values).rowcount
                conn.execute(_MARKED, (up_to,))
            after = up_to
        return done

    def wipe_messages_of_erased(self) -> int:
        """Empty what was told of erased people before it was known to be of them."""
        with self._pool.connection() as conn, _unhurried(conn):
            conn.execute(_ATTACHED_SINCE)
            return conn.execute(_NO_MESSAGE + _TOLD_SINCE).rowcount


def _number_of(conn: Conn, query: LiteralString, **values: datetime) -> int:
    row = conn.execute(query, values).fetchone()
    return 0 if row is None else int(row[0])


@contextmanager
def _unhurried(conn: Conn) -> Iterator[None]:
    with conn.transaction():
        conn.execute("set local statement_timeout to '10min'")
        yield


def _national(phone: str) -> str:
    """Return the digits that a number ends with, however its owner writes it."""
    try:
        return str(phonenumbers.parse(phone).national_number)
    except phonenumbers.NumberParseException:
        return re.sub(r"\D", "", phone)
