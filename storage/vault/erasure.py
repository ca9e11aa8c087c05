"""Removes the personal data of a person from all tables; leaves remain as proof."""

import re
from collections.abc import Collection
from time import monotonic, sleep
from typing import Any, LiteralString
from uuid import UUID

import phonenumbers

from application.contacts.erasure import Person
from storage.database import Conn, Pool
from storage.vault.old_messages import EMPTY, OF_SUBJECTS

FEWEST_DIGITS = 7
"""A shorter national number is recognised only with its country code."""

POLL_SECONDS = 0.05

_PEOPLE: LiteralString = """
    select contact_id, campaign_id, array_agg(list_id) from contact_vault
    where phone = %s and salt is not null
    group by contact_id, campaign_id order by campaign_id
"""

_EMPTY_CONTACTS: LiteralString = """
    update contact_vault set name = null, business_name = null, phone = null,
        extension = null, variables = null, attributes = null, salt = null
    where contact_id = any(%(contacts)s) and salt is not null
"""

# A test with built-in functions, a hundred times faster than autolynx_mentions. It
# excludes texts without the digits of the number and the longest word of any name.
_MAY_MENTION: LiteralString = """
    (regexp_replace(autolynx_plain({text}), '[^0-9]', '', 'g') like %(part)s
        or lower(autolynx_plain({text})) like any(%(hints)s::text[]))
"""

# The rows below belong to no erased subject. They are found by the number in any
# spelling and by the names of the erased contacts, and recorded in erased_row, so that
# the verification knows why they are empty.
_MESSAGE_TEXT: LiteralString = "concat(document, transcript, recording_url)"
_EMPTY_UNMATCHED_MESSAGES: LiteralString = f"""
    with gone as (
        {EMPTY} and campaign_id is null
            and {_MAY_MENTION.format(text=_MESSAGE_TEXT)}
            and autolynx_mentions(
                jsonb_build_array(document, transcript, recording_url),
                %(pattern)s, %(names)s)
        returning id
    )
    insert into erased_row (kind, id) select 'message', id from gone
"""  # noqa: S608 - our own statement
_EMPTY_TEXTS: LiteralString = f"""
    with gone as (
        update words_vault set words = null, salt = null
        where salt is not null and (subject_id = any(%(subjects)s) or (
            {_MAY_MENTION.format(text="words")}
            and autolynx_mentions(words, %(pattern)s, %(names)s)))
        returning id
    )
    insert into erased_row (kind, id) select 'words', id from gone
"""  # noqa: S608 - our own statement

# A row skipped as a duplicate has a valid number. With another number it is about
# another person, even if the name is the same.
_MENTIONS_PERSON: LiteralString = f"""
    and {_MAY_MENTION.format(text="concat_ws(' ', cells, message)")}
    and (autolynx_mentions(
            jsonb_build_array(cells, message), %(pattern)s, '{{}}'::text[])
        or (reason not in ('DUPLICATE_IN_FILE', 'DUPLICATE_IN_CAMPAIGN')
            and autolynx_row_names(jsonb_build_array(cells, message), %(names)s)))
"""
_EMPTY_REJECTS: LiteralString = f"""
    with gone as (
        update reject_vault set reason = null, message = null, cells = null, salt = null
        where salt is not null {_MENTIONS_PERSON}
        returning list_id, "row"
    )
    insert into erased_row (kind, id, "row") select 'reject', list_id, "row" from gone
"""  # noqa: S608 - our own statement
_DELETE_STAGED_REJECTS: LiteralString = (
    f"delete from upload_reject where true {_MENTIONS_PERSON}"  # noqa: S608 - our own statement
)
_DELETE_STAGED_ROWS: LiteralString = """
    with gone as (
        delete from upload_row where phone = %(phone)s returning upload_id
    )
    update upload set accepted = accepted - gone.rows
    from (select upload_id, count(*) as rows from gone group by upload_id) gone
    where upload.id = gone.upload_id
"""
_EMPTY_UPLOAD_WARNINGS: LiteralString = """
    update upload set warnings = '[]'
    where autolynx_mentions(warnings::jsonb, %(pattern)s, %(names)s)
"""
_EMPTY_ALERTS: LiteralString = """
    update {table}
    set body = jsonb_build_object('message', 'The text of this alert was erased.'),
        error = null
    where autolynx_mentions(
        jsonb_build_array(body, error), %(pattern)s, %(names)s)
"""
_EMPTY_REASONS: LiteralString = """
    update dispatch_decision set reasons = '[]'::jsonb
    where autolynx_mentions(reasons, %(pattern)s, %(names)s)
"""
# Messages that are still to be sent are composed again, from what is left.
_EMPTY_WEBHOOKS: LiteralString = f"""
    update webhook_message m
    set body = null, needs_body = exists (
        select from webhook_delivery d where d.message_key = m.key
            and d.state = 'waiting')
    where body is not null and (contact_id = any(%(contacts)s)
        or ({_MAY_MENTION.format(text="body")}
            and autolynx_mentions(body::jsonb, %(pattern)s, %(names)s)))
"""  # noqa: S608 - our own statement
_EMPTY_ANSWERS: LiteralString = """
    update webhook_delivery set last_answer = null
    where autolynx_mentions(to_jsonb(last_answer), %(pattern)s, %(names)s)
"""
LOCK_COMPOSING: LiteralString = """
    select pg_advisory_xact_lock_shared(hashtext('autolynx webhook bodies'))
"""
"""Taken before bodies of webhooks are composed from the vault and stored. An erasure
excludes that from the removal of the bodies until its commit, so that no body is stored
from what it removes."""

