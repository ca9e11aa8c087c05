"""Erases the personal data of a person; the leaves remain as proof."""

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

_NO_CONTACT: LiteralString = """
    update contact_vault set name = null, business_name = null, phone = null,
        extension = null, variables = null, salt = null
    where contact_id = any(%(contacts)s) and salt is not null
"""

# Built-in functions first, since they take a hundredth of the time: a text without the
# digits of the number, and without the longest word of any name, is not looked into.
_MAY_MENTION: LiteralString = """
    (regexp_replace(autolynx_plain({text}), '[^0-9]', '', 'g') like %(part)s
        or lower(autolynx_plain({text})) like any(%(hints)s::text[]))
"""

# No event names the rows below: they are recorded, or nobody could tell why they are
# empty. Messages about unknown calls, other people's words and skipped rows are found
# by the number in any spelling and by the names of the contacts that are erased.
_SAID: LiteralString = "concat(document, transcript, recording_url)"
_NO_STRAY_MESSAGE: LiteralString = f"""
    with gone as (
        {EMPTY} and campaign_id is null
            and {_MAY_MENTION.format(text=_SAID)}
            and autolynx_mentions(
                jsonb_build_array(document, transcript, recording_url),
                %(pattern)s, %(names)s)
        returning id
    )
    insert into erased_row (kind, id) select 'message', id from gone
"""  # noqa: S608 - our own statement
_NO_WORDS: LiteralString = f"""
    with gone as (
        update words_vault set words = null, salt = null
        where salt is not null and (subject_id = any(%(subjects)s) or (
            {_MAY_MENTION.format(text="words")}
            and autolynx_mentions(words, %(pattern)s, %(names)s)))
        returning id
    )
    insert into erased_row (kind, id) select 'words', id from gone
"""  # noqa: S608 - our own statement

# A duplicate has a number of its own: with another number it is another person.
_NAMES_IT: LiteralString = f"""
    and {_MAY_MENTION.format(text="concat_ws(' ', cells, message)")}
    and (autolynx_mentions(
            jsonb_build_array(cells, message), %(pattern)s, '{{}}'::text[])
        or (reason not in ('DUPLICATE_IN_FILE', 'DUPLICATE_IN_CAMPAIGN')
            and autolynx_row_names(jsonb_build_array(cells, message), %(names)s)))
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
_NO_ALERT: LiteralString = """
    update alert_outbox
    set body = jsonb_build_object('message', 'The text of this alert was erased.'),
        error = null
    where autolynx_mentions(
        jsonb_build_array(body, error), %(pattern)s, %(names)s)
"""
_NO_REASONS: LiteralString = """
    update dispatch_decision set reasons = '[]'::jsonb
    where autolynx_mentions(reasons, %(pattern)s, %(names)s)
"""
# A name without any word, such as a dash, names nobody.
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
    "upload_row",
    "upload_reject",
    "alert_outbox",
    "dispatch_decision",
)
"""The tables that an erasure changes."""

STATISTICS: LiteralString = "pg_catalog.pg_statistic"
"""Holds values of columns; ANALYZE leaves the old ones as dead rows."""

# A snapshot that is older than the erasure keeps the versions of rows that it may read.
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
        """Empty all rows at once; whole tables are read, which takes its time.

        Later messages about these subjects, and messages about unknown calls that
        contain the number, are stored without their content.
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
            for statement in (
                _NO_CONTACT,
                EMPTY + OF_SUBJECTS,
                _NO_STRAY_MESSAGE,
                _NO_WORDS,
                _NO_REJECT,
                _NO_STAGED_REJECT + _NAMES_IT,
                _NO_STAGED_ROW,
                _NO_ALERT,
                _NO_REASONS,
            ):
                conn.execute(statement, values)

    def compact(self, *, rewrite: bool = False, patience: float = 5.0) -> bool:
        """Remove old row versions and statistics of what was erased.

        VACUUM makes their space free for other rows; with `rewrite` each table is
        written to new files, which locks it meanwhile. Returns whether everything was
        removed: not while a transaction that is older than this call, such as a dump,
        is open for longer than `patience` seconds. Then autovacuum removes the rest.
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
                conn.close()  # Its time limits are not those of the pool.
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
