"""Taking personal data away, for a person or for its age; leaves stay as proof."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import phonenumbers

from application.erasure import Person
from storage.database import Conn, Pool

PAGE = 2_000
"""Rows that one statement of the regular removal empties."""

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

# What belongs to no call yet is found by the number that the provider names.
_STRAY: LiteralString = " and campaign_id is null and document::text like %(part)s"

_NO_WORDS: LiteralString = """
    update words_vault set words = null, salt = null
    where salt is not null
        and (subject_id = any(%(subjects)s) or words like %(part)s)
"""

_NAMES_IT: LiteralString = """
    and exists (
        select from json_array_elements_text(cells) as cell (said)
        where regexp_replace(said, '[^0-9]', '', 'g') like %(ending)s
    )
"""
_NO_REJECT: LiteralString = """
    update reject_vault set reason = null, message = null, cells = null, salt = null
    where salt is not null
"""
_NO_STAGED_REJECT: LiteralString = "delete from upload_reject where true"
_NO_STAGED_ROW: LiteralString = """
    with gone as (
        delete from upload_row where phone = %(phone)s returning upload_id
    )
    update upload set accepted = accepted - gone.rows
    from (select upload_id, count(*) as rows from gone group by upload_id) gone
    where upload.id = gone.upload_id
"""

_OLD: LiteralString = """
    and id in (
        select m.id from message_vault m
        left join read.call_log c on c.call_id = m.subject_id
        left join lateral (
            select max(occurred_at) as at from read.event_index i
            where i.aggregate_id = m.subject_id and c.call_id is null
        ) stray on true
        where m.salt is not null and coalesce(c.last_event_at, stray.at) < %(before)s
        limit %(most)s
    )
"""

_TOLD_SINCE: LiteralString = """
    and id in (
        select m.id from read.contact_log k
        join read.call_log c on c.contact_id = k.contact_id
        join message_vault m on m.subject_id = c.call_id
        where k.erased_at is not null and m.salt is not null
        limit %(most)s
    )
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
        """Empty it all at once; whole tables are read, which takes its time."""
        values = {
            "phone": phone,
            "part": f"%{phone.removeprefix('+')}%",
            "ending": f"%{_national(phone)}",
            "contacts": list(contact_ids),
            "subjects": list(subject_ids),
        }
        with self._pool.connection() as conn, conn.transaction():
            conn.execute("set local statement_timeout to 0")
            for statement in (
                _NO_CONTACT,
                _NO_MESSAGE + _OF_SUBJECTS,
                _NO_MESSAGE + _STRAY,
                _NO_WORDS,
                _NO_REJECT + _NAMES_IT,
                _NO_STAGED_REJECT + _NAMES_IT,
                _NO_STAGED_ROW,
            ):
                conn.execute(statement, values)

    def wipe_messages_before(self, before: datetime) -> int:
        """Empty what was said about calls that nothing happened to since then."""
        return self._page_by_page(_NO_MESSAGE + _OLD, before)

    def wipe_messages_of_erased(self) -> int:
        """Empty what the provider told of a person's last call after the erasure."""
        return self._page_by_page(_NO_MESSAGE + _TOLD_SINCE, None)

    def _page_by_page(self, statement: LiteralString, before: datetime | None) -> int:
        done = 0
        while True:
            with self._pool.connection() as conn:
                count = _page(conn, statement, before)
            done += count
            if count < PAGE:
                return done


def _page(conn: Conn, statement: LiteralString, before: datetime | None) -> int:
    with conn.transaction():
        conn.execute("set local statement_timeout to '10min'")
        values = {"before": before, "most": PAGE}
        return conn.execute(statement, values).rowcount


def _national(phone: str) -> str:
    """Return the digits that a number ends with, however its owner writes it."""
    try:
        return str(phonenumbers.parse(phone).national_number)
    except phonenumbers.NumberParseException:
        return re.sub(r"\D", "", phone)