_NO_COMPOSING: LiteralString = """
    select pg_advisory_xact_lock(hashtext('autolynx webhook bodies'))
"""

# Names without any word, such as a dash, are left out.
_NAMES: LiteralString = """
    select name, (
        select '%%' || word || '%%' from unnest(words) as word
        order by length(word) desc limit 1)
    from (
        select name, plain_words(autolynx_plain(name)) as words from (
            select name from contact_vault
            where contact_id = any(%(contacts)s) and salt is not null
            union select name from upload_row where phone = %(phone)s
        ) known
    ) split
    where cardinality(words) > 0
"""
_STATEMENTS: tuple[LiteralString, ...] = (
    _EMPTY_CONTACTS,
    EMPTY + OF_SUBJECTS,
    _EMPTY_UNMATCHED_MESSAGES,
    _EMPTY_TEXTS,
    _EMPTY_REJECTS,
    _DELETE_STAGED_REJECTS,
    _DELETE_STAGED_ROWS,
    _EMPTY_UPLOAD_WARNINGS,
    _EMPTY_ALERTS.format(table="alert_outbox"),
    _EMPTY_ALERTS.format(table="alert_mail_outbox"),
    _EMPTY_REASONS,
    _NO_COMPOSING,
    _EMPTY_WEBHOOKS,
    _EMPTY_ANSWERS,
)
"""The statements of an erasure, in their order: names are read before."""

_ERASED_NUMBER: LiteralString = """
    insert into erased_number (digest, digits)
    select autolynx_number_digest(%(digits)s), length(%(digits)s)
    on conflict do nothing
"""

COMPACTED: tuple[LiteralString, ...] = (
    "contact_vault",
    "message_vault",
    "words_vault",
    "reject_vault",
    "upload",
    "upload_row",
    "upload_reject",
    "alert_outbox",
    "alert_mail_outbox",
    "dispatch_decision",
    "webhook_message",
    "webhook_delivery",
)
"""The tables that an erasure changes."""

STATISTICS: LiteralString = "pg_catalog.pg_statistic"
"""The catalogue with sample values of columns; ANALYZE leaves old ones as dead rows."""

# VACUUM keeps row versions that a snapshot older than the erasure can see.
_OLD_SNAPSHOTS: LiteralString = """
    select exists (
        select from pg_stat_activity
        where (datname = current_database() or datname is null)
            and pid <> pg_backend_pid() and age(backend_xmin) > age(%s::text::xid))
"""

# After this, new messages about these subjects are stored without content. An append
# either waits for the commit or precedes it; then the later removal finds its rows.
_WITHHELD: LiteralString = """
    insert into erased_subject
    select unnest(%(subjects)s::uuid[]) on conflict do nothing
"""


class ErasureStore:
    """Removes personal data from the tables outside the log."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def phone_of(self, contact_id: UUID) -> str | None:
        """Return a contact's number (E.164), None if it is unknown or erased."""
        query: LiteralString = """
            select phone from contact_vault where contact_id = %s and salt is not null
        """
        with self._pool.connection() as conn:
            row = conn.execute(query, (contact_id,)).fetchone()
        return None if row is None else str(row[0])

    def people(self, phone: str) -> list[Person]:
        """Return the contacts of all campaigns with this number (E.164)."""
        with self._pool.connection() as conn:
            rows = conn.execute(_PEOPLE, (phone,)).fetchall()
        return [
            Person(contact_id, campaign_id, frozenset(list_ids))
            for contact_id, campaign_id, list_ids in rows
        ]

    def wipe(
        self, phone: str, contact_ids: Collection[UUID], subject_ids: Collection[UUID]
    ) -> None:
        """Empty all rows about the contacts, the subjects and the number (E.164).

        The statements read whole tables, so this may take minutes. Later messages about
        these subjects, and later messages about unknown calls that contain the number,
        are stored without their content.
        """
        values: dict[str, Any] = {
            "phone": phone,
            "digits": distinctive_digits(phone),
            "part": f"%{distinctive_digits(phone)}%",
            "pattern": any_spelling(phone),
            "contacts": list(contact_ids),
            "subjects": list(subject_ids),
        }
        with self._pool.connection() as conn, conn.transaction():
            conn.execute("select autolynx_append_lock('{}', '{}')")
            conn.execute(_WITHHELD, values)
            conn.execute(_ERASED_NUMBER, values)
        with self._pool.connection() as conn, conn.transaction():
            conn.execute("set local statement_timeout to 0")
            found = conn.execute(_NAMES, values).fetchall()
            values["names"] = [name for name, _ in found]
            values["hints"] = [hint for _, hint in found]
            for statement in _STATEMENTS:
                conn.execute(statement, values)

    def compact(self, *, rewrite: bool = False, patience: float = 5.0) -> bool:
        """Remove old row versions and statistics that contain erased data.

        VACUUM frees their space for other rows. With `rewrite`, each table is written
        to new files and is locked meanwhile. Returns whether everything was removed:
        False if a transaction that is older than this call, such as a dump, stays open
        for more than `patience` seconds. Autovacuum removes the rest later.
        """
        options: LiteralString = "full, analyze" if rewrite else "analyze"
        with self._pool.connection() as conn:
            conn.execute("set statement_timeout to 0; set lock_timeout to 0")
            try:
                is_complete = _older_transactions_end(conn, patience)
                for table in COMPACTED:
                    conn.execute(f"vacuum ({options}) {table}")
                conn.execute(f"vacuum (full {rewrite}) {STATISTICS}")
            finally:
                conn.close()  # Its time limits were changed.
        return is_complete


def _older_transactions_end(conn: Conn, seconds: float) -> bool:
    """Wait until no transaction sees what was committed before this call."""
    until = monotonic() + seconds
    xid = conn.execute("select pg_current_xact_id()::text").fetchone()
    while conn.execute(_OLD_SNAPSHOTS, xid).fetchone() == (True,):
        if monotonic() >= until:
            return False
        sleep(POLL_SECONDS)
    return True


def distinctive_digits(phone: str) -> str:
    """Return the digits of a number (E.164) that every spelling of it contains.

    These are the national digits, or all digits where those are fewer than seven: they
    would be found within other numbers.
    """
    everything = re.sub(r"\D", "", phone)
    try:
        national = str(phonenumbers.parse(phone).national_number)
    except phonenumbers.NumberParseException:
        return everything
    return national if len(national) >= FEWEST_DIGITS else everything


def any_spelling(phone: str) -> str:
    """Return a regular expression (of Postgres) for the number in any spelling.

    Up to three characters may separate two digits, but no letter and no colon.
    """
    return "[^0-9A-Za-z:]{0,3}".join(distinctive_digits(phone))
